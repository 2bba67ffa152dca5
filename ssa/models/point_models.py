"""SAM 2.1, EdgeTAM, SAM-HQ and SAM 3's tracker as mask proposers: transformers' classes, one adapter.

What they share is their way of being asked: look at a picture, then answer points. What differs stands in
the table ``FAMILIES``, a line a family. Masks are transformers' own, logit by logit; only the points' grid
and what becomes of masks (``promptable.amg``) are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor

from ssa.batching import BatchLimit
from ssa.config import MaskSettings
from ssa.device import Placement, memory_errors_told
from ssa.models.promptable.amg import generate, no_progress
from ssa.models.promptable.enlarge import Enlargement, Resizing
from ssa.models.shared.pixels import fit_hw
from ssa.models.shared.pretrained import (
    TRANSFORMER_FILES,
    fed_float32,
    load_transformer,
    opening,
)
from ssa.models.shared.uploading import upload
from ssa.stages import Progress
from ssa.types import ImageEmbedding, ProposedMasks, RGBImage

# Numbers of the masks that a batch of points draws at once: on a CPU 64 MB, on a GPU 1 GB.
MASK_NUMBERS_AT_ONCE_ON_CPU, MASK_NUMBERS_AT_ONCE = 2**24, 2**28


@dataclass(frozen=True, slots=True)
class Family:
    """How one family differs.

    ``model`` and ``processor`` are classes of transformers. ``pads`` is whether pictures keep their shape
    and are padded to a square, below and right; else they are squashed to one. ``best_only`` is whether of
    a point's masks the best alone is meant. ``modules`` are parts that compute in float32 what the encoder
    hands them in fewer bits.
    """

    model: str
    processor: str
    pads: bool = False
    best_only: bool = False
    modules: tuple[str, ...] = ("mask_decoder.conv_s0", "mask_decoder.conv_s1")


_SAM2 = Family("Sam2Model", "Sam2ImageProcessor")
_EDGETAM = Family("EdgeTamModel", "Sam2ImageProcessor")
_SAM3 = Family("Sam3TrackerModel", "Sam3ImageProcessor")
# transformers adds the same fine mask to all three; the published decoder has it for the best alone.
_SAM_HQ = Family("SamHQModel", "SamImageProcessor", pads=True, best_only=True, modules=())

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "sam2": _SAM2,
        "sam2_video": _SAM2,  # what published checkpoints call themselves
        "edgetam": _EDGETAM,
        "edgetam_video": _EDGETAM,
        "sam3_tracker": _SAM3,
        "sam3_video": _SAM3,
        "sam_hq": _SAM_HQ,
    }
)
"""Families by the ``model_type`` of a folder's config.json."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A crop as the encoder sees it.

    ``embeddings`` are maps (1, C, h, w) as the model's decoder takes them, ``coarsest`` the one of these
    that says most of what is there; ``input_hw`` is the resized crop's size inside the encoder's input,
    ``crop_hw`` the crop's own, both in pixels.
    """

    embeddings: Mapping[str, Any]
    coarsest: Tensor
    input_hw: tuple[int, int]
    crop_hw: tuple[int, int]


class Answers:
    """A model's answers to N points: IoUs (N, K) and small masks (N, K, a, b), all of them drawn."""

    def __init__(self, masks: Tensor, ious: Tensor) -> None:
        self._masks, self.ious = masks, ious

    def logits(self, points: Tensor, outputs: Tensor) -> Tensor:
        """Small masks (M, a, b), float32, of points (M,) and outputs (M,), on the host."""
        points, outputs = torch.stack([points, outputs]).to(self._masks.device)
        return self._masks[points, outputs].float()


class PointModel:
    """Proposes masks with a promptable model of transformers.

    The encoder computes in the placement's number type; what is asked of it by points in float32.
    """

    mask_threshold = 0.0

    def __init__(self, model: Any, processor: Any, kind: str, placement: Placement) -> None:
        """``kind`` is one of ``FAMILIES``."""
        self.kind, self._family = kind, FAMILIES[kind]
        family = self._family
        self._model, self._processor = model, processor
        self._placement = placement
        model.vision_encoder.to(placement.dtype)
        for name in family.modules:
            fed_float32(model.get_submodule(name))
        self.in_bulk = placement.in_bulk
        self._input_px = (
            int(model.config.vision_config.image_size) if family.pads else _side(processor)
        )
        prompts = model.config.prompt_encoder_config
        self._small_px = 4 * (prompts.image_size // prompts.patch_size)
        outputs = 1 if family.best_only else 3
        self.granularities: Sequence[int | None] = (None,) * outputs
        at_once = MASK_NUMBERS_AT_ONCE if self.in_bulk else MASK_NUMBERS_AT_ONCE_ON_CPU
        self.points_at_once = max(1, at_once // (3 * self._small_px**2))
        self.points_limit = BatchLimit("points")

    @classmethod
    def load(cls, folder: Path, placement: Placement, kind: str) -> PointModel:
        """The model in ``folder`` (config.json, preprocessor_config.json, model.safetensors).

        ``kind`` is its config's ``model_type``, one of ``FAMILIES``. Raises ``WeightsError`` when the
        folder is damaged or lacks a parameter.
        """
        family = FAMILIES[kind]
        with opening(folder, kind, TRANSFORMER_FILES):
            # Of a checkpoint of a video model, what only video needs is left aside.
            model = load_transformer(getattr(transformers, family.model), folder, placement.device)
            processor = getattr(transformers, family.processor).from_pretrained(
                folder, local_files_only=True
            )
        return cls(model, processor, kind, placement)

    def propose(
        self, image: RGBImage, settings: MaskSettings, progress: Progress = no_progress
    ) -> ProposedMasks:
        """Masks of everything in the picture ((H, W, 3) RGB uint8), and what the encoder saw of it."""
        whole = self.embed(image)
        proposals = generate(self, image, settings, progress, whole)
        fetch = partial(self._image_embedding, whole.coarsest, whole.input_hw)
        return ProposedMasks(proposals, fetch)

    def embed_image(self, image: RGBImage) -> ImageEmbedding:
        """What the encoder sees of a picture ((H, W, 3) RGB uint8) whose masks come from elsewhere."""
        whole = self.embed(image)
        return self._image_embedding(whole.coarsest, whole.input_hw)

    @memory_errors_told
    @torch.inference_mode()
    def embed(self, crop: RGBImage) -> Seen:
        """Encode a crop (h, w, 3), RGB uint8."""
        crop_hw = (crop.shape[0], crop.shape[1])
        pixels = self._processor(
            images=[upload(crop, self._placement.device)],
            input_data_format="channels_first",  # a crop 1 or 3 pixels wide looks like channels last
            return_tensors="pt",
            device=self._placement.device,
        )["pixel_values"].to(self._placement.dtype)
        found = self._model.get_image_embeddings(pixels)
        input_hw = fit_hw(*crop_hw, self._input_px) if self._family.pads else (self._input_px,) * 2
        if self._family.pads:
            features, fine = found[0].float(), [one.float() for one in found[1]]
            embeddings = {"image_embeddings": features, "intermediate_embeddings": fine}
            return Seen(embeddings, features, input_hw, crop_hw)
        maps = [one.float() for one in found]
        return Seen({"image_embeddings": maps}, maps[-1], input_hw, crop_hw)

    @torch.inference_mode()
    def decode(self, embedding: Seen, points_xy: NDArray[np.float64]) -> Answers:
        """The masks for each foreground point (N, 2), pixels of the crop."""
        (input_h, input_w), (crop_h, crop_w) = embedding.input_hw, embedding.crop_hw
        scaled = points_xy * (input_w / crop_w, input_h / crop_h)
        points = torch.from_numpy(scaled).to(self._placement.device, torch.float32)
        labels = torch.ones((1, len(points), 1), dtype=torch.int64, device=points.device)
        answer = self._model(
            input_points=points[None, :, None], input_labels=labels, **embedding.embeddings
        )
        masks, ious = answer.pred_masks[0], answer.iou_scores[0].float()
        if self._family.best_only:
            best = ious.argmax(1)
            each = torch.arange(len(best), device=best.device)
            masks, ious = masks[each, best][:, None], ious[each, best][:, None]
        return Answers(masks, ious)

    def enlargement(self, embedding: Seen, size_hw: tuple[int, int] | None = None) -> Enlargement:
        """How small masks become masks of the crop, or of another size: bilinear, in one step or in two."""
        sides = zip(embedding.input_hw, size_hw or embedding.crop_hw, strict=True)
        rows, columns = (
            Resizing.of(self._small_px, self._steps(seen, size), self._placement.device)
            for seen, size in sides
        )
        return Enlargement(rows, columns)

    def _steps(self, seen: int, size: int) -> list[tuple[int, int]]:
        # Padded ones are first brought to the input's size, where the padding is cut off.
        return [(self._input_px, seen), (size, size)] if self._family.pads else [(size, size)]

    def _image_embedding(self, coarsest: Tensor, input_hw: tuple[int, int]) -> ImageEmbedding:
        """The coarsest map, off the device; the resized picture lies at its top left."""
        features = coarsest[0].cpu().float().numpy()
        cell_px = self._input_px / features.shape[-1]
        high, wide = (side / cell_px for side in input_hw)
        return ImageEmbedding(features, (high, wide))


def _side(processor: Any) -> int:
    return int(processor.size["height"])
