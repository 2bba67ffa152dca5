"""Semantic-SAM (Li et al. 2023, arXiv:2307.04767): its sizes, read off its weights, and the whole model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ssa.models.semantic_sam.attention import LEVELS, POINTS
from ssa.models.semantic_sam.click_decoder import Answers, ClickDecoder
from ssa.models.semantic_sam.pixel_decoder import Features, PixelDecoder
from ssa.models.shared.checkpoints import Shapes
from ssa.models.shared.swin import Swin

# Sides of the padded picture are multiples of this.
STRIDE_PX = 32


@dataclass(frozen=True, slots=True)
class SemanticSamArchitecture:
    """Everything that sizes a Semantic-SAM; the defaults are what Swin-T's and Swin-L's have in common.

    ``embed_dim``, ``depths``, ``num_heads`` and ``mlp_ratio`` are the backbone's, ``window_size`` the side of
    its windows in patches; ``hidden_dim`` is the width of both decoders, a multiple of 32.
    """

    embed_dim: int
    depths: tuple[int, ...]
    num_heads: tuple[int, ...]
    window_size: int
    mlp_ratio: float = 4.0
    hidden_dim: int = 256
    mask_dim: int = 256
    heads: int = 8
    encoder_layers: int = 6
    encoder_ffn_dim: int = 2048
    decoder_layers: int = 9
    decoder_ffn_dim: int = 2048
    mask_tokens: int = 6


class SemanticSam(nn.Module):
    """Looks at pictures once, then answers any number of clicks with six masks each."""

    def __init__(self, architecture: SemanticSamArchitecture) -> None:
        super().__init__()
        a = architecture
        widths = [a.embed_dim * 2**stage for stage in range(len(a.depths))]
        mlp_dims = [int(width * a.mlp_ratio) for width in widths]
        self.backbone = Swin(a.embed_dim, a.depths, a.num_heads, a.window_size, mlp_dims)
        self.pixel_decoder = PixelDecoder(
            widths, a.hidden_dim, a.mask_dim, a.heads, a.encoder_layers, a.encoder_ffn_dim
        )
        self.decoder = ClickDecoder(
            a.hidden_dim, a.mask_dim, a.heads, a.decoder_layers, a.decoder_ffn_dim, a.mask_tokens
        )

    def look(self, pixels: Tensor) -> Features:
        """Normalised pixels (B, 3, H, W), sides multiples of 32, to the features that clicks need."""
        # The backbone may compute in fewer bits, the rest may not.
        features: Features = self.pixel_decoder([each.float() for each in self.backbone(pixels)])
        return features

    def answer(
        self,
        features: Features,
        boxes: Tensor,
        isolate_clicks: bool = True,
        prompt_kinds: Tensor | None = None,
    ) -> Answers:
        """Masks for prompts (B, N, 4); see ``ClickDecoder.forward``."""
        outlook = self.decoder.look(features)
        answers: Answers = self.decoder(outlook, boxes, isolate_clicks, prompt_kinds)
        return answers

    def answer_every_layer(self, features: Features, boxes: Tensor) -> list[Answers]:
        """The answers after each layer of the decoder, first to last; for training."""
        return self.decoder.every_layer(self.decoder.look(features), boxes)


def build(architecture: SemanticSamArchitecture) -> SemanticSam:
    """A model of this architecture with fresh random weights, in eval mode, on the default device."""
    return SemanticSam(architecture).eval()


def architecture_of(state: Mapping[str, Tensor]) -> SemanticSamArchitecture:
    """The architecture whose ``state_dict`` this is (our names), from names and shapes alone.

    Raises ``WeightsError`` when a tensor it needs is missing or the shapes are no Semantic-SAM's.
    """
    shapes = Shapes(state, "Semantic-SAM")
    embed_dim = shapes.of("backbone.patch_embed.proj.weight", 4)[0]
    stages = shapes.count("backbone.layers.")
    tables = [
        shapes.of(f"backbone.layers.{stage}.blocks.0.attn.relative_position_bias_table", 2)
        for stage in range(stages)
    ]
    hidden_dim = shapes.of("pixel_decoder.transformer.level_embed", 2)[1]
    first_encoder = "pixel_decoder.transformer.encoder.layers.0"
    return SemanticSamArchitecture(
        embed_dim=embed_dim,
        depths=tuple(shapes.count(f"backbone.layers.{stage}.blocks.") for stage in range(stages)),
        num_heads=tuple(heads for _, heads in tables),
        # A window of s has (2 s - 1)² distances.
        window_size=(math.isqrt(tables[0][0]) + 1) // 2,
        mlp_ratio=shapes.of("backbone.layers.0.blocks.0.mlp.fc1.weight", 2)[0] / embed_dim,
        hidden_dim=hidden_dim,
        mask_dim=shapes.of("pixel_decoder.mask_features.weight", 4)[0],
        heads=shapes.of(f"{first_encoder}.self_attn.attention_weights.weight", 2)[0]
        // (LEVELS * POINTS),
        encoder_layers=shapes.count("pixel_decoder.transformer.encoder.layers."),
        encoder_ffn_dim=shapes.of(f"{first_encoder}.linear1.weight", 2)[0],
        decoder_layers=shapes.count("decoder.layers."),
        decoder_ffn_dim=shapes.of("decoder.layers.0.linear1.weight", 2)[0],
        mask_tokens=shapes.of("decoder.mask_tokens.weight", 2)[0],
    )
