"""CLIP and SigLIP 2 by one look: against the towers' own attention, told to see each region's cells alike."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from models.checkpoints import SMALL_OPEN_CLIP, write_open_clip, write_siglip
from torch import Tensor
from torch.nn import functional

from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.masks.run_lengths import encode
from ssa.models.clip import OpenClipRanker
from ssa.models.shared.dense import GridRanker
from ssa.models.text_region import RegionEncoder, load_text_region
from ssa.types import BoolMask, RGBImage
from tests.models.spying import assert_is_red, inputs_of, noise, red

CPU = Placement(torch.device("cpu"), torch.float32)
WRITERS = {"clip": write_open_clip, "siglip": write_siglip}
CELLS = {"clip": 4, "siglip": 10}
WORDS = ("dog", "cat", "red car", "sky")


@pytest.fixture(scope="module", params=list(WRITERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(kind)
    WRITERS[kind](path)
    return path


@pytest.fixture(scope="module")
def ranker(folder: Path) -> GridRanker:
    return load_text_region(folder, CPU)


@pytest.fixture(scope="module")
def plain(folder: Path) -> Any:
    name = f"local-dir:{folder}"
    return open_clip.create_model(name, require_pretrained=True).eval()


def encoder_of(ranker: GridRanker) -> RegionEncoder:
    assert isinstance(ranker._encoder, RegionEncoder)
    return ranker._encoder


def by_class_token(visual: Any, pixels: Tensor, allowed: Tensor) -> Tensor:
    """(D,): what the last block's own attention makes of the cells (N,) that it may see, all alike."""
    *blocks, last = visual.transformer.resblocks
    states = visual._embeds(pixels)
    for block in blocks:
        states = block(states)
    attention = deepcopy(last.attn)
    width = states.shape[-1]
    # Without queries and keys everything is as much like everything.
    torch.nn.init.zeros_(attention.in_proj_weight[: 2 * width])
    torch.nn.init.zeros_(attention.in_proj_bias[: 2 * width])
    seen = last.ln_1(states)
    hidden = ~torch.cat([torch.tensor([False]), allowed])[None]
    pooled = attention(seen[:, :1], seen, seen, attn_mask=hidden, need_weights=False)[0][0, 0]
    out: Tensor = visual.ln_post(pooled + last.mlp(last.ln_2(pooled))) @ visual.proj
    return out


def by_query(visual: Any, pixels: Tensor, allowed: Tensor) -> Tensor:
    """(D,): as above, by timm's own pooling."""
    pool = deepcopy(visual.trunk.attn_pool)
    torch.nn.init.zeros_(pool.q.weight)
    torch.nn.init.zeros_(pool.q.bias)
    pool.mlp = None
    states = visual.trunk.forward_features(pixels)
    # What stands before the cells is no part of a region.
    seen = functional.pad(allowed, (states.shape[1] - len(allowed), 0))
    out: Tensor = visual.trunk.fc_norm(pool(states, attn_mask=seen[None, None, None]))[0]
    return out


PLAINLY: dict[str, Callable[[Any, Tensor, Tensor], Tensor]] = {
    "clip": by_class_token,
    "siglip": by_query,
}


def pixels_of(ranker: GridRanker, image: RGBImage) -> Tensor:
    encoder = encoder_of(ranker)
    side = encoder._side_px
    return encoder._recipe.whole(image, (side, side), torch.device("cpu"))


def whole_cells(allowed: Tensor, size_hw: tuple[int, int]) -> BoolMask:
    """A mask of just these cells, in a picture whose sides are multiples of theirs."""
    side = round(len(allowed) ** 0.5)
    grid = allowed.view(side, side).numpy()
    return np.kron(grid, np.ones((size_hw[0] // side, size_hw[1] // side))) > 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_region_is_what_the_towers_own_attention_makes_of_its_cells(
    kind: str, ranker: GridRanker, plain: Any, seed: int
) -> None:
    size_hw = (4 * CELLS[kind], 7 * CELLS[kind])
    image = noise(*size_hw, seed)
    generator = torch.Generator().manual_seed(seed)
    allowed = torch.rand(CELLS[kind] ** 2, generator=generator) < 0.3
    with torch.inference_mode():
        found = ranker.pooled(ranker.look(image), [encode(whole_cells(allowed, size_hw))])[0]
        theirs = PLAINLY[kind](plain.visual, pixels_of(ranker, image), allowed)
    torch.testing.assert_close(found, functional.normalize(theirs, dim=0), atol=1e-5, rtol=1e-4)


def test_a_cell_by_itself_is_a_region_of_one_cell(
    kind: str, ranker: GridRanker, plain: Any
) -> None:
    image = noise(30, 50)
    cells = ranker.look(image).cells
    assert cells.shape[:2] == (CELLS[kind], CELLS[kind])
    for number in (0, CELLS[kind] + 2):
        allowed = torch.zeros(CELLS[kind] ** 2, dtype=torch.bool)
        allowed[number] = True
        with torch.inference_mode():
            theirs = PLAINLY[kind](plain.visual, pixels_of(ranker, image), allowed)
        mine = cells.flatten(0, 1)[number]
        torch.testing.assert_close(mine, functional.normalize(theirs, dim=0), atol=1e-5, rtol=1e-4)


def test_texts_and_their_scale_are_those_of_the_ranker_of_crops(
    folder: Path, ranker: GridRanker, plain: Any
) -> None:
    crops = OpenClipRanker.load(folder, CPU)
    with torch.inference_mode():
        theirs = crops._encode_labels(list(WORDS))
        mine = ranker._encode_labels(list(WORDS))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other)
    assert encoder_of(ranker).scale == pytest.approx(plain.logit_scale.exp().item())


def test_it_ranks_and_decides(ranker: GridRanker) -> None:
    image = noise(60, 90)
    mask = np.zeros((60, 90), np.bool_)
    mask[10:40, 20:70] = True
    view = ranker.look(image)
    (ranked,), (won,) = (
        ask(view, [encode(mask)], [list(WORDS)]) for ask in (ranker.rank, ranker.choose)
    )
    for found in (ranked, won):
        assert {one.label for one in found} == set(WORDS)
        assert sum(one.score for one in found) == pytest.approx(1)


def test_a_red_picture_reaches_the_model_red(kind: str, ranker: GridRanker) -> None:
    encoder = encoder_of(ranker)
    visual = encoder.model.visual
    first = visual.conv1 if kind == "clip" else visual.trunk.patch_embed
    with inputs_of(first) as seen:
        ranker.look(red(3, 17))
    assert seen[0].shape[2:] == (encoder._side_px,) * 2
    assert_is_red(seen[0], encoder._recipe.mean, encoder._recipe.std)


def test_a_larger_picture_has_more_cells_that_say_much_the_same(
    kind: str, folder: Path, ranker: GridRanker
) -> None:
    """On a picture of one colour, only the positions differ, and they are interpolated."""
    side = 2 * encoder_of(ranker)._side_px
    larger = load_text_region(folder, CPU, side).look(red(20, 20)).cells
    assert larger.shape[:2] == (2 * CELLS[kind], 2 * CELLS[kind])
    few = ranker.look(red(20, 20)).cells.flatten(0, 1).mean(dim=0)
    alike = functional.cosine_similarity(larger.flatten(0, 1).mean(dim=0), few, dim=0)
    assert alike > 0.9


def test_a_side_must_be_of_whole_cells(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"side_px must be a multiple of the patch, .*; got 37"):
        load_text_region(folder, CPU, 37)


def test_a_tower_that_pools_in_another_way_is_told(tmp_path: Path) -> None:
    vision = {**SMALL_OPEN_CLIP["vision_cfg"], "pool_type": "avg"}
    write_open_clip(tmp_path, {**SMALL_OPEN_CLIP, "vision_cfg": vision})
    with pytest.raises(WeightsError, match="expected a tower that pools by a class token"):
        load_text_region(tmp_path, CPU)


def test_a_damaged_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="expected weights in"):
        load_text_region(tmp_path, CPU)
