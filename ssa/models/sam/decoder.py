"""SAM's mask decoder, faster: the same weights as the package's own forward, and its numbers up to rounding.

A point brings a few tokens, a picture thousands of patches, so all is arranged to do little per patch:

- The first layer's projections of the picture are the same for every point, hence made once a picture.
- Later layers, whose picture a point has changed, don't project its patches at all. A score is
  (W patch) · token = patch · (Wᵀ token), and a weighted sum of W patch is W (weighted sum of patches):
  the projections move to the tokens' side. A key's bias raises all scores of a query alike and is dropped.
- How good a mask is, is told by a token; so masks are drawn only of the points that are asked for, and
  only where the picture is, not where it was padded.
- Transposed convolutions that don't overlap are products with a matrix, patch by patch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from segment_anything.modeling import MaskDecoder
from torch import Tensor
from torch.nn import functional as F

# Numbers of the last upscaling held at once: on a CPU what its caches hold.
DRAWN_AT_ONCE_ON_CPU = 2**21
DRAWN_AT_ONCE = 2**27


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the decoder makes of a picture before any point is given.

    ``patches`` are the features (P, C) and ``places`` their positional codes (P, C); ``keys``,
    ``values`` and ``queries`` (heads, P, d) are the first layer's; ``grid_hw`` is P as rows and columns.
    """

    patches: Tensor
    places: Tensor
    keys: Tensor
    values: Tensor
    queries: Tensor
    grid_hw: tuple[int, int]


class PointDecoder:
    """Answers points with masks, on the weights of a ``MaskDecoder``.

    Transformer and upscaling compute in ``dtype``; the heads and the masks' logits in float32.
    """

    def __init__(self, decoder: MaskDecoder, dtype: torch.dtype) -> None:
        self._decoder = decoder
        self._dtype = dtype
        decoder.transformer.to(dtype)
        decoder.output_upscaling.to(dtype)

    def look(self, features: Tensor, places: Tensor) -> Outlook:
        """Features, with what the prompt encoder adds where no mask is given, and places: (1, C, h, w)."""
        first = self._decoder.transformer.layers[0]
        to_image, from_image = first.cross_attn_token_to_image, first.cross_attn_image_to_token
        patches, codes = (grid[0].flatten(1).T.to(self._dtype) for grid in (features, places))
        patches, placed = patches.contiguous(), patches + codes
        return Outlook(
            patches=patches,
            places=codes.contiguous(),
            keys=_heads(to_image, to_image.k_proj(placed)),
            values=_heads(to_image, to_image.v_proj(patches)),
            queries=_heads(from_image, from_image.q_proj(placed)),
            grid_hw=(features.shape[2], features.shape[3]),
        )

    def decode(
        self, outlook: Outlook, prompts: Tensor, visible_hw: tuple[int, int]
    ) -> DecodedPoints:
        """Prompts (N, t, C), the tokens of N points; ``visible_hw``: rows and columns of patches to draw."""
        decoder = self._decoder
        output = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
        given = torch.cat([output.expand(len(prompts), -1, -1), prompts], 1).to(self._dtype)
        tokens, patches = _two_way(decoder.transformer, outlook, given)
        rows, columns = visible_hw
        visible = torch.unflatten(patches, 1, outlook.grid_hw)[:, :rows, :columns]
        return DecodedPoints(decoder, tokens.float(), visible)


class DecodedPoints:
    """The answers to N points, K masks each: how good they are (N, K), and the masks when asked for."""

    def __init__(self, decoder: MaskDecoder, tokens: Tensor, patches: Tensor) -> None:
        """Tokens (N, T, C), float32, and patches (N, rows, columns, C) as the transformer leaves them."""
        self._decoder = decoder
        self._patches = patches
        # The first of the mask tokens is for prompts that aren't ambiguous; a point is.
        self._mask_tokens = tokens[:, 2 : 1 + decoder.num_mask_tokens]
        self.ious: Tensor = decoder.iou_prediction_head(tokens[:, 0])[:, 1:]

    def logits(self, points: Tensor, outputs: Tensor) -> Tensor:
        """Masks (M, 4 · rows, 4 · columns), float32, of points (M,), ascending, and outputs (M,).

        Both on the host, from where all that says which masks travels in one piece.
        """
        _, rows, columns, _ = self._patches.shape
        wanted, index = torch.unique_consecutive(points, return_inverse=True)
        sent = torch.cat([index, outputs, wanted]).to(self._patches.device)
        index, outputs, wanted = sent.tensor_split([len(index), 2 * len(index)])
        numbers = rows * columns * 16 * self._decoder.output_upscaling[3].out_channels
        at_once = DRAWN_AT_ONCE_ON_CPU if sent.is_cpu else DRAWN_AT_ONCE
        pieces = torch.split(wanted, max(1, at_once // numbers))
        drawn = torch.cat([self._draw(some) for some in pieces])
        # A patch is drawn in quarters, and these in quarters.
        chosen = drawn[index, outputs].view(-1, rows, columns, 2, 2, 2, 2)
        return chosen.permute(0, 1, 3, 5, 2, 4, 6).reshape(-1, 4 * rows, 4 * columns)

    def _draw(self, points: Tensor) -> Tensor:
        """All masks (n, K, rows · columns · 16) of points (n,), patch by patch."""
        conv1, norm, gelu, conv2, _ = self._decoder.output_upscaling
        quarters = _quarters(conv1, self._patches[points].flatten(1, 2))
        quarters = F.layer_norm(quarters, norm.weight.shape, norm.weight, norm.bias, norm.eps)
        pixels = gelu(_quarters(conv2, gelu(quarters))).float()
        heads = self._decoder.output_hypernetworks_mlps[1:]
        tokens = self._mask_tokens[points].unbind(1)
        mixes = torch.stack([head(token) for head, token in zip(heads, tokens, strict=True)], 1)
        masks: Tensor = mixes @ pixels.mT
        return masks


def _two_way(transformer: Any, outlook: Outlook, given: Tensor) -> tuple[Tensor, Tensor]:
    """The two-way transformer on prompts (N, T, C): tokens (N, T, C), and patches (N, P, C) changed."""
    first, *others = transformer.layers
    tokens = first.norm1(first.self_attn(q=given, k=given, v=given))
    tokens, patches = _first_layer(first, tokens, given, outlook)
    for layer in others:
        q = tokens + given
        tokens = layer.norm1(tokens + layer.self_attn(q=q, k=q, v=tokens))
        tokens, patches = _layer(layer, tokens, given, patches, patches + outlook.places)
    attn = transformer.final_attn_token_to_image
    seen = _look(attn, tokens + given, patches, patches + outlook.places)
    return transformer.norm_final_attn(tokens + seen), patches


def _first_layer(
    layer: Any, tokens: Tensor, given: Tensor, outlook: Outlook
) -> tuple[Tensor, Tensor]:
    """Tokens (N, T, C) see the picture as it is for every point, and it sees them."""
    attn = layer.cross_attn_token_to_image
    scores = _products(_scaled_heads(attn, attn.q_proj(tokens + given)), outlook.keys)
    seen = scores.softmax(-1).transpose(0, 1).flatten(1, 2) @ outlook.values  # (heads, N · T, d)
    seen = torch.unflatten(seen, 1, tokens.shape[:2]).transpose(0, 1)
    tokens = _after_the_look(layer, tokens, _joined(attn, seen))
    attn = layer.cross_attn_image_to_token
    scores = _products(_scaled_heads(attn, attn.k_proj(tokens + given)), outlook.queries)
    told = _tell(attn, scores, tokens, outlook.patches.expand(len(tokens), -1, -1))
    return tokens, layer.norm4(told)


def _layer(
    layer: Any, tokens: Tensor, given: Tensor, patches: Tensor, placed: Tensor
) -> tuple[Tensor, Tensor]:
    """Tokens (N, T, C) see patches (N, P, C), and these see them."""
    seen = _look(layer.cross_attn_token_to_image, tokens + given, patches, placed)
    tokens = _after_the_look(layer, tokens, seen)
    attn = layer.cross_attn_image_to_token
    keys = _scaled_heads(attn, attn.k_proj(tokens + given))
    bias = keys @ _by_head(attn, attn.q_proj.bias[:, None])  # (N, heads, T, 1)
    moved = keys @ _by_head(attn, attn.q_proj.weight)
    scores = torch.baddbmm(bias.flatten(1, 2), moved.flatten(1, 2), placed.mT)
    scores = torch.unflatten(scores, 1, keys.shape[1:3])
    return tokens, layer.norm4(_tell(attn, scores, tokens, patches))


def _after_the_look(layer: Any, tokens: Tensor, seen: Tensor) -> Tensor:
    tokens = layer.norm2(tokens + seen)
    after: Tensor = layer.norm3(tokens + layer.mlp(tokens))
    return after


def _look(attn: Any, q: Tensor, patches: Tensor, placed: Tensor) -> Tensor:
    """Tokens (N, T, C) attend to patches (N, P, C): with their places as keys, without as values."""
    queries = _scaled_heads(attn, attn.q_proj(q))
    moved = queries @ _by_head(attn, attn.k_proj.weight)  # (N, heads, T, C)
    weights = (moved.flatten(1, 2) @ placed.mT).softmax(-1)
    mean = torch.unflatten(weights @ patches, 1, queries.shape[1:3])
    values = mean @ _by_head(attn, attn.v_proj.weight).mT
    return _joined(attn, values + _by_head(attn, attn.v_proj.bias[:, None]).mT)


def _tell(attn: Any, scores: Tensor, tokens: Tensor, patches: Tensor) -> Tensor:
    """Patches (N, P, C) after attending to tokens (N, T, C), by scores (N, heads, T, P)."""
    values = _heads(attn, attn.v_proj(tokens))
    # A head's weights sum to one over the tokens, so its share of the bias can ride on the values.
    projection = _by_head(attn, attn.out_proj.weight.T)
    told = values @ projection + attn.out_proj.bias / attn.num_heads  # (N, heads, T, C)
    weights = scores.softmax(2).flatten(1, 2)
    # A copy, for MKL's products of a transposed matrix take twice as long.
    return torch.baddbmm(patches, weights.mT.contiguous(), told.flatten(1, 2))


def _products(tokens: Tensor, patches: Tensor) -> Tensor:
    """Dot products of (N, heads, T, d) with (heads, P, d), the same for all N: (N, heads, T, P)."""
    flat = tokens.transpose(0, 1).flatten(1, 2) @ patches.mT  # (heads, N · T, P)
    return torch.unflatten(flat, 1, (len(tokens), -1)).transpose(0, 1)


def _heads(attn: Any, x: Tensor) -> Tensor:
    """(..., n, heads · d) → (..., heads, n, d)."""
    return torch.unflatten(x, -1, (attn.num_heads, -1)).transpose(-2, -3)


def _scaled_heads(attn: Any, x: Tensor) -> Tensor:
    """The same, over the root of d, as one side of a score is."""
    return _heads(attn, x) * float((attn.internal_dim / attn.num_heads) ** -0.5)


def _by_head(attn: Any, weight: Tensor) -> Tensor:
    """(heads · d, C) → (heads, d, C)."""
    return torch.unflatten(weight, 0, (attn.num_heads, -1))


def _joined(attn: Any, x: Tensor) -> Tensor:
    """(N, heads, T, d) → (N, T, C), projected out."""
    joined: Tensor = attn.out_proj(x.transpose(1, 2).flatten(2))
    return joined


def _quarters(conv: Any, x: Tensor) -> Tensor:
    """A transposed convolution of 2 x 2, stride 2, on (n, p, C) → (n, 4 · p, out), four after four."""
    weight = conv.weight.permute(0, 2, 3, 1).flatten(1)  # (C, 4 · out)
    # The bias rides on the product: a pass of its own over the result takes as long as the product.
    quarters = torch.addmm(conv.bias.repeat(4), x.flatten(0, 1), weight)
    return quarters.view(len(x), -1, len(conv.bias))
