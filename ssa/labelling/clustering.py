"""Grouping regions that look alike, without any label: by what SAM's encoder saw in them.

After SAM-Automatic-Semantic-Segmentation (2023): the mean of the encoder's cells that a mask touches says
what it looks like, and DBSCAN (Ester et al., 1996) with cosine distance makes groups of these.
``PUBLISHED_CLUSTERS`` in ``ssa.config`` are that project's settings. The defaults differ in what measured
better: cells count by how much of them the mask covers, channels by how they differ from the rest of the
picture, and a group that only a chain of likenesses holds together is taken apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ssa.config import ClusterSettings
from ssa.masks.run_lengths import decode_part
from ssa.pictures.crops import scaled_box
from ssa.types import ImageEmbedding, MaskProposal

NOISE = -1
"""The cluster id of a region that is like too few others."""

# A cell stands for 16 x 16 pixels of SAM's input and, as published, must hold more than one of the mask.
_TOUCHED = 1 / 256


def mask_embeddings(
    embedding: ImageEmbedding, proposals: Sequence[MaskProposal], settings: ClusterSettings
) -> NDArray[np.float32]:
    """What each mask looks like, (N, C): the mean of its cells, each by its weight.

    By ``settings.weighting`` that is the share of the cell that the mask covers, or 1 for each cell it
    touches (where a mask is too small to touch one by that rule, each that it lies in). A mask without
    pixels has zeros.
    """
    cells = _standardised(embedding) if settings.standardised else embedding.features
    found = np.zeros((len(proposals), len(cells)), np.float32)
    for row, proposal in enumerate(proposals):
        (top, left), covered = _covered_cells(embedding, proposal)
        weights = _weights(covered, settings)
        if weights.any():
            rows, columns = weights.shape
            seen = cells[:, top : top + rows, left : left + columns]
            found[row] = np.tensordot(seen, weights / weights.sum(), axes=2)
    return found


def cluster(embeddings: NDArray[np.float32], settings: ClusterSettings) -> tuple[int, ...]:
    """The group of each of the regions whose embeddings (N, C) are given; ``NOISE`` for those in none.

    Groups are numbered from 0 by size, the largest first, of equal ones that which appears first.
    """
    if not len(embeddings):
        return ()
    # Here, for it takes longer to import than all else that a pure step needs.
    from sklearn.cluster import DBSCAN
    from sklearn.metrics.pairwise import cosine_distances

    distances = cosine_distances(embeddings.astype(np.float64))
    scan = DBSCAN(eps=settings.eps, min_samples=settings.min_samples, metric="precomputed")
    groups = scan.fit_predict(distances)
    if settings.cohesive:
        groups = _taken_apart(groups, distances, settings)
    return _by_size(groups.tolist())


def _taken_apart(
    groups: NDArray[np.int64], distances: NDArray[np.float64], settings: ClusterSettings
) -> NDArray[np.int64]:
    """The groups (N,) joined anew from their members, the nearest first, while at most eps apart on average.

    That is average linkage (Sokal and Michener, 1958). Parts of fewer than ``min_samples`` become noise.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    found = np.full_like(groups, NOISE)
    for group in range(groups.max() + 1):
        members = np.flatnonzero(groups == group)
        parts = np.ones(len(members), np.int64)
        if len(members) > 1:
            apart = squareform(distances[np.ix_(members, members)], checks=False)
            parts = fcluster(linkage(apart, "average"), settings.eps, "distance")
        for part in np.unique(parts):
            joined = members[parts == part]
            if len(joined) >= settings.min_samples:
                found[joined] = found.max() + 1
    return found


def directions(embeddings: NDArray[np.float32]) -> NDArray[np.float16]:
    """Embeddings (N, C) at length 1, zeros as they are: what is kept of them, as cosines alone count."""
    return _unit(embeddings).astype(np.float16)


def _unit(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(embeddings / np.where(lengths > 0, lengths, 1), np.float32)


def representatives(
    cluster_ids: Sequence[int], embeddings: NDArray[np.float32], most: int
) -> dict[int, tuple[int, ...]]:
    """Of each cluster the positions of its ``most`` most typical members, the most typical first.

    Those whose embeddings (N, C) are nearest to the mean of all members' directions, by cosine; noise has
    none.
    """
    towards = _unit(embeddings)
    ids = np.asarray(cluster_ids, dtype=np.int64)
    found = {}
    for number in sorted(set(cluster_ids) - {NOISE}):
        members = np.flatnonzero(ids == number)
        likeness = towards[members] @ towards[members].mean(axis=0)
        order = np.argsort(-likeness, kind="stable")[:most]
        found[number] = tuple(members[order].tolist())
    return found


def vote_on_name(names: Sequence[str]) -> str:
    """The commonest of the representatives' names, given in their order; of equal ones the first.

    Raises ``ValueError`` where there is no name to choose from.
    """
    if not names:
        raise ValueError("expected the name of at least one member of the cluster")
    return Counter(names).most_common(1)[0][0]


def _by_size(groups: Sequence[int]) -> tuple[int, ...]:
    """The same groups, numbered from the largest on; a Counter keeps equal ones in order of appearance."""
    sizes = Counter(group for group in groups if group != NOISE)
    numbers = {group: number for number, (group, _) in enumerate(sizes.most_common())}
    return tuple(numbers.get(group, NOISE) for group in groups)


def _standardised(embedding: ImageEmbedding) -> NDArray[np.float32]:
    """The features with each channel less its mean and by its spread over the picture, padding left out."""
    features = embedding.features
    channels, rows, columns = features.shape
    high, wide = embedding.extent_hw
    filled = np.outer(_filled(rows, high), _filled(columns, wide))
    shares = (filled / filled.sum()).astype(np.float32)
    centred = features - np.tensordot(features, shares, axes=2).reshape(channels, 1, 1)
    spread = np.sqrt(np.tensordot(centred**2, shares, axes=2)).reshape(channels, 1, 1)
    return np.asarray(centred / np.where(spread > 0, spread, 1), np.float32)


def _filled(cells: int, extent: float) -> NDArray[np.float64]:
    """How much of each cell along an axis the picture fills, 0 to 1."""
    return np.clip(extent - np.arange(cells), 0.0, 1.0)


def _weights(covered: NDArray[np.float32], settings: ClusterSettings) -> NDArray[np.float32]:
    if settings.weighting == "share":
        return covered
    touched = covered > _TOUCHED
    return touched.astype(np.float32) if touched.any() else (covered > 0).astype(np.float32)


def _covered_cells(
    embedding: ImageEmbedding, proposal: MaskProposal
) -> tuple[tuple[int, int], NDArray[np.float32]]:
    """The share of each cell that the mask covers, (h, w), and the first row and column of those cells.

    Exact: a pixel that lies across two cells counts for each by its part. Only the mask's box is looked at.
    """
    _, rows, columns = embedding.features.shape
    height, width = proposal.rle.height, proposal.rle.width
    left, top, right, bottom = box = scaled_box(proposal.bbox_xywh, 1.0, height, width)
    high, wide = embedding.extent_hw
    row, down = _pixels_in_cells(top, bottom, high / height, rows)
    column, across = _pixels_in_cells(left, right, wide / width, columns)
    mask = decode_part(proposal.rle, box).astype(np.float32)
    return (row, column), np.asarray(down @ mask @ across.T, np.float32)


def _pixels_in_cells(
    start: int, stop: int, cells_per_pixel: float, cells: int
) -> tuple[int, NDArray[np.float32]]:
    """Along one axis: the first cell that pixels start to stop reach, and how much of each they cover.

    That is (n cells, m pixels), in cells; ``cells`` are all there are along the axis.
    """
    edges = np.arange(start, stop + 1) * cells_per_pixel
    first = min(int(edges[0]), cells - 1)
    last = min(max(int(np.ceil(edges[-1])), first + 1), cells)
    low = np.arange(first, last)[:, None]
    shared = np.minimum(edges[1:], low + 1) - np.maximum(edges[:-1], low)
    return first, shared.clip(min=0).astype(np.float32)
