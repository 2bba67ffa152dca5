"""Reading Semantic-SAM's architecture off its weights, and loading them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ssa.errors import WeightsError
from ssa.models.semantic_sam import (
    SemanticSamArchitecture,
    SemanticSamMaskProposer,
    architecture_of,
    as_published,
    build,
    from_published,
)
from ssa.models.shared.checkpoints import check_complete
from tests.semantic_sam_reference import published_shapes, published_state
from tests.small_sam import CPU

SMALL = SemanticSamArchitecture(
    embed_dim=16,
    depths=(1, 1, 2, 1),
    num_heads=(1, 2, 4, 8),
    window_size=5,
    mlp_ratio=2.0,
    hidden_dim=32,
    mask_dim=24,
    heads=4,
    encoder_layers=1,
    encoder_ffn_dim=48,
    decoder_layers=2,
    decoder_ffn_dim=40,
)
PUBLISHED = {
    "t": (SemanticSamArchitecture(96, (2, 2, 6, 2), (3, 6, 12, 24), 7), 52_980_543),
    "l": (SemanticSamArchitecture(192, (2, 2, 18, 2), (6, 12, 24, 48), 12), 222_799_161),
}
# Three matrices of 256 x 512 for classes, which were never trained and are not loaded.
CLASS_NUMBERS = 3 * 256 * 512


@pytest.mark.parametrize("size", PUBLISHED)
def test_published_checkpoints_fit_strictly(size: str) -> None:
    """With every key of theirs and without values: these could not be had."""
    architecture, parameters = PUBLISHED[size]
    with torch.device("meta"):
        published = {name: torch.empty(shape) for name, shape in published_shapes(size).items()}
        state = from_published(published)
        model = build(architecture_of(state))
    assert architecture_of(state) == architecture
    check_complete(model.state_dict(), state, Path("swin"), "Semantic-SAM")
    model.load_state_dict(state, strict=True, assign=True)
    assert sum(each.numel() for each in model.parameters()) == parameters - CLASS_NUMBERS


@pytest.mark.parametrize(
    "architecture", [SMALL, replace(SMALL, window_size=8, decoder_layers=1, heads=8, hidden_dim=64)]
)
def test_architecture_is_read_back_from_the_shapes(architecture: SemanticSamArchitecture) -> None:
    assert architecture_of(build(architecture).state_dict()) == architecture


def test_names_there_and_back() -> None:
    state = build(SMALL).state_dict()
    back = from_published(as_published(state))
    assert back.keys() == state.keys()
    assert all(back[name] is state[name] for name in state)


def saved(folder: Path, state: dict[str, Tensor], layout: str) -> Path:
    if layout == "safetensors":
        # A file of safetensors holds no tensor twice.
        save_file(
            {name: each.clone() for name, each in state.items()}, folder / "model.safetensors"
        )
    else:
        torch.save({"model": state} if layout == "nested" else state, folder / "swint.pth")
    return folder


@pytest.mark.parametrize("layout", ["safetensors", "flat", "nested"])
def test_loaded_weights_are_the_saved_ones(tmp_path: Path, layout: str) -> None:
    proposer = SemanticSamMaskProposer.load(saved(tmp_path, published_state(), layout), CPU)
    expected = from_published(published_state())
    for name, tensor in proposer.model.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def test_what_is_no_semantic_sam_is_refused(tmp_path: Path) -> None:
    published = dict(published_state())
    del published["model.backbone.norm2.weight"]
    with pytest.raises(
        WeightsError, match=r"not a whole Semantic-SAM: .*1 missing \(backbone.norm2"
    ):
        SemanticSamMaskProposer.load(saved(tmp_path, published, "safetensors"), CPU)
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="is this a Semantic-SAM checkpoint"):
        SemanticSamMaskProposer.load(tmp_path, CPU)
    (tmp_path / "model.safetensors").write_bytes(b"rubbish")
    with pytest.raises(WeightsError, match="can't be read as tensors"):
        SemanticSamMaskProposer.load(tmp_path, CPU)


def test_a_token_for_each_granularity_is_asked_for(tmp_path: Path) -> None:
    state = as_published(build(replace(SMALL, mask_tokens=3)).state_dict())
    with pytest.raises(WeightsError, match="6 mask tokens, got 3"):
        SemanticSamMaskProposer.load(saved(tmp_path, state, "safetensors"), CPU)


@pytest.mark.parametrize("text", ["[]", "{", '{"short_side_px": 3}', '{"short_side_px": true}'])
def test_a_bad_config_is_told(tmp_path: Path, text: str) -> None:
    folder = saved(tmp_path, as_published(build(SMALL).state_dict()), "safetensors")
    (folder / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=r"config\.json"):
        SemanticSamMaskProposer.load(folder, CPU)


def test_the_config_says_the_short_side(tmp_path: Path) -> None:
    folder = saved(tmp_path, as_published(build(SMALL).state_dict()), "safetensors")
    (folder / "config.json").write_text(json.dumps({"short_side_px": 96}))
    embedding = SemanticSamMaskProposer.load(folder, CPU).embed(
        torch.zeros(50, 100, 3).byte().numpy()
    )
    assert embedding.input_hw == (96, 192)


def test_tensors_that_nobody_knows_are_told_and_left_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = {**published_state(), "model.sem_seg_tail.weight": torch.zeros(1)}
    SemanticSamMaskProposer.load(saved(tmp_path, state, "safetensors"), CPU)
    (record,) = (one for one in caplog.records if one.levelname == "WARNING")
    assert "1 tensors are no Semantic-SAM's" in record.getMessage()
    assert "model.sem_seg_tail.weight" in record.getMessage()
    caplog.clear()
    SemanticSamMaskProposer.load(saved(tmp_path, published_state(), "safetensors"), CPU)
    assert not caplog.records


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    state = dict(published_state())
    name = "model.backbone.norm2.weight"
    state[name] = torch.full_like(state[name], float("nan"))
    with pytest.raises(WeightsError, match=r"1 with NaN or infinity \(backbone\.norm2"):
        SemanticSamMaskProposer.load(saved(tmp_path, state, "safetensors"), CPU)
