"""From clicks to masks: six queries a click, one for each granularity, that refine a box as they look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.models.semantic_sam.attention import DeformableAttention, Sizes
from ssa.models.semantic_sam.pixel_decoder import Features, waves

# Boxes are moved as logits; this keeps those at the border finite.
LOGIT_EPS = 1e-5


@dataclass(frozen=True, slots=True)
class Answers:
    """K masks for each of N clicks, one a mask token.

    ``mask_embeddings`` (B, N, K, C): a mask's logits are the inner product with ``Features.mask_features``.
    ``scores`` (B, N, K) are the model's own estimate of each mask's IoU, about 0 to 1, not clipped.
    ``boxes`` (B, N, K, 4) are centre and size, from 0 to 1 across the padded picture.
    """

    mask_embeddings: Tensor
    scores: Tensor
    boxes: Tensor

    def masks(self, features: Features) -> Tensor:
        """Logits (B, N, K, H / 4, W / 4) of all of them."""
        return torch.einsum("bnkc,bchw->bnkhw", self.mask_embeddings, features.mask_features)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the decoder's layers look at: each layer's values (B, S, heads, d), the same for all clicks."""

    values: tuple[Tensor, ...]
    sizes_hw: tuple[tuple[int, int], ...]


class ClickDecoder(nn.Module):
    """Layers of self-attention among a click's queries, and of looking at the picture around their boxes."""

    def __init__(
        self, dim: int, mask_dim: int, heads: int, layers: int, ffn_dim: int, tokens: int
    ) -> None:
        super().__init__()
        self.dim = dim
        self.layers = nn.ModuleList(_Layer(dim, heads, ffn_dim) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.ref_point_head = _Mlp(2 * dim, dim, dim, depth=2)
        self.bbox_embed = _Mlp(dim, dim, 4, depth=3)
        self.mask_embed = _Mlp(dim, dim, mask_dim, depth=3)
        self.iou_prediction_head = _Mlp(dim, dim, 1, depth=3)
        self.mask_tokens = nn.Embedding(tokens, dim)
        self.pb_embedding = nn.Embedding(2, dim)
        self.label_enc = nn.Embedding(2, dim)

    def look(self, features: Features) -> Outlook:
        """What of a picture is the same for all clicks."""
        values = tuple(layer.look_at(features.memory) for layer in self._each_layer())
        return Outlook(values, features.sizes_hw)

    def forward(
        self,
        outlook: Outlook,
        boxes: Tensor,
        isolate_clicks: bool = True,
        prompt_kinds: Tensor | None = None,
    ) -> Answers:
        """Boxes (B, N, 4), centre and size from 0 to 1 across the padded picture, to answers.

        ``isolate_clicks``: each click's queries see one another only, so an answer doesn't depend on what
        else was asked. ``prompt_kinds`` (B, N) is 0 for points, 1 for boxes; 0 where left out.
        """
        *_, last = self._layers(outlook, boxes, isolate_clicks, prompt_kinds)
        return self._answers(*last)

    def every_layer(self, outlook: Outlook, boxes: Tensor) -> list[Answers]:
        """The answers after each layer, first to last, of isolated clicks; for training."""
        return [self._answers(*each) for each in self._layers(outlook, boxes, True, None)]

    def _layers(
        self, outlook: Outlook, boxes: Tensor, isolate: bool, kinds: Tensor | None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Each layer's queries (B, N, K, C) and the boxes (B, N, K, 4) that it looked around."""
        clicks = boxes.shape[1]
        tokens = self.mask_tokens.num_embeddings
        kinds = torch.zeros_like(boxes[..., 0], dtype=torch.long) if kinds is None else kinds
        prompts = self.label_enc.weight[0] + self.pb_embedding(kinds)  # (B, N, C)
        x = (prompts[:, :, None] + self.mask_tokens.weight).flatten(1, 2)
        references = _logits(boxes).sigmoid().repeat_interleave(tokens, dim=1)
        groups = clicks if isolate else 1
        apart = (len(boxes), clicks, tokens)
        for layer, values in zip(self._each_layer(), outlook.values, strict=True):
            position = self.ref_point_head(_box_codes(references, self.dim // 2))
            x = layer(x, position, references, values, outlook.sizes_hw, groups)
            yield x.view(*apart, -1), references.view(*apart, 4)
            # Cut off as in training: each layer learns its own step.
            references = self._refined(x, references).detach()

    def _each_layer(self) -> list[_Layer]:
        return list(self.layers)  # type: ignore[arg-type]

    def _refined(self, x: Tensor, boxes: Tensor) -> Tensor:
        refined: Tensor = (self.bbox_embed(x) + _logits(boxes)).sigmoid()
        return refined

    def _answers(self, x: Tensor, references: Tensor) -> Answers:
        # Twice, with the same weights: so the published model was trained.
        twice = self.norm(self.norm(x))
        return Answers(
            self.mask_embed(twice),
            self.iou_prediction_head(twice)[..., 0],
            self._refined(twice, references),
        )


class _Layer(nn.Module):
    def __init__(self, dim: int, heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(dim)
        self.cross_attn = DeformableAttention(dim, heads)
        self.norm1 = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, ffn_dim)
        self.linear2 = nn.Linear(ffn_dim, dim)
        self.norm3 = nn.LayerNorm(dim)

    def look_at(self, memory: Tensor) -> Tensor:
        """What this layer makes of the maps (B, S, C): (B, S, heads, C / heads)."""
        return self.cross_attn.values(memory)

    def forward(
        self,
        x: Tensor,
        position: Tensor,
        references: Tensor,
        values: Tensor,
        sizes: Sizes,
        groups: int,
    ) -> Tensor:
        """Queries (B, Q, C) → the same; each of ``groups`` stretches of them attends to itself."""
        x = self.norm2(x + self._among_themselves(x, x + position, groups))
        x = self.norm1(x + self.cross_attn.around_boxes(x + position, references, values, sizes))
        out: Tensor = self.norm3(x + self.linear2(F.relu(self.linear1(x))))
        return out

    def _among_themselves(self, x: Tensor, placed: Tensor, groups: int) -> Tensor:
        apart, apart_placed = (
            each.reshape(len(x) * groups, -1, x.shape[2]) for each in (x, placed)
        )
        seen, _ = self.self_attn(apart_placed, apart_placed, apart, need_weights=False)
        together: Tensor = seen.reshape(x.shape)
        return together


class _Mlp(nn.Module):
    """Linear layers with ReLU between them."""

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int, depth: int) -> None:
        super().__init__()
        dims = [in_dim, *[hidden_dim] * (depth - 1), out_dim]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(dims))

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            x = F.relu(layer(x))
        out: Tensor = last(x)
        return out


def _logits(fractions: Tensor) -> Tensor:
    """The inverse of the sigmoid, finite at 0 and 1."""
    inside = fractions.clamp(0, 1)
    return torch.log(inside.clamp(min=LOGIT_EPS) / (1 - inside).clamp(min=LOGIT_EPS))


def _box_codes(boxes: Tensor, dim: int) -> Tensor:
    """Boxes (..., 4) as x, y, w, h → (..., 4 · dim): codes of y, x, w and h."""
    x, y, width, height = boxes.unbind(-1)
    return waves(torch.stack([y, x, width, height], dim=-1), dim).flatten(-2)
