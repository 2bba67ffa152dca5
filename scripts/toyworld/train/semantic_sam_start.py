"""Weights that a miniature Semantic-SAM begins with, so that it learns in an hour what takes others days."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.models.semantic_sam import SemanticSam
from ssa.models.semantic_sam.attention import LEVELS, POINTS, DeformableAttention
from ssa.models.semantic_sam.pixel_decoder import MapLayer

# Of a map's positional code, the sine of one full turn from top to bottom, and of one from left to right;
# the cosine follows each. The second half of the code is for the columns.
DOWN: Final = 0
# Directions, in degrees of that turn, in which the heads of the last map layer tell places apart.
ACROSS_PHASES, DOWN_PHASES = (0, 36, 72, 108, 144), (0, 60, 120)
STEEPNESS = 4.0
CODE_SIZE = 3.0


def prepare(net: SemanticSam) -> None:
    """Offsets that look all around (Zhu et al. 2020), boxes that begin where they are, a sense of place."""
    for module in net.modules():
        if isinstance(module, DeformableAttention):
            look_around(module)
            module.read = read_by_sampling
    last = cast(nn.Linear, net.decoder.bbox_embed.layers[-1])
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    tell_places(net)


def look_around(attention: DeformableAttention) -> None:
    """Each head begins with a direction of its own, each point a step further along it."""
    nn.init.zeros_(attention.sampling_offsets.weight)
    nn.init.zeros_(attention.attention_weights.weight)
    nn.init.zeros_(attention.attention_weights.bias)
    angles = torch.arange(attention.heads) * (2 * math.pi / attention.heads)
    directions = torch.stack([angles.cos(), angles.sin()], -1)
    directions /= directions.abs().amax(-1, keepdim=True)
    steps = torch.arange(1, POINTS + 1).view(1, 1, POINTS, 1)
    bias = (directions[:, None, None] * steps).expand(-1, LEVELS, -1, -1)
    attention.sampling_offsets.bias.data.copy_(bias.flatten())
    for projection in (attention.value_proj, attention.output_proj):
        nn.init.xavier_uniform_(projection.weight)
        nn.init.zeros_(projection.bias)


@torch.no_grad()
def tell_places(net: SemanticSam) -> None:
    """Let the last map layer begin by telling where in the picture a cell is.

    Mask features must say it, or windows alike in a row are one mask; but in Semantic-SAM places enter only
    where attention looks and how it weighs, and from nothing that is learnt very slowly: for a gradient,
    weights would have to depend on the place and values to differ, and neither does at first. So each head
    gets four points outside of the picture, where there is nothing, which weigh much on one side of the
    picture and little on the other, and one value that is the same everywhere inside.
    """
    transformer = net.pixel_decoder.transformer
    *_, before, layer = cast(Iterable[MapLayer], transformer.encoder.layers)
    attention = layer.self_attn
    dim, heads = attention.value_proj.in_features, attention.heads
    columns = dim // 2
    turns = [(columns, phase) for phase in ACROSS_PHASES] + [(DOWN, phase) for phase in DOWN_PHASES]
    # There the query is the positional code alone.
    pure = [DOWN, DOWN + 1, columns, columns + 1]
    transformer.level_embed[:, pure] = 0
    before.norm2.weight[pure] = 0
    weights = attention.attention_weights.weight.view(heads, LEVELS, POINTS, dim)
    weights.zero_()
    for head, (sine, phase) in enumerate(turns[:heads]):
        weights[head, -1, :, sine] = STEEPNESS * math.cos(math.radians(phase))
        weights[head, -1, :, sine + 1] = STEEPNESS * math.sin(math.radians(phase))
    # At a turn's zero the points outside weigh as much as the others together.
    attention.attention_weights.bias.view(heads, LEVELS, POINTS)[:, -1] = math.log(LEVELS - 1)
    attention.sampling_offsets.bias.view(heads, LEVELS, POINTS, 2)[:, -1] = 64.0
    attention.value_proj.weight.mul_(0.3).view(heads, -1, dim)[:, 0] = 0
    attention.value_proj.bias.view(heads, -1)[:, 0] = 2.0
    directions = torch.linalg.qr(torch.randn(dim, heads))[0] * CODE_SIZE
    attention.output_proj.weight.mul_(0.3).view(dim, heads, -1)[:, :, 0] = directions
    attention.output_proj.bias.copy_(-directions.sum(1))
    layer.linear2.weight.mul_(0.1)
    nn.init.zeros_(layer.linear2.bias)


def read_by_sampling(
    values: Tensor, sizes_hw: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor
) -> Tensor:
    """What ``ssa.models.shared.deformable.deformable_attention`` gives, with PyTorch's own sampling.

    It writes out what is read at each place, but on the CPU its backward pass is five times as fast.
    """
    batch, _, heads, channels = values.shape
    maps = torch.split(values, [height * width for height, width in sizes_hw], dim=1)
    read = []
    for level, (each, (height, width)) in enumerate(zip(maps, sizes_hw, strict=True)):
        picture = each.permute(0, 2, 3, 1).reshape(batch * heads, channels, height, width)
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).flatten(0, 1)
        read.append(F.grid_sample(picture.float(), grid.float(), align_corners=False))
    joined = torch.stack(read, dim=-2).flatten(-2)  # (B·heads, C, Q, L·P)
    shares = weights.flatten(3).transpose(1, 2).flatten(0, 1)[:, None]
    summed = (joined * shares).sum(-1)
    return summed.view(batch, heads * channels, -1).transpose(1, 2)
