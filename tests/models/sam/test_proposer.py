"""Asking the whole of SAM, ours against the package's predictor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from torch import Tensor

from ssa.config import MaskSettings
from ssa.device import Placement
from ssa.models.sam import SamMaskProposer
from tests.models.spying import inputs_of
from tests.small_sam import CPU, BlobProposer, drawn_picture, random_sam, save_small


@pytest.mark.parametrize("hw", [(90, 140), (140, 90), (100, 100), (33, 128), (700, 500)])
def test_answers_are_the_packages(hw: tuple[int, int]) -> None:
    picture = drawn_picture(*hw)
    points = np.array([[10.0, 20.0], [77.5, 30.25]])
    package = SamPredictor(random_sam())
    package.set_image(picture)
    prompts = torch.from_numpy(package.transform.apply_coords(points, hw))[:, None]
    masks, ious, low = package.predict_torch(prompts, torch.ones(2, 1), return_logits=True)

    ours = SamMaskProposer(random_sam(), CPU)
    embedding = ours.embed(picture)
    decoded = ours.decode(embedding, points)
    small = decoded.logits(torch.tensor([0, 1, 1]), torch.tensor([2, 0, 1]))
    torch.testing.assert_close(embedding.features, package.features, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(decoded.ious, ious, atol=1e-5, rtol=1e-5)
    _, height, width = small.shape
    expected = torch.stack([low[0, 2], low[1, 0], low[1, 1]])[:, :height, :width]
    torch.testing.assert_close(small, expected, atol=1e-4, rtol=1e-4)
    box = (0, 0, hw[1], hw[0])
    large = ours.enlargement(embedding).window(small, box, below=0)[..., :-1].mT
    expected = torch.stack([masks[0, 2], masks[1, 0], masks[1, 1]])
    torch.testing.assert_close(large, expected, atol=1e-4, rtol=1e-4)


def test_the_decoders_heads_come_from_the_config(tmp_path: Path) -> None:
    def logits(heads: int | None) -> Tensor:
        (tmp_path / "config.json").unlink(missing_ok=True)
        folder = save_small(tmp_path, dict(random_sam().state_dict()), heads)
        return first_mask(SamMaskProposer.load(folder, CPU))

    assert not torch.allclose(logits(2), logits(4))
    assert torch.equal(logits(8), logits(None))  # As published.


def first_mask(proposer: SamMaskProposer) -> Tensor:
    decoded = proposer.decode(proposer.embed(drawn_picture()), np.array([[50.0, 50.0]]))
    return decoded.logits(torch.tensor([0]), torch.tensor([0]))[0]


def test_weights_keep_their_names_values_and_types() -> None:
    sam = SamMaskProposer(random_sam(), CPU).sam
    expected = random_sam().state_dict()
    assert sam.state_dict().keys() == expected.keys()
    for name, tensor in sam.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, expected[name])


def test_the_encoder_gets_red_in_the_first_channel_and_grey_padding() -> None:
    proposer = SamMaskProposer(random_sam(), CPU)
    seen: list[Tensor] = []
    entrance = proposer.sam.image_encoder.patch_embed
    entrance.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
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
    decoded = proposer.decode(embedding, np.array([[0.5, 0.5]]))
    small = decoded.logits(torch.tensor([0]), torch.tensor([1]))
    whole = (0, 0, hw[1], hw[0])
    large = proposer.enlargement(embedding).window(small, whole, below=0)
    assert large.shape == (1, hw[1], hw[0] + 1)
    assert large.isfinite().all()


def test_half_precision_computes_and_answers_in_float32() -> None:
    picture, points = drawn_picture(), np.array([[60.0, 70.0], [150.0, 100.0]])
    half = SamMaskProposer(random_sam(), Placement(torch.device("cpu"), torch.bfloat16))
    full = SamMaskProposer(random_sam(), CPU)
    embedding = half.embed(picture)
    assert embedding.features.dtype == torch.bfloat16
    decoded, expected = half.decode(embedding, points), full.decode(full.embed(picture), points)
    chosen = torch.tensor([0, 1]), torch.tensor([2, 1])
    logits, expected_logits = decoded.logits(*chosen), expected.logits(*chosen)
    assert logits.dtype == decoded.ious.dtype == torch.float32
    # Three significant digits through some twenty layers.
    assert (logits - expected_logits).abs().mean() < 0.1 * expected_logits.std()
    torch.testing.assert_close(decoded.ious, expected.ious, atol=0.05, rtol=0.05)


# --- the picture's embedding ------------------------------------------------------------------------


@pytest.mark.parametrize(("layers", "encoded"), [(0, 1), (1, 5)])
def test_masks_come_with_the_embedding_that_they_were_made_from(layers: int, encoded: int) -> None:
    proposer, picture = BlobProposer(), drawn_picture()
    settings = MaskSettings(8, 64, 0.3, 0.5, crop_n_layers=layers)
    with inputs_of(proposer.sam.image_encoder.patch_embed) as seen:
        found = proposer.propose(picture, settings)
    assert len(seen) == encoded  # Once a crop, the whole picture among them.
    assert found.proposals
    assert found.fetch_embedding is not None
    fetched, alone = found.fetch_embedding(), proposer.embed_image(picture)
    assert np.array_equal(fetched.features, alone.features)
    assert fetched.extent_hw == alone.extent_hw


@pytest.mark.parametrize(
    ("hw", "extent_hw"), [((150, 200), (12, 16)), ((200, 50), (16, 4)), ((100, 30), (16, 4.75))]
)
def test_the_embedding_tells_how_far_the_picture_reaches(
    hw: tuple[int, int], extent_hw: tuple[float, float]
) -> None:
    embedding = SamMaskProposer(random_sam(), CPU).embed_image(drawn_picture(*hw))
    assert embedding.features.shape == (32, 16, 16)  # 128 px in patches of 8
    assert embedding.extent_hw == extent_hw


def test_the_embedding_is_float32_and_has_left_the_model() -> None:
    half = SamMaskProposer(random_sam(), Placement(torch.device("cpu"), torch.bfloat16))
    features = half.embed_image(drawn_picture()).features
    assert isinstance(features, np.ndarray)
    assert features.dtype == np.float32
    assert np.array_equal(features, half.embed(drawn_picture()).features[0].float().numpy())
