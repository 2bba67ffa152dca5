"""Reading SAM's architecture off its weights, loading them, and asking the model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from segment_anything import SamPredictor, sam_model_registry
from torch import Tensor

from ssa.config import MaskSettings
from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.models.sam import SamArchitecture, SamMaskProposer, architecture_of, build
from tests.small_sam import SMALL, drawn_picture, random_sam

CPU = Placement(torch.device("cpu"), torch.float32)
VIT = {
    "vit_b": SamArchitecture(768, 12, 12, (2, 5, 8, 11), 3072),
    "vit_l": SamArchitecture(1024, 24, 16, (5, 11, 17, 23), 4096),
    "vit_h": SamArchitecture(1280, 32, 16, (7, 15, 23, 31), 5120),
}


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return dict(random_sam().state_dict())


def save_small(folder: Path, state: dict[str, Tensor], heads: int | None = 2) -> Path:
    save_file(state, folder / "model.safetensors")
    if heads is not None:
        (folder / "config.json").write_text(json.dumps({"decoder_num_heads": heads}))
    return folder


@pytest.mark.parametrize(
    "architecture",
    [
        SMALL,
        replace(SMALL, global_blocks=(0, 1, 2), window_size=0),
        replace(SMALL, global_blocks=()),
        replace(SMALL, num_heads=4, attention_downsample_rate=2, num_mask_tokens=2),
        replace(SMALL, iou_head_depth=1, iou_head_dim=4, decoder_depth=3, image_size=96),
        replace(SMALL, encoder_mlp_dim=97, patch_size=16),
    ],
)
def test_architecture_is_read_back_from_the_shapes(architecture: SamArchitecture) -> None:
    state = build(architecture).state_dict()
    assert architecture_of(state, architecture.decoder_num_heads) == architecture


@pytest.mark.parametrize("name", VIT)
def test_published_sizes_on_the_meta_device(name: str) -> None:
    with torch.device("meta"):
        published = sam_model_registry[name]().state_dict()
        ours = build(architecture_of(published)).state_dict()
    assert architecture_of(published) == VIT[name]
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in published.items()}


@pytest.mark.parametrize("layout", ["safetensors", "pth"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_loaded_weights_are_the_saved_ones(
    tmp_path: Path, state: dict[str, Tensor], layout: str, dtype: torch.dtype
) -> None:
    stored = {name: tensor.to(dtype) for name, tensor in state.items()}
    save_small(tmp_path, stored)
    if layout == "pth":
        (tmp_path / "model.safetensors").unlink()
        torch.save(stored, tmp_path / "sam_vit_small.pth")
    loaded = SamMaskProposer.load(tmp_path, CPU).sam
    assert loaded.state_dict().keys() == stored.keys()
    for name, tensor in loaded.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, stored[name].float())


def test_answers_are_the_packages(tmp_path: Path, state: dict[str, Tensor]) -> None:
    picture = drawn_picture(90, 140)
    points = np.array([[10.0, 20.0], [77.5, 60.25]])
    package = SamPredictor(random_sam())
    package.set_image(picture)
    prompts = torch.from_numpy(package.transform.apply_coords(points, (90, 140)))[:, None]
    masks, ious, low = package.predict_torch(prompts, torch.ones(2, 1), return_logits=True)

    ours = SamMaskProposer.load(save_small(tmp_path, state), CPU)
    embedding = ours.embed(picture)
    logits, our_ious = ours.decode(embedding, points)
    torch.testing.assert_close(embedding.features, package.features)
    torch.testing.assert_close(logits, low)
    torch.testing.assert_close(our_ious, ious)
    assert ours.upscale(embedding, logits[0]).shape == (3, 90, 140)
    torch.testing.assert_close(ours.upscale(embedding, logits[0]), masks[0])


def test_the_decoders_heads_come_from_the_config(tmp_path: Path, state: dict[str, Tensor]) -> None:
    def logits(heads: int | None) -> Tensor:
        (tmp_path / "config.json").unlink(missing_ok=True)
        proposer = SamMaskProposer.load(save_small(tmp_path, state, heads), CPU)
        embedding = proposer.embed(drawn_picture())
        return proposer.decode(embedding, np.array([[50.0, 50.0]]))[0]

    assert not torch.allclose(logits(2), logits(4))
    assert torch.equal(logits(8), logits(None))  # As published.


def test_the_encoder_gets_red_in_the_first_channel_and_grey_padding(
    state: dict[str, Tensor],
) -> None:
    proposer = SamMaskProposer(random_sam(), CPU)
    seen: list[Tensor] = []
    proposer.sam.image_encoder.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    red = np.zeros((64, 128, 3), np.uint8)
    red[..., 0] = 255
    proposer.embed(red)
    (pixels,) = seen
    assert pixels.shape == (1, 3, 128, 128)
    expected = torch.tensor([(255 - 123.675) / 58.395, -116.28 / 57.12, -103.53 / 57.375])
    torch.testing.assert_close(pixels[0, :, :64], expected.view(3, 1, 1).expand(3, 64, 128))
    assert not pixels[0, :, 64:].any()


@pytest.mark.parametrize("hw", [(1, 1), (1, 400), (400, 1), (3000, 2)])
def test_pictures_of_any_size(hw: tuple[int, int]) -> None:
    proposer = SamMaskProposer(random_sam(), CPU)
    embedding = proposer.embed(np.zeros((*hw, 3), np.uint8))
    logits, _ = proposer.decode(embedding, np.array([[0.5, 0.5]]))
    assert proposer.upscale(embedding, logits[0]).shape == (3, *hw)


def test_half_precision_computes_and_answers_in_float32() -> None:
    picture, points = drawn_picture(), np.array([[60.0, 70.0], [150.0, 100.0]])
    half = SamMaskProposer(random_sam(), Placement(torch.device("cpu"), torch.bfloat16))
    full = SamMaskProposer(random_sam(), CPU)
    embedding = half.embed(picture)
    assert embedding.features.dtype == torch.bfloat16
    logits, ious = half.decode(embedding, points)
    expected_logits, expected_ious = full.decode(full.embed(picture), points)
    assert logits.dtype == ious.dtype == torch.float32
    # Three significant digits through some twenty layers.
    assert (logits - expected_logits).abs().mean() < 0.1 * expected_logits.std()
    torch.testing.assert_close(ious, expected_ious, atol=0.05, rtol=0.05)


def test_an_incomplete_checkpoint_is_named(tmp_path: Path, state: dict[str, Tensor]) -> None:
    broken = {name: t for name, t in state.items() if name != "image_encoder.neck.0.weight"}
    broken["head.weight"] = torch.zeros(2)
    broken["mask_decoder.iou_token.weight"] = torch.zeros(1, 7)
    with pytest.raises(WeightsError) as error:
        SamMaskProposer.load(save_small(tmp_path, broken), CPU)
    text = str(error.value)
    assert "1 missing (image_encoder.neck.0.weight)" in text
    assert "1 unexpected (head.weight)" in text
    assert "1 of the wrong shape (mask_decoder.iou_token.weight (1, 7) for (1, 32))" in text


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("image_encoder.pos_embed", None, "'image_encoder.pos_embed' is missing"),
        ("image_encoder.pos_embed", (1, 16, 12, 32), "square grid of patches, got 16x12"),
        ("image_encoder.pos_embed", (16, 16, 32), "should have 4 dimensions"),
        ("image_encoder.blocks.0.attn.rel_pos_w", (9, 16), r"one window size, got \[5, 6\]"),
        ("image_encoder.blocks.0.attn.rel_pos_w", (11, 12), "32 channels don't split into heads"),
    ],
)
def test_shapes_that_are_no_sams(
    state: dict[str, Tensor], name: str, shape: tuple[int, ...] | None, message: str
) -> None:
    changed = {key: tensor for key, tensor in state.items() if key != name}
    if shape is not None:
        changed[name] = torch.zeros(shape)
    with pytest.raises(WeightsError, match=message):
        architecture_of(changed)


def test_another_models_weights_are_refused(tmp_path: Path) -> None:
    save_small(tmp_path, {"visual.proj": torch.zeros(3, 4)})
    with pytest.raises(WeightsError, match="is this a SAM checkpoint"):
        SamMaskProposer.load(tmp_path, CPU)


def test_a_folder_must_hold_exactly_one_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="found neither"):
        SamMaskProposer.load(tmp_path, CPU)
    for name in ("a.pth", "b.pth"):
        torch.save({}, tmp_path / name)
    with pytest.raises(WeightsError, match=r"found a\.pth, b\.pth"):
        SamMaskProposer.load(tmp_path, CPU)


class Trap:
    """Runs code when unpickled in full."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path("trapped").write_text, ("x",))


@pytest.mark.parametrize("content", ["trap", "rubbish", "empty", "truncated", "list"])
def test_files_that_are_no_tensors_are_refused(
    tmp_path: Path, state: dict[str, Tensor], content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "sam.pth"
    match content:
        case "trap":
            torch.save({"image_encoder.pos_embed": Trap()}, path)
        case "list":
            torch.save([1, 2], path)
        case "truncated":
            torch.save(state, path)
            path.write_bytes(path.read_bytes()[:2000])
        case _:
            path.write_bytes(b"rubbish" if content == "rubbish" else b"")
    with pytest.raises(WeightsError, match=r"sam\.pth: "):
        SamMaskProposer.load(tmp_path, CPU)
    assert not (tmp_path / "trapped").exists()


def test_a_damaged_safetensors_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(WeightsError, match="can't be read as tensors"):
        SamMaskProposer.load(tmp_path, CPU)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "expected a JSON object"),
        ("[]", "expected a JSON object"),
        ('{"decoder_num_heads": "3"}', "must be a positive int, got '3'"),
        ('{"decoder_num_heads": 0}', "must be a positive int, got 0"),
        ('{"decoder_num_heads": 5}', "32 channels don't split into 5 heads"),
    ],
)
def test_a_wrong_config_is_refused(
    tmp_path: Path, state: dict[str, Tensor], config: str, message: str
) -> None:
    save_small(tmp_path, state)
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(WeightsError, match=message):
        SamMaskProposer.load(tmp_path, CPU)


@pytest.mark.slow
def test_vit_b_in_its_published_layout(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(sam_model_registry["vit_b"]().state_dict(), tmp_path / "sam_vit_b_01ec64.pth")
    proposer = SamMaskProposer.load(tmp_path, CPU)
    assert architecture_of(proposer.sam.state_dict()) == VIT["vit_b"]
    settings = MaskSettings(points_per_side=2, pred_iou_thresh=0, stability_score_thresh=0)
    for proposal in proposer.propose(drawn_picture(), settings):
        assert (proposal.rle.height, proposal.rle.width) == (150, 200)
