"""SAM's architecture, read off its weights, and a model of it from segment_anything's modules.

A checkpoint holds tensors and no configuration, but the tensors' shapes tell all of it save one number,
the decoder's head count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)
from torch import Tensor, nn

from ssa.errors import WeightsError
from ssa.models.shared.checkpoints import Shapes
from ssa.models.shared.pixels import BYTE_MEAN, BYTE_STD

# Of all published checkpoints; the one fact that no tensor's shape tells.
PUBLISHED_DECODER_HEADS = 8


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
    shapes = Shapes(state, "SAM")
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
        pixel_mean=list(BYTE_MEAN),
        pixel_std=list(BYTE_STD),
    )
    return sam.eval()


def _attention_plan(shapes: Shapes, depth: int, grid: int) -> tuple[int, tuple[int, ...], int]:
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


def _decoder_sizes(shapes: Shapes) -> dict[str, int]:
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
