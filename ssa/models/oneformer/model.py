"""The whole model for one picture and one task, around the weights of transformers' own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ssa.models.oneformer.pixel_decoder import PixelDecoder
from ssa.models.oneformer.query_decoder import QueryDecoder
from ssa.models.shared.backbone import quick_backbone


class OneFormer(nn.Module):
    """Says what ``OneFormerForUniversalSegmentation`` says, up to rounding; it takes that one apart.

    The backbone, which is most of the work, computes in ``dtype``. The rest is float32: fewer bits could not
    tell neighbouring places apart where features are sampled.
    """

    def __init__(self, plain: Any, task: Tensor, dtype: torch.dtype) -> None:
        """``task`` (1, tokens) are the numbers of the words that say what is asked for."""
        super().__init__()
        pixels = plain.model.pixel_level_module
        self.pixel_decoder = PixelDecoder(pixels.decoder)
        self.query_decoder = QueryDecoder(
            plain.model.transformer_module, plain.model.task_encoder(task.float())
        )
        self.backbone = quick_backbone(pixels.encoder, dtype)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(1, 3, H, W) in the backbone's number type to classes (Q, C + 1) and masks (Q, h, w), as logits."""
        maps = [each.float() for each in self.backbone(pixels).feature_maps]
        classes, masks = self.query_decoder(self.pixel_decoder(maps))
        return classes, masks
