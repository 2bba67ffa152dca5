"""Greedy decoding over shapes that never change: the same words as transformers' ``generate``, in few calls.

What ``generate`` does for a step is mostly bookkeeping: caches that grow, masks made anew, lists of criteria.
Here the caches have their full length from the start, where a step is to write is a number on the device, and
rows that have ended go on and are ignored. So every step is the same work on the same memory, and a GPU can
record it once and play it back as one launch.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ssa.models.blip.recording import recorded
from ssa.models.blip.sheet import Notes, Sheet
from ssa.models.shared.towers import in_place, joint

# In bulk, steps between two looks at whether all captions have ended: a look waits for the device.
STEPS_A_LOOK = 4


class GreedyDecoder(nn.Module):
    """Writes captions with the weights of a ``BlipTextLMHeadModel``, which is of no use afterwards.

    ``in_bulk``, batches are filled up to a power of two, each of which has its recorded step, and all write
    on one sheet that is kept, one thread at a time; else every call has a sheet of its own.
    """

    def __init__(self, plain: Any, longest: int, *, in_bulk: bool) -> None:
        super().__init__()
        config, embeddings = plain.config, plain.bert.embeddings
        self._start, self._end = config.bos_token_id, config.sep_token_id
        self._filler = config.pad_token_id
        self._longest, self._in_bulk = longest, in_bulk
        self._of_words, self._of_places = embeddings.word_embeddings, embeddings.position_embeddings
        self._norm = embeddings.LayerNorm
        self._layers = [_Layer(one) for one in plain.bert.encoder.layer]
        self._weights = nn.ModuleList(self._layers)  # A list alone would not count as its own.
        self.scores = plain.cls
        device = self._of_words.weight.device
        # Row t: the words that word t may look at, itself and those before it.
        self._visible = torch.ones(longest, longest, dtype=torch.bool, device=device).tril()
        self._kept: Sheet | None = None
        self._steps: dict[int, Callable[[], None]] = {}
        self._writing = Lock()

    def forward(self, patches: Tensor) -> Tensor:
        """Tokens (N, T'), T' ≤ T, of captions for patches (N, P, D); what follows an end is filler."""
        if not self._in_bulk:
            return self._write(patches, self._sheet(len(patches), patches.shape[1]), 1)
        with self._writing:
            return self._write(patches, self._kept_sheet(patches), STEPS_A_LOOK)

    def _write(self, patches: Tensor, sheet: Sheet, steps_a_look: int) -> Tensor:
        step = self._step_on(sheet)
        self._begin(patches, sheet)
        for number in range(1, self._longest + 1):
            step()
            if number % steps_a_look == 0 and bool(sheet.ended.all()):
                break
        return sheet.words[: len(patches), :number].clone()

    def _begin(self, patches: Tensor, sheet: Sheet) -> None:
        for layer, seen in zip(self._layers, sheet.seen, strict=True):
            seen.both[:, : len(patches)].copy_(layer.look(patches))
        sheet.words.fill_(self._filler)
        sheet.last.fill_(self._start)
        # Rows that no crop has are at their end from the start.
        sheet.ended.fill_(True)[: len(patches)] = False
        sheet.step.zero_()

    def _next(self, sheet: Sheet) -> None:
        """One word more on every row."""
        states = self._norm(self._of_words(sheet.last) + self._of_places(sheet.step))
        visible = self._visible.index_select(0, sheet.step)
        for layer, written, seen in zip(self._layers, sheet.written, sheet.seen, strict=True):
            states = layer(states, written, seen, sheet.step, visible)
        torch.argmax(self.scores(states), -1, out=sheet.last).masked_fill_(
            sheet.ended, self._filler
        )
        sheet.words.index_copy_(1, sheet.step, sheet.last)
        sheet.ended.logical_or_(sheet.last == self._end)
        sheet.step.add_(1)

    def _step_on(self, sheet: Sheet) -> Callable[[], None]:
        """A step on this sheet; of the kept one, on CUDA, recorded once for each number of rows."""
        if not (self._in_bulk and sheet.words.is_cuda):
            return lambda: self._next(sheet)
        if len(sheet) not in self._steps:
            self._steps[len(sheet)] = recorded(
                lambda: self._next(sheet), sheet.step.zero_, sheet.words.device
            )
        return self._steps[len(sheet)]

    def _kept_sheet(self, patches: Tensor) -> Sheet:
        """The kept sheet's first rows, made larger where it has too few or others' patches."""
        rows = 1 << (len(patches) - 1).bit_length()
        kept = self._kept
        if kept is None or len(kept) < rows or kept.seen[0].keys.shape[2] != patches.shape[1]:
            self._kept = kept = None  # Let go first: there may be no room for both.
            self._steps.clear()
            self._kept = kept = self._sheet(rows, patches.shape[1])
        return kept.first(rows)

    def _sheet(self, rows: int, patches: int) -> Sheet:
        weight = self._of_words.weight
        heads, depth = self._layers[0].shape
        return Sheet(
            # Zeros, for even what no word may look at must be a number, and a first step is recorded before
            # anything was written: on a GPU a word that isn't there would be the end of all its work.
            [
                Notes.on(weight.new_zeros(2, rows, heads, self._longest, depth))
                for _ in self._layers
            ],
            [Notes.on(weight.new_zeros(2, rows, heads, patches, depth)) for _ in self._layers],
            weight.new_zeros(rows, self._longest, dtype=torch.int64),
            weight.new_zeros(rows, 1, dtype=torch.int64),
            weight.new_zeros(rows, 1, dtype=torch.bool),
            weight.new_zeros(1, dtype=torch.int64),
        )


class _Layer(nn.Module):
    """A ``BlipTextLayer`` for one word a row: it looks at the words before, then at the patches."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        own, across = plain.attention, plain.crossattention
        self.shape = own.self.num_attention_heads, own.self.attention_head_size
        self._qkv = joint(own.self.query, own.self.key, own.self.value)
        self._own_out, self._own_norm = own.output.dense, own.output.LayerNorm
        self._query, self._seen = across.self.query, joint(across.self.key, across.self.value)
        self._across_out, self._across_norm = across.output.dense, across.output.LayerNorm
        self._widen, self._narrow = plain.intermediate.dense, plain.output.dense
        self._activation = in_place(plain.intermediate.intermediate_act_fn)
        self._norm = plain.output.LayerNorm

    def look(self, patches: Tensor) -> Tensor:
        """Keys and values (2, N, heads, P, d) of patches (N, P, D)."""
        pair = self._seen(patches).view(*patches.shape[:2], 2, *self.shape)
        moved: Tensor = pair.permute(2, 0, 3, 1, 4)
        return moved

    def forward(
        self, states: Tensor, written: Notes, seen: Notes, step: Tensor, visible: Tensor
    ) -> Tensor:
        """(B, 1, D) to the same; this word's keys and values are added to those ``written``."""
        heads, depth = self.shape
        made = self._qkv(states).view(len(states), 3, heads, 1, depth).transpose(0, 1)
        written.both.index_copy_(3, step, made[1:])
        told = _attend(made[0], written, visible).reshape(states.shape)
        states = self._own_norm(self._own_out(told) + states)
        query = self._query(states).view(len(states), heads, 1, depth)
        told = _attend(query, seen).reshape(states.shape)
        states = self._across_norm(self._across_out(told) + states)
        after: Tensor = self._norm(self._narrow(self._activation(self._widen(states))) + states)
        return after


def _attend(query: Tensor, notes: Notes, visible: Tensor | None = None) -> Tensor:
    """Queries (B, heads, 1, d) on keys and values: (B, heads, 1, d)."""
    return functional.scaled_dot_product_attention(
        query, notes.keys, notes.values, attn_mask=visible
    )
