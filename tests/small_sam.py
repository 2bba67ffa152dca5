"""Small SAMs for tests: one of random weights, and one whose masks are blobs where the points are.

A random decoder answers every point with noise over the whole picture, so next to nothing outlives
non-maximum suppression. The blob decoder gives masks worth filtering, through all the rest of a real SAM.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from segment_anything.modeling import Sam
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.device import Placement
from ssa.models.sam import CropEmbedding, SamArchitecture, SamMaskProposer, build
from ssa.types import RGBImage

CPU = Placement(torch.device("cpu"), torch.float32)

SMALL = SamArchitecture(
    image_size=128,
    patch_size=8,
    embed_dim=32,
    depth=3,
    num_heads=2,
    window_size=6,
    global_blocks=(1,),
    encoder_mlp_dim=80,
    prompt_dim=32,
    mask_in_chans=8,
    decoder_depth=1,
    decoder_num_heads=2,
    decoder_mlp_dim=48,
    attention_downsample_rate=1,
    iou_head_depth=2,
    iou_head_dim=24,
)


class BlobDecoder(nn.Module):
    """Masks of three sizes around the point, frayed by what the encoder saw; needs no training.

    The inner product of two positional codes falls with the distance of their places: a bump at the point.
    """

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
    ) -> tuple[Tensor, Tensor]:
        """As ``MaskDecoder``: logits (N, 3, 4g, 4g) and predicted IoUs (N, 3)."""
        bump = torch.einsum("nc,bchw->nhw", sparse_prompt_embeddings[:, 0], image_pe)
        bump = bump / (image_pe.shape[1] / 2)  # 1 at the point
        height = torch.tensor([0.8, 0.55, 0.2]).view(3, 1, 1)
        logits = 15 * (bump[:, None] - height) + 2.5 * image_embeddings[0, :3]
        # From -0.2 to 1, different for each point and size.
        ious = 0.4 + 0.6 * torch.sin(40 * sparse_prompt_embeddings[:, 0, :3])
        return F.interpolate(logits, scale_factor=4, mode="bicubic", align_corners=False), ious


def random_sam(architecture: SamArchitecture = SMALL, seed: int = 0) -> Sam:
    """A whole SAM with random weights, its relative and absolute positions included."""
    torch.manual_seed(seed)
    sam = build(architecture)
    with torch.no_grad():
        for parameter in sam.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, parameter[0].numel() ** -0.5)
    return sam


def blob_sam() -> Sam:
    """A SAM of a real encoder and prompt encoder, random, and the blob decoder."""
    sam = _sam_with_broad_codes()
    sam.mask_decoder = BlobDecoder()
    return sam


def _sam_with_broad_codes() -> Sam:
    sam = random_sam()
    codes = sam.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
    codes.mul_(1.2 / codes.std())
    nn.init.zeros_(sam.prompt_encoder.point_embeddings[1].weight)
    return sam


@dataclass(frozen=True)
class Answers:
    """All masks of N points, drawn beforehand: (N, K, a, b) and (N, K)."""

    masks: Tensor
    ious: Tensor

    def logits(self, points: Tensor, outputs: Tensor) -> Tensor:
        return self.masks[points, outputs]


class BlobProposer(SamMaskProposer):
    """Ours over ``blob_sam``: only the decoder's own way through its weights is replaced."""

    def __init__(self) -> None:
        super().__init__(_sam_with_broad_codes(), CPU)

    @torch.inference_mode()
    def decode(self, embedding: CropEmbedding, points_xy: NDArray[np.float64]) -> Answers:
        prompts = self._prompts(embedding, points_xy)
        places = self.sam.prompt_encoder.get_dense_pe()
        return Answers(*BlobDecoder()(embedding.features, places, prompts, prompts, True))


def save_small(folder: Path, state: dict[str, Tensor], heads: int | None = 2) -> Path:
    """A checkpoint's folder, with or without the decoder's head count; returns it."""
    save_file(state, folder / "model.safetensors")
    if heads is not None:
        (folder / "config.json").write_text(json.dumps({"decoder_num_heads": heads}))
    return folder


def drawn_picture(height: int = 150, width: int = 200) -> RGBImage:
    """A red disc and a green box before a blue sky, RGB."""
    picture = np.full((height, width, 3), (90, 160, 220), np.uint8)
    cv2.circle(picture, (width * 3 // 10, height // 2), height // 4, (200, 40, 30), -1)
    cv2.rectangle(
        picture, (width * 55 // 100, height // 2), (width * 9 // 10, height - 10), (40, 120, 50), -1
    )
    return picture
