"""SAM (arXiv 2304.02643) as a mask proposer, of any size: the architecture is read off the weights.

A checkpoint holds tensors and no configuration, but the tensors' shapes tell all of it save one number,
the decoder's head count, which a ``config.json`` beside the weights may give.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.amg import generate, no_progress
from ssa.config import MaskSettings
from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.pretrained import shown
from ssa.stages import Progress
from ssa.types import MaskProposal, RGBImage

logger = logging.getLogger(__name__)

# Of all published checkpoints; the one fact that no tensor's shape tells.
PUBLISHED_DECODER_HEADS = 8

# ImageNet's mean and deviation on the 0 to 255 scale, red, green, blue: as SAM was trained.
PIXEL_MEAN = [123.675, 116.28, 103.53]
PIXEL_STD = [58.395, 57.12, 57.375]


@dataclass(frozen=True, slots=True)
class SamArchitecture:
    """Everything that sizes a SAM; the defaults are what ViT-B, L and H have in common.

    ``image_size`` and ``patch_size`` are pixels, ``window_size`` is patches (0: no windowed block) and
    ``global_blocks`` numbers the encoder blocks that attend to the whole grid. Relative positions and
    a bias on qkv are always there, as in every published SAM.
    """

    embed_dim: int
    depth: int
    num_heads: int
    global_blocks: tuple[int, ...]
    encoder_mlp_dim: int
    image_size: int = 1024
    patch_size: int = 16
    window_size: int = 14
    prompt_dim: int = 256
    mask_in_chans: int = 16
    decoder_depth: int = 2
    decoder_num_heads: int = PUBLISHED_DECODER_HEADS
    decoder_mlp_dim: int = 2048
    attention_downsample_rate: int = 2
    num_mask_tokens: int = 4
    iou_head_depth: int = 3
    iou_head_dim: int = 256

    @property
    def grid_size(self) -> int:
        """Patches along one side of the input."""
        return self.image_size // self.patch_size


def architecture_of(
    state: Mapping[str, Tensor], decoder_num_heads: int = PUBLISHED_DECODER_HEADS
) -> SamArchitecture:
    """The architecture whose ``state_dict`` this is, from names and shapes alone.

    Raises ``WeightsError`` when a tensor it needs is missing or the shapes are no SAM's.
    """
    shapes = _Shapes(state)
    embed_dim, _, patch_size, _ = shapes.of("image_encoder.patch_embed.proj.weight", 4)
    _, grid, grid_w, _ = shapes.of("image_encoder.pos_embed", 4)
    if grid != grid_w:
        raise WeightsError(f"SAM weights: expected a square grid of patches, got {grid}x{grid_w}")
    depth = shapes.count("image_encoder.blocks.")
    window_size, global_blocks, head_dim = _attention_plan(shapes, depth, grid)
    if embed_dim % head_dim:
        raise WeightsError(
            f"SAM weights: {embed_dim} channels don't split into heads of {head_dim}"
        )
    return SamArchitecture(
        image_size=grid * patch_size,
        patch_size=patch_size,
        embed_dim=embed_dim,
        depth=depth,
        num_heads=embed_dim // head_dim,
        window_size=window_size,
        global_blocks=global_blocks,
        encoder_mlp_dim=shapes.of("image_encoder.blocks.0.mlp.lin1.weight", 2)[0],
        **_decoder_sizes(shapes),
        decoder_num_heads=decoder_num_heads,
    )


def build(architecture: SamArchitecture) -> Sam:
    """A SAM of this architecture with fresh random weights, in eval mode, on the default device."""
    a = architecture
    _check_decoder_heads(a)
    sam = Sam(
        image_encoder=_build_image_encoder(a),
        prompt_encoder=PromptEncoder(
            embed_dim=a.prompt_dim,
            image_embedding_size=(a.grid_size, a.grid_size),
            input_image_size=(a.image_size, a.image_size),
            mask_in_chans=a.mask_in_chans,
        ),
        mask_decoder=_build_mask_decoder(a),
        pixel_mean=PIXEL_MEAN,
        pixel_std=PIXEL_STD,
    )
    return sam.eval()


@dataclass(frozen=True, slots=True)
class CropEmbedding:
    """A crop as SAM's encoder sees it, ready for any number of prompts.

    ``features`` and ``image_pe`` are (1, C, g, g); ``input_hw`` is the resized crop's size inside the
    encoder's square input, ``crop_hw`` the crop's own, both in pixels.
    """

    features: Tensor
    image_pe: Tensor
    input_hw: tuple[int, int]
    crop_hw: tuple[int, int]


class SamMaskProposer:
    """Proposes masks with a SAM; also the promptable model that ``ssa.amg`` asks.

    The encoder and the decoder compute in the placement's number type. The prompt encoder stays in
    float32: it takes sines of large multiples of the coordinates, which fewer bits would scramble.
    """

    mask_threshold = 0.0

    def __init__(self, sam: Sam, placement: Placement) -> None:
        self._placement = placement
        self.sam = sam.to(placement.device).float().eval().requires_grad_(False)
        self.sam.image_encoder.to(placement.dtype)
        self.sam.mask_decoder.to(placement.dtype)
        self._input_px: int = sam.image_encoder.img_size
        self._mean = torch.tensor(PIXEL_MEAN, device=placement.device).view(3, 1, 1)
        self._std = torch.tensor(PIXEL_STD, device=placement.device).view(3, 1, 1)

    @classmethod
    def load(cls, folder: Path, placement: Placement) -> SamMaskProposer:
        """The SAM in ``folder``: ``model.safetensors``, else the one ``*.pth`` in it.

        Weights of any float type are cast to the placement's. Raises ``WeightsError`` when the folder
        doesn't hold one readable, complete SAM.
        """
        path = _weights_file(folder)
        state = _read_state(path)
        architecture = architecture_of(state, _decoder_heads_beside(path))
        logger.debug("SAM from %s: %s", path.name, architecture)
        return cls(_with_weights(architecture, state, path), placement)

    def propose(
        self, image: RGBImage, settings: MaskSettings, progress: Progress = no_progress
    ) -> tuple[MaskProposal, ...]:
        """Masks of everything in the picture ((H, W, 3) RGB uint8); none found is an empty tuple."""
        return generate(self, image, settings, progress)

    @torch.inference_mode()
    def embed(self, crop: RGBImage) -> CropEmbedding:
        """Encode a crop (h, w, 3), RGB uint8: long side to the input's, then padded below and right."""
        height, width = crop.shape[:2]
        input_hw = _fit_hw(height, width, self._input_px)
        resized = Image.fromarray(crop).resize(input_hw[::-1], Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(resized)).to(self._placement.device).permute(2, 0, 1)
        pixels = (pixels - self._mean) / self._std
        # Zeros after normalisation, as in training: the padding is mean grey.
        pixels = F.pad(pixels, (0, self._input_px - input_hw[1], 0, self._input_px - input_hw[0]))
        features = self.sam.image_encoder(pixels[None].to(self._placement.dtype))
        image_pe = self.sam.prompt_encoder.get_dense_pe().to(self._placement.dtype)
        return CropEmbedding(features, image_pe, input_hw, (height, width))

    @torch.inference_mode()
    def decode(
        self, embedding: CropEmbedding, points_xy: NDArray[np.float64]
    ) -> tuple[Tensor, Tensor]:
        """Three masks for each foreground point.

        ``points_xy`` is (N, 2), pixels of the crop. Returns logits (N, 3, 4g, 4g) over the encoder's
        padded input and predicted IoUs (N, 3), both float32 on the device.
        """
        dtype = self._placement.dtype
        sparse, dense = self.sam.prompt_encoder(
            points=self._prompts(embedding, points_xy), boxes=None, masks=None
        )
        logits, ious = self.sam.mask_decoder(
            image_embeddings=embedding.features,
            image_pe=embedding.image_pe,
            sparse_prompt_embeddings=sparse.to(dtype),
            dense_prompt_embeddings=dense.to(dtype),
            multimask_output=True,
        )
        return logits.float(), ious.float()

    @torch.inference_mode()
    def upscale(self, embedding: CropEmbedding, logits: Tensor) -> Tensor:
        """Logits (M, 4g, 4g) of ``decode`` → (M, h, w), the crop's size, bilinear, padding cut off."""
        input_hw = embedding.input_hw
        full = F.interpolate(
            logits[:, None], (self._input_px, self._input_px), mode="bilinear", align_corners=False
        )
        visible = full[..., : input_hw[0], : input_hw[1]]
        resized = F.interpolate(visible, embedding.crop_hw, mode="bilinear", align_corners=False)
        return resized[:, 0]

    def _prompts(
        self, embedding: CropEmbedding, points_xy: NDArray[np.float64]
    ) -> tuple[Tensor, Tensor]:
        """Points (N, 1, 2) in pixels of the encoder's input, and their labels: all foreground."""
        (input_h, input_w), (crop_h, crop_w) = embedding.input_hw, embedding.crop_hw
        scaled = points_xy * (input_w / crop_w, input_h / crop_h)
        points = torch.from_numpy(scaled).to(self._placement.device)[:, None]
        return points, torch.ones(points.shape[:2], dtype=torch.int, device=points.device)


class _Shapes:
    """Shapes of a state dict's tensors, with errors that name what is missing."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self._shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}

    def of(self, name: str, ndim: int) -> tuple[int, ...]:
        """The shape of one tensor, which must have ``ndim`` dimensions, none of them empty."""
        if name not in self._shapes:
            raise WeightsError(
                f"SAM weights: tensor {name!r} is missing; is this a SAM checkpoint?"
            )
        shape = self._shapes[name]
        if len(shape) != ndim or 0 in shape:
            raise WeightsError(f"SAM weights: {name!r} should have {ndim} dimensions, got {shape}")
        return shape

    def count(self, prefix: str) -> int:
        """How many numbered modules follow ``prefix`` ("blocks." → 12 for blocks.0 to blocks.11)."""
        rest = (name[len(prefix) :] for name in self._shapes if name.startswith(prefix))
        numbers = {part for name in rest if (part := name.split(".", 1)[0]).isdecimal()}
        if not numbers:
            raise WeightsError(f"SAM weights: no tensor {prefix}*; is this a SAM checkpoint?")
        return len(numbers)


def _attention_plan(shapes: _Shapes, depth: int, grid: int) -> tuple[int, tuple[int, ...], int]:
    """Window size (0 for none), the global blocks, and a head's channels.

    A block that attends over ``s`` patches a side has 2 s - 1 relative positions, so a table as long
    as the grid's marks a global block and any other tells the window. (A window of the whole grid is
    a global block by another name.)
    """
    tables = [
        shapes.of(f"image_encoder.blocks.{i}.attn.rel_pos_w", 2)  # (2 s - 1, channels of a head)
        for i in range(depth)
    ]
    spans = [(length + 1) // 2 for length, _ in tables]
    windows = {span for span in spans if span != grid}
    if len(windows) > 1:
        raise WeightsError(f"SAM weights: expected one window size, got {sorted(windows)}")
    global_blocks = tuple(i for i, span in enumerate(spans) if span == grid)
    return windows.pop() if windows else 0, global_blocks, tables[0][1]


def _decoder_sizes(shapes: _Shapes) -> dict[str, int]:
    """The fields of ``SamArchitecture`` that size the prompt encoder and the decoder."""
    layer = "mask_decoder.transformer.layers.0"
    prompt_dim = shapes.of("prompt_encoder.no_mask_embed.weight", 2)[1]
    inner_dim = shapes.of(f"{layer}.cross_attn_token_to_image.q_proj.weight", 2)[0]
    return {
        "prompt_dim": prompt_dim,
        "mask_in_chans": shapes.of("prompt_encoder.mask_downscaling.3.weight", 4)[0],
        "decoder_depth": shapes.count("mask_decoder.transformer.layers."),
        "decoder_mlp_dim": shapes.of(f"{layer}.mlp.lin1.weight", 2)[0],
        "attention_downsample_rate": prompt_dim // inner_dim,
        "num_mask_tokens": shapes.of("mask_decoder.mask_tokens.weight", 2)[0],
        "iou_head_depth": shapes.count("mask_decoder.iou_prediction_head.layers."),
        "iou_head_dim": shapes.of("mask_decoder.iou_prediction_head.layers.0.weight", 2)[0],
    }


def _check_decoder_heads(a: SamArchitecture) -> None:
    inner_dim = a.prompt_dim // a.attention_downsample_rate
    if inner_dim % a.decoder_num_heads:
        raise WeightsError(
            f"SAM's decoder: {inner_dim} channels don't split into {a.decoder_num_heads} heads; "
            'say how many there are in config.json: {"decoder_num_heads": N}'
        )


def _build_image_encoder(a: SamArchitecture) -> nn.Module:
    encoder: nn.Module = ImageEncoderViT(
        img_size=a.image_size,
        patch_size=a.patch_size,
        embed_dim=a.embed_dim,
        depth=a.depth,
        num_heads=a.num_heads,
        # The class computes int(dim * ratio); half a channel more keeps the rounding right.
        mlp_ratio=(a.encoder_mlp_dim + 0.5) / a.embed_dim,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        qkv_bias=True,
        use_rel_pos=True,
        window_size=a.window_size,
        global_attn_indexes=a.global_blocks,
        out_chans=a.prompt_dim,
    )
    return encoder


def _build_mask_decoder(a: SamArchitecture) -> nn.Module:
    decoder: nn.Module = MaskDecoder(
        transformer_dim=a.prompt_dim,
        transformer=TwoWayTransformer(
            depth=a.decoder_depth,
            embedding_dim=a.prompt_dim,
            num_heads=a.decoder_num_heads,
            mlp_dim=a.decoder_mlp_dim,
            attention_downsample_rate=a.attention_downsample_rate,
        ),
        # One token more than outputs: the first is for prompts that aren't ambiguous.
        num_multimask_outputs=a.num_mask_tokens - 1,
        iou_head_depth=a.iou_head_depth,
        iou_head_hidden_dim=a.iou_head_dim,
    )
    return decoder


def _weights_file(folder: Path) -> Path:
    safe = folder / "model.safetensors"
    if safe.is_file():
        return safe
    pickled = sorted(folder.glob("*.pth"))
    if len(pickled) != 1:
        found = ", ".join(p.name for p in pickled) or "neither"
        raise WeightsError(
            f"{shown(folder)}: expected model.safetensors or one *.pth file, found {found}"
        )
    return pickled[0]


def _read_state(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # weights_only: a pickle may run code when it is read in full.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # The unpickler meets rubbish with errors of almost any kind.
        reason = str(error).replace(str(path), shown(path))
        raise WeightsError(f"{shown(path)}: can't be read as tensors: {reason}") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{shown(path)}: expected a mapping from names to tensors")
    return state


def _decoder_heads_beside(path: Path) -> int:
    """``decoder_num_heads`` of the folder's ``config.json``; the published models' without one."""
    config_path = path.with_name("config.json")
    if not config_path.is_file():
        return PUBLISHED_DECODER_HEADS
    try:
        config: Any = json.loads(config_path.read_text(encoding="utf-8"))
        heads = config.get("decoder_num_heads", PUBLISHED_DECODER_HEADS)
    except (ValueError, AttributeError) as error:
        raise WeightsError(f"{shown(config_path)}: expected a JSON object: {error}") from error
    if type(heads) is not int or heads < 1:
        raise WeightsError(
            f"{shown(config_path)}: decoder_num_heads must be a positive int, got {heads!r}"
        )
    return heads


def _with_weights(architecture: SamArchitecture, state: dict[str, Tensor], path: Path) -> Sam:
    # On the meta device nothing is allocated or drawn at random; the tensors then move in as they are.
    with torch.device("meta"):
        sam = build(architecture)
    _check_complete(sam.state_dict(), state, path)
    sam.load_state_dict(state, strict=True, assign=True)
    # Not part of a state dict, so still without values.
    sam.pixel_mean = torch.tensor(PIXEL_MEAN, device="cpu").view(3, 1, 1)
    sam.pixel_std = torch.tensor(PIXEL_STD, device="cpu").view(3, 1, 1)
    return sam


def _check_complete(expected: Mapping[str, Tensor], got: Mapping[str, Tensor], path: Path) -> None:
    misshapen = [
        f"{name} {tuple(got[name].shape)} for {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in got and got[name].shape != tensor.shape
    ]
    faults = {
        "missing": sorted(expected.keys() - got.keys()),
        "unexpected": sorted(got.keys() - expected.keys()),
        "of the wrong shape": misshapen,
    }
    told = [f"{len(names)} {what} ({_a_few(names)})" for what, names in faults.items() if names]
    if told:
        raise WeightsError(f"{shown(path)}: not a whole SAM: tensors {'; '.join(told)}")


def _a_few(names: list[str], shown: int = 4) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _fit_hw(height: int, width: int, side_px: int) -> tuple[int, int]:
    """The size whose long side is ``side_px``, to the nearest pixel, and at least one either way."""
    scale = side_px / max(height, width)
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))
