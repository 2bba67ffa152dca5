"""Newer rankers and voters at their published sizes with random weights: equal to their libraries' own.

The same comparisons as at reduced size; each model is some gigabytes.
"""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import pytest
import torch
import transformers
from models.small_captioners import write_smolvlm
from models.test_chat import LONGEST
from models.test_chat import plain as chatted_plainly
from models.test_sam3_phrases import found, plainly
from models.test_semantic_segmentor import Plain
from models.test_text_region import by_class_token, by_query, pixels_of
from models.test_tipsv2 import plain_cells
from safetensors.torch import save_file
from torch.nn import functional
from torchvision.transforms.v2 import functional as vision

from benchmarks.part_sizes import PARTS
from benchmarks.random_weights import write_clip_tokenizer
from ssa.device import Placement
from ssa.masks.overlaps import ious
from ssa.masks.run_lengths import encode
from ssa.models.chat import ChatCaptioner
from ssa.models.clip import OpenClipRanker
from ssa.models.fgclip2 import FgClip2Model, load_fgclip2
from ssa.models.sam3_phrases import Sam3Phrases
from ssa.models.semantic_segmentor import SemanticSegmentor
from ssa.models.text_region import load_text_region
from ssa.models.tipsv2 import load_tipsv2
from tests.models.spying import noise

pytestmark = pytest.mark.slow

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of the part that a test is about."""
    PARTS[request.param].write(tmp_path)
    return tmp_path


@pytest.mark.parametrize("folder", ["TIPSv2 L/14"], indirect=True)
def test_tipsv2(folder: Path) -> None:
    image = noise(448, 448)
    ranker = load_tipsv2(folder, CPU)
    assert sum(one.numel() for one in ranker.model.parameters()) == pytest.approx(487e6, rel=0.02)
    cells = ranker.look(image).cells
    del ranker
    plain = transformers.Tipsv2Model.from_pretrained(folder).eval()
    pixels = vision.to_image(image)[None] / 255
    theirs = functional.normalize(plain_cells(plain, pixels)[0, 2:], dim=-1)
    torch.testing.assert_close(cells.flatten(0, 1), theirs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("folder", ["FG-CLIP 2 B/16"], indirect=True)
def test_fgclip2_sees_what_siglip_2s_tower_sees(folder: Path) -> None:
    """Its head is the published one cell by cell at reduced size; the tower below is transformers' own."""
    image = noise(512, 512)
    ranker = load_fgclip2(folder, CPU)
    cells = ranker.look(image).cells
    del ranker
    model = FgClip2Model.from_pretrained(folder).eval()
    processor = transformers.Siglip2ImageProcessor.from_pretrained(folder)
    inputs = processor(vision.to_image(image), max_num_patches=1024, return_tensors="pt")
    with torch.inference_mode():
        states = model.vision_model(**inputs).last_hidden_state
        heard = model.dense_feature_head.attention(states, states, states)[0]
        head = model.dense_feature_head
        theirs = functional.normalize(heard + head.mlp(head.layernorm(heard)), dim=-1)[0]
    torch.testing.assert_close(cells.flatten(0, 1), theirs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("folder", ["SigLIP 2 So400m/16, 384 px", "CLIP L/14"], indirect=True)
def test_rankers_of_crops_see_what_open_clip_sees(folder: Path) -> None:
    side = 384 if "So400m" in (folder / "open_clip_config.json").read_text() else 224
    crop = noise(side, side)
    ranker = OpenClipRanker.load(folder, CPU)
    with torch.inference_mode():
        mine = ranker._encode_crops([crop])[0]
    del ranker
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    with torch.inference_mode():
        pixels = preprocess(vision.to_pil_image(vision.to_image(crop)))[None]
        theirs = functional.normalize(model.eval().encode_image(pixels), dim=-1)[0]
    torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-3)


def test_pe_core_sees_what_open_clip_sees(tmp_path: Path) -> None:
    name = "PE-Core-L-14-336"
    torch.manual_seed(0)
    model = open_clip.create_model(name).eval()
    weights = {key: tensor.contiguous() for key, tensor in model.state_dict().items()}
    save_file(weights, tmp_path / "open_clip_model.safetensors")
    half = {
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "interpolation": "bilinear",
        "resize_mode": "squash",
    }
    described = {"model_cfg": open_clip.get_model_config(name), "preprocess_cfg": half}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(described))
    ranker, crop, words = (
        OpenClipRanker.load(tmp_path, CPU),
        noise(336, 336),
        ["dog", "red car", "sky"],
    )
    (ranking,) = ranker.rank([crop], [words])
    del ranker
    pixels = (vision.to_image(crop)[None] / 255 - 0.5) / 0.5
    with torch.inference_mode():
        logits, _ = model.get_logits(pixels, open_clip.get_tokenizer(name)(words))
    expected = dict(zip(words, logits[0].softmax(0).tolist(), strict=True))
    assert {one.label: one.score for one in ranking} == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("folder", "plainly"),
    [("SigLIP 2 So400m/16, 384 px", by_query), ("CLIP L/14", by_class_token)],
    indirect=["folder"],
)
def test_one_look_is_what_their_own_attention_makes_of_a_cell(
    folder: Path, plainly: object
) -> None:
    image = noise(384, 384)
    ranker = load_text_region(folder, CPU)
    cells = ranker.look(image).cells.flatten(0, 1)
    allowed = torch.zeros(len(cells), dtype=torch.bool)
    allowed[7] = True
    pixels = pixels_of(ranker, image)
    del ranker
    model = open_clip.create_model(f"local-dir:{folder}", require_pretrained=True).eval()
    with torch.inference_mode():
        theirs = plainly(model.visual, pixels, allowed)  # type: ignore[operator]
    torch.testing.assert_close(cells[7], functional.normalize(theirs, dim=0), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    "folder", ["Mask2Former Swin-L, ADE20K", "EoMT-L 512, ADE20K"], indirect=True
)
def test_voters_are_transformers_own(folder: Path) -> None:
    picture = noise(320, 480)
    segmentor = SemanticSegmentor.load(folder, CPU, "ade20k")
    scores = segmentor.scores(picture)
    del segmentor
    _, theirs = Plain(folder).segment(picture)
    mine = functional.interpolate(scores[None], theirs.shape[1:], mode="bilinear")[0]
    torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-3)


def test_sam_3_asked_by_a_phrase(tmp_path: Path) -> None:
    """Its 840 million parameters find what transformers' own post-processing finds."""
    write_published_sam3(tmp_path)
    image = noise(90, 120)
    own = found(Sam3Phrases.load(tmp_path, CPU), image, ["a red car"], 0.0)[0]
    model = transformers.Sam3Model.from_pretrained(tmp_path, dtype=torch.float32).eval()
    processor = transformers.Sam3Processor.from_pretrained(tmp_path)
    theirs = plainly((model, processor), image, "a red car", 0.0)
    assert own
    scores = [score for score, _ in theirs]
    assert [one.predicted_iou for one in own] == pytest.approx(scores, abs=1e-4)
    # Equal scores may come in another order.
    shared = ious([one.rle for one in own], [encode(mask) for _, mask in theirs])
    assert (shared.max(axis=1) > 0.99).all()


def write_published_sam3(folder: Path) -> None:
    torch.manual_seed(0)
    transformers.Sam3Model(transformers.Sam3Config()).save_pretrained(folder)
    write_clip_tokenizer(folder)
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    transformers.Sam3Processor(transformers.Sam3ImageProcessor(), tokenizer).save_pretrained(folder)


SMOLLM_135M = {
    "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
    "num_key_value_heads": 3, "max_position_embeddings": 8192,
}  # fmt: skip
SIGLIP_B_512 = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
    "image_size": 512, "patch_size": 16,
}  # fmt: skip


def test_smolvlm_256m(tmp_path: Path) -> None:
    """All crops at once say what ``generate`` says of them one by one; its words are letters."""
    write_smolvlm(tmp_path, -1.2, text=SMOLLM_135M, vision=SIGLIP_B_512, scale=4)
    crops = [noise(90, 120), noise(64, 32, seed=1)]
    said = ChatCaptioner.load(tmp_path, CPU, LONGEST).caption(crops)
    assert said == chatted_plainly(tmp_path, crops)
    assert len(set(said)) == 2
