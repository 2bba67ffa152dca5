"""A tree that loses masks is still one, and parts go to the next whole above them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ssa.masks.pruning import pruned
from ssa.types import TreeNode

CHAIN = (TreeNode(None, 0), TreeNode(0, 1), TreeNode(1, 2), TreeNode(2, 3), None)


def test_parts_of_what_is_gone_go_to_the_whole_above() -> None:
    assert pruned(CHAIN, [0, 3]) == (TreeNode(None, 0), TreeNode(0, 1))
    assert pruned(CHAIN, [3, 2]) == (TreeNode(1, 1), TreeNode(None, 0))
    assert pruned(CHAIN, [4, 1]) == (None, TreeNode(None, 0))
    assert pruned(CHAIN, range(5)) == CHAIN


def test_a_tree_that_goes_round_has_an_end() -> None:
    assert pruned((TreeNode(1, 1), TreeNode(0, 1)), [0]) == (TreeNode(None, 0),)


@st.composite
def trees(draw: st.DrawFn) -> list[TreeNode]:
    nodes: list[TreeNode] = []
    for number in range(draw(st.integers(0, 8))):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        nodes.append(TreeNode(parent, 0 if parent is None else nodes[parent].level + 1))
    return nodes


@given(trees(), st.data())
def test_levels_count_the_wholes_that_are_left(nodes: list[TreeNode], data: st.DataObject) -> None:
    kept = data.draw(st.permutations(range(len(nodes))).flatmap(lambda all_: st.just(all_[::2])))
    found = pruned(nodes, kept)
    for node in found:
        assert node is not None
        parent = None if node.parent is None else found[node.parent]
        assert node.level == (0 if parent is None else parent.level + 1)
