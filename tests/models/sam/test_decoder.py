"""Our way through the mask decoder's weights against the package's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ssa.models.sam import SamArchitecture, decoder
from ssa.models.sam.decoder import DecodedPoints, PointDecoder
from tests.small_sam import SMALL, random_sam

ARCHITECTURES = {
    "one layer": SMALL,
    "two layers, as published": replace(SMALL, decoder_depth=2, attention_downsample_rate=2),
    "three layers, one head": replace(SMALL, decoder_depth=3, decoder_num_heads=1),
    "two outputs, four heads": replace(
        SMALL, decoder_depth=2, decoder_num_heads=4, num_mask_tokens=3, prompt_dim=64
    ),
}
GRID = 16


class Case:
    """A random decoder with random features and prompts, and what the package makes of them."""

    def __init__(self, architecture: SamArchitecture = ARCHITECTURES["two layers, as published"]):
        sam = random_sam(architecture).requires_grad_(False)
        # Random weights alone would leave the biases at zero.
        for parameter in sam.mask_decoder.parameters():
            if parameter.ndim == 1:
                parameter.data += 0.3 * torch.randn_like(parameter)
        features, self.places = torch.randn(2, 1, architecture.prompt_dim, GRID, GRID)
        no_mask = torch.randn(1, architecture.prompt_dim, 1, 1)
        self.prompts = torch.randn(5, 2, architecture.prompt_dim)
        self.features = features + no_mask
        with torch.inference_mode():
            self.masks, self.ious = sam.mask_decoder(
                image_embeddings=features,
                image_pe=self.places,
                sparse_prompt_embeddings=self.prompts,
                dense_prompt_embeddings=no_mask.expand(5, -1, GRID, GRID),
                multimask_output=True,
            )
        self.sam = sam

    @torch.inference_mode()
    def decoded(
        self, visible_hw: tuple[int, int] = (GRID, GRID), dtype: torch.dtype = torch.float32
    ) -> DecodedPoints:
        ours = PointDecoder(self.sam.mask_decoder, dtype)
        outlook = ours.look(self.features.to(dtype), self.places)
        return ours.decode(outlook, self.prompts, visible_hw)

    @property
    def every_mask(self) -> tuple[Tensor, Tensor]:
        """Points and outputs of all masks, in order."""
        every = torch.ones(self.ious.shape).nonzero()
        return every[:, 0], every[:, 1]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_answers_are_the_packages(name: str) -> None:
    case = Case(ARCHITECTURES[name])
    decoded = case.decoded()
    assert case.masks.std() > 0.1
    assert case.ious.std() > 0.01
    torch.testing.assert_close(decoded.ious, case.ious, atol=1e-5, rtol=1e-5)
    scale = float(case.masks.abs().max())
    masks = decoded.logits(*case.every_mask)
    torch.testing.assert_close(masks, case.masks.flatten(0, 1), atol=1e-4 * scale, rtol=0)


@pytest.mark.parametrize("at_once", [1, 2 * GRID * GRID * 16 * 4, 10**9])
def test_some_masks_are_some_of_all(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(decoder, "DRAWN_AT_ONCE_ON_CPU", at_once)
    case = Case()
    points, outputs = torch.tensor([[0, 2], [0, 0], [1, 1], [3, 0], [3, 2], [4, 2]]).T
    masks = case.decoded().logits(points, outputs)
    torch.testing.assert_close(masks, case.masks[points, outputs], atol=1e-4, rtol=1e-4)


def test_only_what_is_visible_is_drawn() -> None:
    case = Case()
    masks = case.decoded((7, 11)).logits(*case.every_mask)
    expected = case.masks.flatten(0, 1)[:, :28, :44]
    torch.testing.assert_close(masks, expected, atol=1e-4, rtol=1e-4)


def test_half_precision_answers_in_float32_and_near() -> None:
    case = Case()
    decoded = case.decoded(dtype=torch.bfloat16)
    masks = decoded.logits(*case.every_mask)
    assert masks.dtype == decoded.ious.dtype == torch.float32
    error = (masks - case.masks.flatten(0, 1)).abs().mean()
    assert 0 < error < 0.05 * case.masks.std()
    torch.testing.assert_close(decoded.ious, case.ious, atol=0.03, rtol=0.03)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_answers_are_the_same_on_a_gpu() -> None:
    case = Case()
    case.sam.cuda()
    case.features, case.places, case.prompts = (
        tensor.cuda() for tensor in (case.features, case.places, case.prompts)
    )
    decoded = case.decoded()
    torch.testing.assert_close(decoded.ious.cpu(), case.ious, atol=1e-3, rtol=1e-3)
    masks = decoded.logits(*(index.cuda() for index in case.every_mask))
    torch.testing.assert_close(masks.cpu(), case.masks.flatten(0, 1), atol=1e-3, rtol=1e-3)
