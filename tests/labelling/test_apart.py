"""Regions that share no pixel keep their names, and their places among wholes and parts."""

from __future__ import annotations

import numpy as np
from fakes import proposal

from ssa.labelling.apart import apart
from ssa.types import Annotation, TreeNode


def named(label: str, rows: slice, node: TreeNode | None = None) -> Annotation:
    mask = np.zeros((6, 4), np.bool_)
    mask[rows] = True
    return Annotation(proposal(mask), label, (label,), node=node)


def test_the_smaller_takes_its_pixels_from_the_larger() -> None:
    house, roof = apart([named("house", slice(0, 6)), named("roof", slice(0, 2))])
    assert (house.class_name, house.proposal.area_px) == ("house", 16)
    assert (roof.class_name, roof.proposal.area_px) == ("roof", 8)


def test_what_is_hidden_is_gone_and_its_parts_go_to_the_whole_above() -> None:
    tree = [
        named("house", slice(0, 6), TreeNode(None, 0)),
        named("wall", slice(2, 6), TreeNode(0, 1)),
        named("door", slice(2, 4), TreeNode(1, 2)),
        named("step", slice(4, 6), TreeNode(1, 2)),
    ]
    found = apart(tree)
    assert [one.class_name for one in found] == ["house", "door", "step"]
    assert [one.node for one in found] == [TreeNode(None, 0), TreeNode(0, 1), TreeNode(0, 1)]
    assert apart([]) == ()
