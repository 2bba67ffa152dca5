"""Labels for regions by one look at their picture: what its cells say, pooled under masks.

The picture goes through an encoder once. A region is the mean of the cells that its mask covers, by how much
of each; all regions are compared with all texts in one product. By pixels, the candidate that suits a
place best wins it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ssa.device import memory_errors_told
from ssa.models.shared.cell_shares import cell_shares
from ssa.models.shared.pixels import resize_bilinear
from ssa.models.shared.rankings import CandidateTable, shares_ranking
from ssa.models.shared.text_cache import LabelCache
from ssa.types import RLE, RGBImage, ScoredLabel

# Labels whose text embeddings are kept: 200 MB at 1,024 numbers each.
CACHED_LABELS = 50_000

# Labels that go through the text encoder at once. Few, for a batch is filled up where fewer are new.
TEXT_BATCH = 8

FINER = 4
"""Where pixels decide, each cell is so many places high and wide; between cells similarity is smooth."""

LONGEST_RATIO = 16

# Similarities held at once where pixels decide: 64 MB of float32.
NUMBERS_AT_ONCE = 2**24


class DenseEncoder(Protocol):
    """Puts cells of a picture and texts into one space, in which likeness is the product of directions.

    A region is first the mean of its cells; where that isn't of the space of texts yet, ``finish`` takes it
    there. ``scale`` is what the model multiplies cosines by before a softmax, ``model`` holds its weights.
    """

    scale: float
    model: nn.Module

    def encode_cells(self, image: RGBImage) -> Tensor:
        """(rows, columns, C) for a picture (H, W, 3) uint8 RGB, all of which the cells cover."""
        ...

    def finish(self, pooled: Tensor) -> Tensor:
        """(M, C) float32, means of cells, to (M, D) float32."""
        ...

    def encode_labels(self, labels: list[str]) -> Sequence[Tensor]:
        """(D,) float32 each, for labels of one ``padded_length``."""
        ...

    def padded_length(self, label: str) -> int:
        """How many tokens a label is padded to."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What an encoder saw of a picture, float32 on its device.

    ``values`` (rows, columns, C) are what regions take the mean of; ``cells`` (rows, columns, D) say what
    each is by itself, in the space of texts and of length 1.
    """

    values: Tensor
    cells: Tensor


class GridRanker:
    """Ranks and chooses regions' labels by an encoder's cells; a label's text is encoded once and kept."""

    def __init__(self, encoder: DenseEncoder) -> None:
        self._encoder = encoder
        self.model = encoder.model
        self._texts = LabelCache[Tensor](
            self._encode_labels, CACHED_LABELS, TEXT_BATCH, encoder.padded_length
        )

    @memory_errors_told
    @torch.inference_mode()
    def look(self, image: RGBImage) -> Look:
        """Look at a picture (H, W, 3) uint8 RGB, for any number of questions about its regions."""
        values = self._encoder.encode_cells(image).float()
        cells = functional.normalize(self._encoder.finish(values.flatten(0, 1)), dim=-1)
        return Look(values, cells.view(*values.shape[:2], -1))

    @memory_errors_told
    @torch.inference_mode()
    def rank(
        self,
        view: Look,
        masks: Sequence[RLE],
        candidates: Sequence[Sequence[str]],
        most: int | None = None,
    ) -> list[tuple[ScoredLabel, ...]]:
        """Softmax of the model's logits over each region's own candidates, best first; ties keep their order.

        A region is the mean of its cells, each by the share of the cell that the mask covers; a mask without
        a pixel has all cells. ``most`` bounds what is given of each.
        """
        if not masks:
            return []
        table = CandidateTable(candidates)
        logits = self.pooled(view, masks) @ self._encoded(table).T * self._encoder.scale
        return table.rankings(logits.cpu().numpy(), most)

    def pooled(self, view: Look, masks: Sequence[RLE]) -> Tensor:
        """(M, D) float32 of length 1: what each region looks like."""
        rows, columns, _ = view.values.shape
        shares = _covered(masks, (rows, columns), view.values.device)
        means = shares @ view.values.flatten(0, 1) / shares.sum(dim=1, keepdim=True)
        return functional.normalize(self._encoder.finish(means), dim=-1)

    @memory_errors_told
    @torch.inference_mode()
    def choose(
        self, view: Look, masks: Sequence[RLE], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        """The share of each mask's pixels that each candidate wins, best first; ties keep their order.

        At each place the most similar candidate wins, of equals the first. Places are ``FINER`` times as
        many along each side as cells, and similarity between the middles of cells is bilinear; a
        pixel counts for the place that it lies in.
        """
        if not masks:
            return []
        table = CandidateTable(candidates)
        similar = (view.cells @ self._encoded(table).T).permute(2, 0, 1)
        picks = table.picks()
        # Those with fewer candidates have their first one again, which wins nothing that it hasn't won.
        most = max(map(len, picks))
        padded = np.stack([np.append(own, np.repeat(own[:1], most - len(own))) for own in picks])
        sent = torch.from_numpy(padded).to(similar.device)
        places = FINER**2 * similar[0].numel()
        at_once = max(1, NUMBERS_AT_ONCE // (places * most))
        won = torch.cat(
            [
                _areas_won(similar, masks[first : first + at_once], sent[first : first + at_once])
                for first in range(0, len(masks), at_once)
            ]
        )
        return [
            shares_ranking(tuple(own), areas[: len(own)])
            for own, areas in zip(candidates, won.cpu().numpy(), strict=True)
        ]

    def _encoded(self, table: CandidateTable) -> Tensor:
        """(T, D) float32 of length 1."""
        return torch.stack(self._texts.get(table.labels))

    def _encode_labels(self, labels: list[str]) -> list[Tensor]:
        encoded = functional.normalize(torch.stack([*self._encoder.encode_labels(labels)]), dim=-1)
        # Cloned, else each cached row would keep its whole batch alive.
        return [row.clone() for row in encoded]


def _areas_won(similar: Tensor, masks: Sequence[RLE], picks: Tensor) -> Tensor:
    """(M, K): the area that each of a mask's candidates wins, of all (T, rows, columns) similarities."""
    rows, columns = (FINER * side for side in similar.shape[1:])
    finer = resize_bilinear(similar[picks], (rows, columns)).flatten(2)
    shares = _covered(masks, (rows, columns), similar.device)
    return torch.zeros_like(finer[:, :, 0]).scatter_add_(1, finer.argmax(dim=1), shares)


def _covered(masks: Sequence[RLE], grid_hw: tuple[int, int], device: torch.device) -> Tensor:
    """(M, rows · columns): the share of each cell that a mask covers; of all cells, if it has no pixel."""
    shares = cell_shares(masks, grid_hw, device).flatten(1)
    return torch.where(shares.any(dim=1, keepdim=True), shares, 1.0)


def grid_for(height: int, width: int, cells: int) -> tuple[int, int]:
    """Rows and columns of nearly square cells over a picture, some ``cells``² whatever its shape.

    In pictures more elongated than ``LONGEST_RATIO`` cells are so too: there is little to tell them apart.
    """
    ratio = min(max(height / width, 1 / LONGEST_RATIO), LONGEST_RATIO)
    rows = min(max(1, round(cells * ratio**0.5)), cells**2)
    return rows, max(1, round(cells**2 / rows))
