"""A tree of wholes and parts without some of its masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ssa.types import TreeNode


def pruned(nodes: Sequence[TreeNode | None], kept: Sequence[int]) -> tuple[TreeNode | None, ...]:
    """The places of some masks when the others are gone: parts of what is gone go to the whole above it.

    ``kept`` are the positions that stay, in their new order. What had no place has none.
    """
    new = {position: place for place, position in enumerate(kept)}
    found: list[TreeNode | None] = []
    for position in kept:
        above = [new[one] for one in _above(nodes, position) if one in new]
        has_place = nodes[position] is not None
        found.append(TreeNode(above[0] if above else None, len(above)) if has_place else None)
    return tuple(found)


def _above(nodes: Sequence[TreeNode | None], position: int) -> Iterator[int]:
    """The wholes above a mask, from the nearest on; a file may hold a tree that goes round."""
    seen = {position}
    while (node := nodes[position]) is not None and node.parent is not None:
        position = node.parent
        if position in seen:
            return
        seen.add(position)
        yield position
