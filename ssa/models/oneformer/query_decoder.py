"""From what was seen to answers: queries that know the task, each with a class and a mask.

Two steps: queries gather what they are about from the fine map, then layer by layer from the three maps in
turn, each query from where its mask is so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.models.oneformer.parts import FeedForward, Looking, flat
from ssa.models.oneformer.pixel_decoder import SIZES_KEPT, Seen


class QueryDecoder(nn.Module):
    """transformers' transformer module, with its weights, for one picture and one task."""

    task: Tensor
    begun: Tensor

    def __init__(self, plain: Any, task: Tensor) -> None:
        """``task`` (1, C) is what the model's task encoder makes of the task.

        Raises ``ValueError`` for a model that normalises before each step, or projects maps once more: none
        is published.
        """
        super().__init__()
        decoder = plain.decoder
        projects = any(list(each.parameters()) for each in plain.input_projections)
        if decoder.config.pre_norm or projects:
            raise ValueError("expected pre_norm and enforce_input_proj to be false")
        self.level_embed = plain.level_embed
        self.embedder = plain.queries_embedder
        self.projection = decoder.query_input_projection
        gathering = decoder.query_transformer.decoder
        self.gathering = nn.ModuleList(_Gathering(layer) for layer in gathering.layers)
        self.gathered_norm = gathering.norm
        self.layers = nn.ModuleList(_Layer(layer) for layer in decoder.layers)
        self.norm = decoder.decoder_norm
        self.class_embed, self.mask_embed = decoder.class_embed, decoder.mask_embed
        task = self.norm(task) if decoder.use_task_norm else task
        first = task if decoder.use_task_norm else torch.zeros_like(task)
        self.register_buffer("task", task[None], persistent=False)
        # The first look among themselves is before any picture.
        queries = first.expand(1, len(self.embedder.weight) - 1, -1)
        begun = self._gathering()[0].look_around(queries, self.embedder.weight[None, :-1])
        self.register_buffer("begun", begun, persistent=False)
        # A picture has four maps.
        made = partial(_codes_of, plain.position_embedder, plain.level_embed.weight)
        self._codes = lru_cache(maxsize=4 * SIZES_KEPT)(made)

    def forward(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Each query's classes (Q, C + 1) and mask (Q, H, W), as logits."""
        queries = torch.cat([self._gathered(seen.fine), self.task], dim=1)
        levels = self._levels(seen)
        for number, layer in enumerate(self.layers):
            level = levels[number % len(levels)]
            allowed = self._allowed(queries, level)
            queries = layer(queries, self.embedder.weight, level.keys, level.values, allowed)
        found = self.norm(queries)
        masks = self.mask_embed(found) @ seen.fine.flatten(2)
        return self.class_embed(found)[0], masks[0].unflatten(1, seen.fine.shape[2:])

    def _gathering(self) -> list[_Gathering]:
        return list(self.gathering)  # type: ignore[arg-type]

    def _gathered(self, fine: Tensor) -> Tensor:
        """All queries but the task's, (1, Q - 1, C), after looking at the fine map (1, C, H, W)."""
        # What is looked at are places, found by what the map shows there.
        values = self._codes(fine.shape[2:])
        keys = values + flat(self.projection(fine))
        positions = self.embedder.weight[None, :-1]
        queries = self.begun
        for number, layer in enumerate(self._gathering()):
            around = layer.look_around(queries, positions) if number else queries
            queries = layer(around, positions, keys, values)
        gathered: Tensor = self.gathered_norm(queries)
        return gathered

    def _levels(self, seen: Seen) -> list[_Level]:
        levels = []
        for cells, size, own in zip(
            seen.cells, seen.sizes_hw, self.level_embed.weight, strict=True
        ):
            values = cells + own
            # Masks are drawn of features, so those on a coarser map are of the features there.
            fine = F.interpolate(seen.fine, size, mode="bilinear", align_corners=False)
            levels.append(_Level(values + self._codes(size), values, fine.flatten(2)))
        return levels

    def _allowed(self, queries: Tensor, level: _Level) -> Tensor:
        """Where each query may look, (1, 1, Q, S) bool: inside its mask, and everywhere if that is empty."""
        logits = self.mask_embed(self.norm(queries)) @ level.features
        inside = logits.sigmoid() >= 0.5
        allowed: Tensor = inside | ~inside.any(-1, keepdim=True)
        return allowed[:, None]


@dataclass(frozen=True, slots=True)
class _Level:
    """One map as it is asked: keys and values (1, S, C), and what masks on it are drawn of (1, C, S)."""

    keys: Tensor
    values: Tensor
    features: Tensor


class _Gathering(nn.Module):
    """Queries look at one another, then at the fine map."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.around = Looking(plain.self_attn, plain.norm1)
        self.at_map = Looking(plain.multihead_attn, plain.norm2)
        self.feed_forward = FeedForward(plain.linear1, plain.linear2, plain.norm3)

    def look_around(self, queries: Tensor, positions: Tensor) -> Tensor:
        """The first half: (1, Q, C) to the same."""
        return self.around.among_themselves(queries, positions)

    def forward(self, queries: Tensor, positions: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """The second half: (1, Q, C), looking at (1, S, C)."""
        out: Tensor = self.feed_forward(self.at_map(queries, positions, keys, values))
        return out


class _Layer(nn.Module):
    """Queries look at a map where they may, then at one another."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.at_map = Looking(plain.cross_attn.multihead_attn, plain.cross_attn.norm)
        self.around = Looking(plain.self_attn.self_attn, plain.self_attn.norm)
        self.feed_forward = FeedForward(plain.ffn.linear1, plain.ffn.linear2, plain.ffn.norm)

    def forward(
        self, queries: Tensor, positions: Tensor, keys: Tensor, values: Tensor, allowed: Tensor
    ) -> Tensor:
        """(1, Q, C) to the same."""
        looked = self.at_map(queries, positions, keys, values, allowed)
        out: Tensor = self.feed_forward(self.around.among_themselves(looked, positions))
        return out


def _codes_of(sine_codes: Any, like: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """What says where each cell of a map is, (1, h · w, C), where and as ``like`` is."""
    return flat(sine_codes((1, 0, *size_hw), like.device, like.dtype))
