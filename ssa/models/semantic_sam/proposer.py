"""A Semantic-SAM as the engine's mask proposer, and as the model that ``promptable.amg`` prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ssa.batching import BatchLimit
from ssa.config import GRANULARITIES, MaskSettings
from ssa.device import Placement, memory_errors_told
from ssa.errors import WeightsError
from ssa.models.promptable.amg import generate, no_progress
from ssa.models.promptable.enlarge import Enlargement, Resizing
from ssa.models.semantic_sam.architecture import STRIDE_PX, SemanticSam
from ssa.models.semantic_sam.checkpoint import load_semantic_sam
from ssa.models.semantic_sam.click_decoder import Answers, Outlook
from ssa.models.shared.checkpoints import number_beside, weights_file
from ssa.models.shared.pixels import BYTE_MEAN, BYTE_STD, resize_picture
from ssa.models.shared.pretrained import shown
from ssa.stages import Progress
from ssa.types import ProposedMasks, RGBImage

# The published demos' input; the miniature says its own in config.json.
PUBLISHED_SHORT_SIDE_PX = 640

# A longer picture is made smaller than the short side asks for; the demos would run out of memory.
LONGEST_PER_SHORT = 4

# A click is a box of this side, relative to the picture's.
CLICK_SIDE = 0.005

# The mask token that answers at each granularity, 1 to 6.
TOKENS = (3, 2, 0, 4, 1, 5)

# Clicks asked together, as in the demos.
POINTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class CropEmbedding:
    """A crop as the model sees it, ready for any number of clicks.

    ``mask_features`` (C, h, w) and ``outlook`` cover the padded input. ``input_hw`` is the resized crop's
    size in it, ``padded_hw`` the input's own and ``crop_hw`` the crop's, all in pixels.
    """

    mask_features: Tensor
    outlook: Outlook
    enlargement: Enlargement
    input_hw: tuple[int, int]
    padded_hw: tuple[int, int]
    crop_hw: tuple[int, int]


class DecodedClicks:
    """The answers to N clicks, one mask at each of six granularities."""

    def __init__(self, answers: Answers, mask_features: Tensor, tokens: Tensor) -> None:
        """``tokens`` (6,), on the features' device: the mask token that answers at each granularity."""
        self._tokens = tokens
        self._embeddings = answers.mask_embeddings[0]
        self._mask_features = mask_features
        self.ious: Tensor = answers.scores[0][:, tokens]

    def logits(self, points: Tensor, outputs: Tensor) -> Tensor:
        """Masks (M, h, w), float32, of clicks (M,) at granularities (M,), from 0, both on the host."""
        points, outputs = torch.stack([points, outputs]).to(self._tokens.device)
        chosen = self._embeddings[points, self._tokens[outputs]]
        masks: Tensor = torch.unflatten(
            chosen @ self._mask_features.flatten(1), 1, self._mask_features.shape[1:]
        )
        return masks


class SemanticSamMaskProposer:
    """Proposes masks with a Semantic-SAM, from wholes to parts.

    The backbone computes in the placement's number type. The rest is float32: fewer bits could not tell
    neighbouring places apart where features are sampled.
    """

    mask_threshold = 0.0
    granularities: Sequence[int | None] = GRANULARITIES
    points_at_once = POINTS_AT_ONCE

    def __init__(
        self,
        model: SemanticSam,
        placement: Placement,
        short_side_px: int | None = PUBLISHED_SHORT_SIDE_PX,
        isolate_clicks: bool = True,
    ) -> None:
        """``short_side_px``: pictures are resized to it; None for no resizing.

        ``isolate_clicks``: an answer doesn't depend on what else is asked in a batch. Without it, clicks of a
        batch influence one another, as in the published demos; it is there for comparison with them.
        """
        self._placement = placement
        self.in_bulk = placement.in_bulk
        self.model = model.to(placement.device).float().eval().requires_grad_(False)
        self.model.backbone.to(placement.dtype).settle()
        self._short_side_px = short_side_px
        self._isolate_clicks = isolate_clicks
        self._mean = torch.tensor(BYTE_MEAN, device=placement.device).view(3, 1, 1)
        self._std = torch.tensor(BYTE_STD, device=placement.device).view(3, 1, 1)
        self._tokens = torch.tensor(TOKENS, device=placement.device)
        self.points_limit = BatchLimit("points")

    @classmethod
    def load(
        cls, folder: Path, placement: Placement, isolate_clicks: bool = True
    ) -> SemanticSamMaskProposer:
        """The model in ``folder``: ``model.safetensors``, else the one ``*.pth``, in the published layout.

        A ``config.json`` beside it may say ``short_side_px``. Raises ``WeightsError`` when the folder doesn't
        hold one readable, complete Semantic-SAM with a token for each granularity.
        """
        model = load_semantic_sam(folder)
        tokens = model.decoder.mask_tokens.num_embeddings
        if tokens != len(TOKENS):
            raise WeightsError(
                f"{shown(folder)}: expected a Semantic-SAM with {len(TOKENS)} mask tokens, "
                f"got {tokens}"
            )
        short_side_px = number_beside(
            weights_file(folder), "short_side_px", PUBLISHED_SHORT_SIDE_PX, STRIDE_PX
        )
        return cls(model, placement, short_side_px, isolate_clicks)

    def propose(
        self, image: RGBImage, settings: MaskSettings, progress: Progress = no_progress
    ) -> ProposedMasks:
        """Masks of everything in the picture ((H, W, 3) RGB uint8), at the granularities of ``settings``."""
        return ProposedMasks(generate(self, image, settings, progress))

    @memory_errors_told
    @torch.inference_mode()
    def embed(self, crop: RGBImage) -> CropEmbedding:
        """Look at a crop (h, w, 3), RGB uint8: resized, normalised, then padded below and right."""
        crop_hw = (crop.shape[0], crop.shape[1])
        input_hw = _input_hw(crop_hw, self._short_side_px)
        pixels = self._pixels(crop, input_hw)
        features = self.model.look(pixels)
        return CropEmbedding(
            features.mask_features[0],
            self.model.decoder.look(features),
            self._enlargement(features.mask_features, input_hw, crop_hw),
            input_hw,
            (pixels.shape[2], pixels.shape[3]),
            crop_hw,
        )

    @torch.inference_mode()
    def decode(self, embedding: CropEmbedding, points_xy: NDArray[np.float64]) -> DecodedClicks:
        """Six masks for each click (N, 2), pixels of the crop."""
        (crop_h, crop_w), (input_h, input_w) = embedding.crop_hw, embedding.input_hw
        padded_h, padded_w = embedding.padded_hw
        sides = np.full_like(points_xy, CLICK_SIDE)
        boxes = np.concatenate([points_xy / (crop_w, crop_h), sides], axis=1)
        # Relative to the crop so far; the model counts from side to side of what it is given.
        boxes *= (input_w / padded_w, input_h / padded_h) * 2
        prompts = torch.from_numpy(boxes).to(self._placement.device, torch.float32)[None]
        answers = self.model.decoder(embedding.outlook, prompts, self._isolate_clicks)
        return DecodedClicks(answers, embedding.mask_features, self._tokens)

    def enlargement(
        self, embedding: CropEmbedding, size_hw: tuple[int, int] | None = None
    ) -> Enlargement:
        """How ``decode``'s masks become masks of the crop: bilinear, padding cut off, bilinear again.

        The last step may lead to another size than the crop's.
        """
        if size_hw is None:
            return embedding.enlargement
        return self._enlargement(embedding.mask_features[None], embedding.input_hw, size_hw)

    def _pixels(self, crop: RGBImage, input_hw: tuple[int, int]) -> Tensor:
        """The model's input (1, 3, H, W)."""
        if crop.shape[:2] != input_hw:
            crop = resize_picture(crop, input_hw, Image.Resampling.BICUBIC)
        pixels = torch.tensor(crop, device=self._placement.device).permute(2, 0, 1)
        pixels = (pixels - self._mean) / self._std
        # Zeros after normalisation, as in training: the padding is mean grey.
        padding = (0, -input_hw[1] % STRIDE_PX, 0, -input_hw[0] % STRIDE_PX)
        return F.pad(pixels, padding)[None].to(self._placement.dtype)

    def _enlargement(
        self, mask_features: Tensor, input_hw: tuple[int, int], size_hw: tuple[int, int]
    ) -> Enlargement:
        """Masks are a quarter of the padded input, and first brought to its size."""
        steps = zip(mask_features.shape[-2:], input_hw, size_hw, strict=True)
        rows, columns = (
            Resizing.of(small, [(4 * small, seen), (size, size)], self._placement.device)
            for small, seen, size in steps
        )
        return Enlargement(rows, columns)


def _input_hw(crop_hw: tuple[int, int], short_side_px: int | None) -> tuple[int, int]:
    """The size whose short side is ``short_side_px``, or less for a picture that would be very long."""
    if short_side_px is None:
        return crop_hw
    short, long = min(crop_hw), max(crop_hw)
    scale = min(short_side_px / short, LONGEST_PER_SHORT * short_side_px / long)
    height, width = (max(1, int(side * scale + 0.5)) for side in crop_hw)
    return height, width
