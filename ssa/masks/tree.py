"""Masks of one picture as wholes and parts: a mask lies in the smallest one that clearly holds it.

Pixels are counted exactly, on run lengths. How many of a mask's pixels come before a position of the
picture (column by column) is a piecewise linear function with corners where its runs begin and end; read
at the corners of another mask, it gives the pixels they share, and neither is drawn. Only pairs whose
boxes overlap enough are counted, from the smallest possible whole on, until one holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.config import TreeSettings
from ssa.masks.run_lengths import filling_runs
from ssa.types import RLE, MaskProposal, TreeNode


def mask_tree(proposals: Sequence[MaskProposal], settings: TreeSettings) -> tuple[TreeNode, ...]:
    """Each mask's place, in the order of the proposals; a node's id is its position.

    The parent is the smallest mask that has at least ``containment`` of the child's pixels and
    ``least_growth`` times its area; of equals, the first by run lengths, so that the order of the proposals
    matters only among identical masks. Near-copies of one region, as several granularities give, are thus
    no parts of each other but siblings, and of two copies the smaller gets the parts that both hold. A mask
    without a pixel is a root without children. Raises ``ValueError`` for masks of pictures of
    different sizes, or run lengths that don't fill the picture.
    """
    sizes = {(proposal.rle.height, proposal.rle.width) for proposal in proposals}
    if len(sizes) > 1:
        raise ValueError(f"expected masks of one picture; got sizes (h, w) {sorted(sizes)}")
    shapes = [_Shape.of(proposal.rle) for proposal in proposals]
    counts = [proposal.rle.counts for proposal in proposals]
    by_area = sorted(range(len(shapes)), key=lambda i: (shapes[i].area_px, counts[i], i))
    ordered = _Ordered([shapes[i] for i in by_area])
    nodes: dict[int, TreeNode] = {}
    for place, index in reversed(list(enumerate(by_area))):  # wholes before their parts
        found = ordered.parent_of(place, settings)
        parent = None if found is None else by_area[found]
        nodes[index] = TreeNode(parent, 0 if parent is None else nodes[parent].level + 1)
    return tuple(nodes[index] for index in range(len(shapes)))


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A mask as its corners: positions of begins and ends of runs, and the mask's pixels before each."""

    corners: NDArray[np.int64]
    pixels_before: NDArray[np.int64]
    box_xyxy: tuple[int, int, int, int]

    @classmethod
    def of(cls, rle: RLE) -> _Shape:
        runs = filling_runs(rle)
        inside = runs[1::2]
        corners = runs.cumsum()[: 2 * len(inside)]
        # Before a run begins and after it ended: 0, first; first, first + second; ...
        pixels = np.repeat(np.append(0, inside.cumsum()), 2)[1:-1]
        return cls(corners, pixels, _box(corners, rle.height))

    @property
    def area_px(self) -> int:
        return int(self.pixels_before[-1]) if self.pixels_before.size else 0

    def shared_with(self, other: _Shape) -> int:
        """Pixels in both masks."""
        at_corners = np.interp(other.corners, self.corners, self.pixels_before)
        return round(float((at_corners[1::2] - at_corners[::2]).sum()))


def joined(trees: Sequence[tuple[TreeNode, ...]], starts: Sequence[int]) -> tuple[TreeNode, ...]:
    """The trees of several pictures as one, with the ids that their regions have among all."""
    return tuple(
        node if node.parent is None else TreeNode(start + node.parent, node.level)
        for nodes, start in zip(trees, starts, strict=True)
        for node in nodes
    )


def _box(corners: NDArray[np.int64], height: int) -> tuple[int, int, int, int]:
    """The smallest box around a mask's runs, right and bottom exclusive; zeros for an empty mask."""
    first, last = corners[::2], corners[1::2] - 1
    first, last = first[last >= first], last[last >= first]  # a run of no pixels says nothing
    if not first.size:
        return (0, 0, 0, 0)
    left, right = int(first[0] // height), int(last[-1] // height) + 1
    # A run that goes on in the next column has the last row of one and the first of the other.
    if (first // height < last // height).any():
        return (left, 0, right, height)
    return (left, int((first % height).min()), right, int((last % height).max()) + 1)


class _Ordered:
    """Shapes from small to large, and which of them holds another."""

    def __init__(self, shapes: Sequence[_Shape]) -> None:
        self._shapes = shapes
        self._areas = np.array([shape.area_px for shape in shapes], np.int64)
        self._boxes = np.array([shape.box_xyxy for shape in shapes], np.int64).reshape(-1, 4)

    def parent_of(self, place: int, settings: TreeSettings) -> int | None:
        """The place of the smallest shape that holds the one at ``place``, None for a root."""
        shape, area_px = self._shapes[place], self._areas[place]
        if not area_px:
            return None
        least_px = settings.containment * area_px
        for other in self._possible(place, least_px, settings.least_growth * area_px):
            if self._shapes[other].shared_with(shape) >= least_px:
                return other
        return None

    def _possible(self, place: int, least_px: float, least_area_px: float) -> Iterator[int]:
        """Places of shapes that are large enough and share enough of the box, smallest first."""
        first = max(place + 1, int(np.searchsorted(self._areas, least_area_px)))
        # Not even with a growth of 1 may two equal masks be parts of each other.
        first = max(first, int(np.searchsorted(self._areas, self._areas[place], side="right")))
        mine, theirs = self._boxes[place], self._boxes[first:]
        across = np.minimum(mine[2], theirs[:, 2]) - np.maximum(mine[0], theirs[:, 0])
        down = np.minimum(mine[3], theirs[:, 3]) - np.maximum(mine[1], theirs[:, 1])
        enough = across.clip(min=0) * down.clip(min=0) >= least_px
        yield from (first + int(one) for one in np.flatnonzero(enough))
