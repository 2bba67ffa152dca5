"""A SAM as the engine's mask proposer and image embedder, and as what ``promptable.amg`` prompts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from segment_anything.modeling import Sam
from torch import Tensor
from torch.nn import functional as F

from ssa.batching import BatchLimit
from ssa.config import MaskSettings
from ssa.device import Placement, memory_errors_told
from ssa.models.promptable.amg import generate, no_progress
from ssa.models.promptable.enlarge import Enlargement, Resizing
from ssa.models.sam.checkpoint import load_sam
from ssa.models.sam.decoder import DecodedPoints, Outlook, PointDecoder
from ssa.models.sam.encoder import encode
from ssa.models.shared.pixels import BYTE_MEAN, BYTE_STD, fit_hw, resize_picture
from ssa.stages import Progress
from ssa.types import ImageEmbedding, ProposedMasks, RGBImage

# Numbers that a batch's patches hold: on a CPU what its caches do, on a GPU enough to keep it busy.
PATCH_NUMBERS_AT_ONCE_ON_CPU = 2**22
PATCH_NUMBERS_AT_ONCE = 2**27


@dataclass(frozen=True, slots=True)
class CropEmbedding:
    """A crop as SAM's encoder sees it, ready for any number of prompts.

    ``features`` are the encoder's (1, C, g, g) and ``outlook`` what the decoder makes of them;
    ``input_hw`` is the resized crop's size inside the encoder's square input, ``crop_hw`` the crop's own,
    both in pixels. ``enlargement`` takes the decoder's small masks to the crop's size.
    """

    features: Tensor
    outlook: Outlook
    enlargement: Enlargement
    input_hw: tuple[int, int]
    crop_hw: tuple[int, int]

    @property
    def visible_hw(self) -> tuple[int, int]:
        """Rows and columns of patches that masks of the crop are made of; one is 4 small pixels wide."""
        height, width = self.enlargement.small_hw
        return -(-height // 4), -(-width // 4)


class SamMaskProposer:
    """Proposes masks with a SAM.

    The encoder and the decoder compute in the placement's number type. Two parts stay in float32: the
    prompt encoder takes sines of large multiples of the coordinates, which fewer bits would scramble, and
    the decoder's heads rate and draw.
    """

    mask_threshold = 0.0

    def __init__(self, sam: Sam, placement: Placement) -> None:
        self._placement = placement
        self.sam = sam.to(placement.device).float().eval().requires_grad_(False)
        self.sam.image_encoder.to(placement.dtype)
        self._decoder = PointDecoder(self.sam.mask_decoder, placement.dtype)
        # A point's masks are whole, part and subpart in no fixed order.
        self.granularities: Sequence[int | None] = (None,) * (sam.mask_decoder.num_mask_tokens - 1)
        self._input_px: int = sam.image_encoder.img_size
        self._mean = torch.tensor(BYTE_MEAN, device=placement.device).view(3, 1, 1)
        self._std = torch.tensor(BYTE_STD, device=placement.device).view(3, 1, 1)
        numbers = sam.prompt_encoder.embed_dim * math.prod(sam.prompt_encoder.image_embedding_size)
        self.in_bulk = placement.in_bulk
        at_once = PATCH_NUMBERS_AT_ONCE if self.in_bulk else PATCH_NUMBERS_AT_ONCE_ON_CPU
        self.points_at_once = max(1, at_once // numbers)
        self.points_limit = BatchLimit("points")

    @classmethod
    def load(cls, folder: Path, placement: Placement) -> SamMaskProposer:
        """The SAM in ``folder``: ``model.safetensors``, else the one ``*.pth`` in it.

        Weights of any float type are cast to the placement's. Raises ``WeightsError`` when the folder
        doesn't hold one readable, complete SAM.
        """
        return cls(load_sam(folder), placement)

    def propose(
        self, image: RGBImage, settings: MaskSettings, progress: Progress = no_progress
    ) -> ProposedMasks:
        """Masks of everything in the picture ((H, W, 3) RGB uint8), and what the encoder saw of it.

        There may be no mask; the picture is encoded once for both.
        """
        whole = self.embed(image)
        proposals = generate(self, image, settings, progress, whole)
        fetch = partial(self._image_embedding, whole.features, whole.input_hw)
        return ProposedMasks(proposals, fetch)

    def embed_image(self, image: RGBImage) -> ImageEmbedding:
        """What the encoder sees of a picture ((H, W, 3) RGB uint8) whose masks come from elsewhere."""
        whole = self.embed(image)
        return self._image_embedding(whole.features, whole.input_hw)

    @memory_errors_told
    @torch.inference_mode()
    def embed(self, crop: RGBImage) -> CropEmbedding:
        """Encode a crop (h, w, 3), RGB uint8: long side to the input's, then padded below and right."""
        crop_hw = (crop.shape[0], crop.shape[1])
        input_hw = fit_hw(*crop_hw, self._input_px)
        features = encode(self.sam.image_encoder, self._pixels(crop, input_hw))
        prompts = self.sam.prompt_encoder
        no_mask = prompts.no_mask_embed.weight.view(1, -1, 1, 1)
        outlook = self._decoder.look(features + no_mask, prompts.get_dense_pe())
        enlargement = self._enlargement(input_hw, crop_hw)
        return CropEmbedding(features, outlook, enlargement, input_hw, crop_hw)

    @torch.inference_mode()
    def decode(self, embedding: CropEmbedding, points_xy: NDArray[np.float64]) -> DecodedPoints:
        """Three masks for each foreground point (N, 2), pixels of the crop, over what the crop covers."""
        prompts = self._prompts(embedding, points_xy)
        return self._decoder.decode(embedding.outlook, prompts, embedding.visible_hw)

    def enlargement(
        self, embedding: CropEmbedding, size_hw: tuple[int, int] | None = None
    ) -> Enlargement:
        """How ``decode``'s masks become masks of the crop: bilinear, padding cut off, bilinear again.

        The last step may lead to another size than the crop's.
        """
        return self._enlargement(embedding.input_hw, size_hw) if size_hw else embedding.enlargement

    def _image_embedding(self, features: Tensor, input_hw: tuple[int, int]) -> ImageEmbedding:
        """The encoder's features, off the device; the resized picture lies at their top left."""
        on_host = features[0].cpu().float().numpy()
        patch_px = self._input_px / on_host.shape[-1]
        high, wide = (side / patch_px for side in input_hw)
        return ImageEmbedding(on_host, (high, wide))

    def _pixels(self, crop: RGBImage, input_hw: tuple[int, int]) -> Tensor:
        """The encoder's input (1, 3, S, S)."""
        resized = resize_picture(crop, input_hw, Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(resized).to(self._placement.device).permute(2, 0, 1)
        pixels = (pixels - self._mean) / self._std
        # Zeros after normalisation, as in training: the padding is mean grey.
        padding = (0, self._input_px - input_hw[1], 0, self._input_px - input_hw[0])
        return F.pad(pixels, padding)[None].to(self._placement.dtype)

    def _enlargement(self, input_hw: tuple[int, int], size_hw: tuple[int, int]) -> Enlargement:
        """Masks are four times as fine as the patches, and first brought to the input's size."""
        fine_px = 4 * self.sam.prompt_encoder.image_embedding_size[0]
        rows, columns = (
            Resizing.of(fine_px, [(self._input_px, seen), (size, size)], self._placement.device)
            for seen, size in zip(input_hw, size_hw, strict=True)
        )
        return Enlargement(rows, columns)

    def _prompts(self, embedding: CropEmbedding, points_xy: NDArray[np.float64]) -> Tensor:
        """Tokens (N, 2, C), float32, of points: one says where, one that no box comes with it."""
        (input_h, input_w), (crop_h, crop_w) = embedding.input_hw, embedding.crop_hw
        encoder = self.sam.prompt_encoder
        # Half a pixel on, to the middle of one.
        scaled = points_xy * (input_w / crop_w, input_h / crop_h) + 0.5
        points = torch.from_numpy(scaled).to(self._placement.device)[:, None]
        places = encoder.pe_layer.forward_with_coords(points, encoder.input_image_size)
        foreground = places + encoder.point_embeddings[1].weight
        return torch.cat([foreground, encoder.not_a_point_embed.weight.expand_as(foreground)], 1)
