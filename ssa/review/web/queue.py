"""Which regions to look at next, and which go together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ssa.review.web.index import Index
from ssa.review.web.turns import NEVER

Places = list[tuple[int, int]]
"""Regions as numbers of pictures with places in them."""

SAMPLE = "sample"
"""The order of those alone by whom `ssa accept` judges the others."""

_Key = Callable[[NDArray[np.void], NDArray[np.int64]], NDArray[np.generic]]

ORDERS: dict[str, _Key] = {
    # Where nobody has fitted a confidence, the margin stands in; who has neither comes last.
    "confidence": lambda rows, _: np.where(
        np.isnan(rows["confidence"]), rows["margin"], rows["confidence"]
    ),
    "margin": lambda rows, _: rows["margin"],
    "picture": lambda rows, _: np.zeros(len(rows)),
    "class": lambda rows, ranks: ranks[rows["label"]],
    # Groups are each picture's own: these come one after the other, and what is in none at the end of each.
    "cluster": lambda rows, _: np.where(rows["cluster"] < 0, np.iinfo("i4").max, rows["cluster"]),
    "disagreement": lambda rows, _: -rows["disagreement"],
    SAMPLE: lambda rows, _: rows["turn"],
}
"""What regions are queued by, least first; of equals those of earlier pictures come first."""


def queue(index: Index, order: str, most: int, picture: int = 0) -> tuple[int, Places]:
    """How many regions nobody has decided, and the first ``most`` of them in an order.

    By picture it begins with ``picture`` and comes round.
    """
    pictures, places, rows = index.all()
    is_open = rows["reviewed"] == 0
    if order == SAMPLE:  # what was decided with others at once is still to be looked at here
        is_open = ~rows["looked_at"] & (rows["turn"] != NEVER)
    pictures, places, rows = pictures[is_open], places[is_open], rows[is_open]
    # The last rank is -1's, of regions without a label.
    ranks = np.append(np.argsort(np.argsort(np.array(index.labels, object))), len(index.labels))
    first = (pictures - picture) % max(len(index.keys), 1) if order == "picture" else pictures
    keys = (
        (places, ORDERS[order](rows, ranks), first)
        if order == "cluster"
        else (places, first, ORDERS[order](rows, ranks))
    )
    least = np.lexsort(keys)[:most]
    return len(rows), list(zip(pictures[least].tolist(), places[least].tolist(), strict=True))


def of_label(index: Index, label: str) -> Places:
    """Regions of this label that nobody has decided."""
    return _where(index, lambda rows: rows["label"] == index.number(label))


def of_cluster(index: Index, picture: int, cluster: int) -> Places:
    """Regions of this group of alike ones that nobody has decided; each picture has groups of its own."""
    rows = index.rows[picture].values
    found = (rows["reviewed"] == 0) & (rows["cluster"] == cluster) & (cluster >= 0)
    return [(picture, int(place)) for place in np.flatnonzero(found)]


def alike(index: Index, picture: int, place: int, least: float) -> Places:
    """Regions that nobody has decided and that look like this one: cosine of at least ``least``, best first.

    Itself comes first, if nobody has decided it.
    """
    own = index.rows[picture].values["embedding"][place]
    if own < 0:
        return []
    vectors = index.embeddings()
    cosines = _cosines(vectors, vectors[own].astype(np.float32))
    pictures, places, rows = index.all()
    known = (rows["embedding"] >= 0) & (rows["reviewed"] == 0)
    near = np.flatnonzero(known)[cosines[rows["embedding"][known]] >= least]
    best = near[np.argsort(-cosines[rows["embedding"][near]], kind="stable")]
    return list(zip(pictures[best].tolist(), places[best].tolist(), strict=True))


def _cosines(vectors: NDArray[np.float16], one: NDArray[np.float32]) -> NDArray[np.float32]:
    """In parts: a product in float32 of all at once would be twice the file in memory."""
    step = 65_536
    parts = [vectors[i : i + step].astype(np.float32) @ one for i in range(0, len(vectors), step)]
    return np.concatenate(parts)


def _where(index: Index, holds: Callable[[NDArray[np.void]], NDArray[np.bool_]]) -> Places:
    pictures, places, rows = index.all()
    found = np.flatnonzero((rows["reviewed"] == 0) & holds(rows))
    return list(zip(pictures[found].tolist(), places[found].tolist(), strict=True))
