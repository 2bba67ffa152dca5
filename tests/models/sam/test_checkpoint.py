"""Reading SAM's architecture off its weights, and loading them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from segment_anything import sam_model_registry
from torch import Tensor

from ssa.config import MaskSettings
from ssa.errors import WeightsError
from ssa.models.sam import SamArchitecture, SamMaskProposer, architecture_of, build
from tests.small_sam import CPU, SMALL, drawn_picture, random_sam, save_small

VIT = {
    "vit_b": SamArchitecture(768, 12, 12, (2, 5, 8, 11), 3072),
    "vit_l": SamArchitecture(1024, 24, 16, (5, 11, 17, 23), 4096),
    "vit_h": SamArchitecture(1280, 32, 16, (7, 15, 23, 31), 5120),
}


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return dict(random_sam().state_dict())


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
    for proposal in proposer.propose(drawn_picture(), settings).proposals:
        assert (proposal.rle.height, proposal.rle.width) == (150, 200)
