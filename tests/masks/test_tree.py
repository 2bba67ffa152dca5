"""The tree of masks equals what whole pictures of the masks, compared pair by pair, say."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import proposal
from hypothesis import given
from hypothesis import strategies as st

from ssa.config import TreeSettings
from ssa.masks.run_lengths import encode_runs
from ssa.masks.tree import joined, mask_tree
from ssa.types import BoolMask, MaskProposal, TreeNode

SETTINGS = TreeSettings()
HEIGHT, WIDTH = 12, 15


def box(left: int, top: int, right: int, bottom: int) -> BoolMask:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def tree_of(*masks: BoolMask, settings: TreeSettings = SETTINGS) -> list[tuple[int | None, int]]:
    nodes = mask_tree([proposal(mask) for mask in masks], settings)
    return [(node.parent, node.level) for node in nodes]


def plain_tree(masks: list[BoolMask], settings: TreeSettings) -> list[TreeNode]:
    """The rule as it reads, every pair of whole pictures compared."""
    keys = [(int(m.sum()), proposal(m).rle.counts, i) for i, m in enumerate(masks)]
    parents: list[int | None] = []
    for child in masks:
        area = child.sum()
        holding = [
            i
            for i, whole in enumerate(masks)
            if area
            and whole.sum() > area
            and whole.sum() >= settings.least_growth * area
            and (whole & child).sum() >= settings.containment * area
        ]
        parents.append(min(holding, key=lambda i: keys[i]) if holding else None)

    def level(index: int) -> int:
        parent = parents[index]
        return 0 if parent is None else 1 + level(parent)

    return [TreeNode(parent, level(i)) for i, parent in enumerate(parents)]


@st.composite
def pictures(draw: st.DrawFn) -> list[BoolMask]:
    """Overlapping boxes, some with random pixels flipped, some twice, some empty."""
    masks = []
    for _ in range(draw(st.integers(0, 9))):
        left, top = draw(st.integers(0, WIDTH)), draw(st.integers(0, HEIGHT))
        mask = box(left, top, draw(st.integers(left, WIDTH)), draw(st.integers(top, HEIGHT)))
        if draw(st.booleans()):
            rng = np.random.default_rng(draw(st.integers(0, 99)))
            mask = mask ^ (rng.random(mask.shape) < 0.1)
        masks += [mask] * draw(st.integers(1, 2))
    return masks


LOOSE_AND_STRICT = st.sampled_from(
    [SETTINGS, TreeSettings(containment=1.0, least_growth=1.0), TreeSettings(0.5, 2.0)]
)


@given(pictures(), LOOSE_AND_STRICT)
def test_equals_the_plain_rule(masks: list[BoolMask], settings: TreeSettings) -> None:
    assert list(mask_tree([proposal(m) for m in masks], settings)) == plain_tree(masks, settings)


@given(pictures(), LOOSE_AND_STRICT)
def test_levels_are_depths_and_wholes_are_larger(
    masks: list[BoolMask], settings: TreeSettings
) -> None:
    nodes = mask_tree([proposal(m) for m in masks], settings)
    for index, node in enumerate(nodes):
        if node.parent is None:
            assert node.level == 0
        else:
            assert node.level == nodes[node.parent].level + 1
            assert masks[node.parent].sum() > masks[index].sum()


@given(pictures(), st.randoms())
def test_the_order_of_the_masks_does_not_matter(masks: list[BoolMask], rng: object) -> None:
    proposals = [proposal(m) for m in masks]
    shuffled = proposals.copy()
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert relation(shuffled) == relation(proposals)


def relation(proposals: list[MaskProposal]) -> list[tuple[str, str | None, int]]:
    """Who lies in whom by run lengths: identical masks may stand for one another."""
    nodes = mask_tree(proposals, SETTINGS)
    return sorted(
        (one.rle.counts, "" if n.parent is None else proposals[n.parent].rle.counts, n.level)
        for one, n in zip(proposals, nodes, strict=True)
    )


def test_no_mask_and_one_mask() -> None:
    assert tree_of() == []
    assert tree_of(box(1, 1, 5, 5)) == [(None, 0)]


def test_trees_of_several_pictures_are_one_with_ids_among_all() -> None:
    root, part = TreeNode(None, 0), TreeNode(0, 1)
    assert joined([(root, part), (), (root, part)], [0, 2, 2]) == (root, part, root, TreeNode(2, 1))
    assert joined([], []) == ()


def test_a_hub_in_a_wheel_in_a_car() -> None:
    car, wheel, hub = box(0, 0, 14, 10), box(1, 5, 6, 10), box(3, 7, 5, 9)
    assert tree_of(hub, car, wheel) == [(2, 2), (None, 0), (1, 1)]


def test_near_copies_are_siblings_and_the_smaller_gets_the_parts() -> None:
    car, copy, wheel = box(0, 0, 12, 10), box(0, 0, 12, 11), box(2, 6, 5, 9)
    assert tree_of(car, copy, wheel) == [(None, 0), (None, 0), (0, 1)]


def test_a_part_may_stick_out_by_a_tenth() -> None:
    whole = box(0, 0, 10, 10)
    assert tree_of(whole, box(1, 1, 11, 2)) == [(None, 0), (0, 1)]
    assert tree_of(whole, box(2, 1, 12, 2)) == [(None, 0), (None, 0)]


def test_a_ring_does_not_hold_what_lies_in_its_hole() -> None:
    ring = box(0, 0, 10, 10) & ~box(3, 3, 7, 7)
    assert tree_of(ring, box(3, 3, 7, 7)) == [(None, 0), (None, 0)]


def test_a_run_that_goes_on_in_the_next_column_reaches_from_edge_to_edge() -> None:
    whole = box(0, 0, 2, HEIGHT)
    whole[:5, 0] = whole[-5:, 1] = False  # one run: the lower part of a column, then the upper
    assert tree_of(whole, box(1, 0, 2, 3)) == [(None, 0), (0, 1)]


def test_of_wholes_as_large_the_same_is_taken_in_whatever_order_they_come() -> None:
    wide, high, part = box(0, 0, 8, 4), box(0, 0, 4, 8), box(1, 1, 3, 3)
    for first, second in ((wide, high), (high, wide)):
        ((parent, _), *_) = tree_of(part, first, second)
        assert parent is not None
        assert np.array_equal((part, first, second)[parent], wide)


def test_empty_masks_are_roots_without_children() -> None:
    assert tree_of(box(0, 0, 0, 0), box(0, 0, 4, 4), box(0, 0, 0, 0)) == [(None, 0)] * 3


def test_runs_of_no_pixels_are_read_as_what_they_are() -> None:
    whole, part = proposal(box(0, 0, 9, 9)), proposal(box(2, 2, 4, 4))
    runs = np.array([2 * HEIGHT + 2, 1, 0, 1, HEIGHT - 2, 2, 0, 0], np.int64)
    runs = np.append(runs, HEIGHT * WIDTH - runs.sum())
    odd = MaskProposal(encode_runs(runs, HEIGHT, WIDTH), *_rest(part))
    assert mask_tree([whole, odd], SETTINGS) == mask_tree([whole, part], SETTINGS)


def _rest(one: MaskProposal) -> tuple[object, ...]:
    return (one.bbox_xywh, one.area_px, 0.9, 0.9, one.crop_box_xywh, one.points_xy)


def test_masks_of_two_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one picture; got sizes \(h, w\) \[\(3, 4\), \(4, 3\)\]"):
        mask_tree([proposal(np.ones(s, np.bool_)) for s in ((4, 3), (3, 4))], SETTINGS)


def test_runs_that_do_not_fill_the_picture_are_refused() -> None:
    short = MaskProposal(proposal(np.ones((3, 3), np.bool_)).rle, (0, 0, 1, 1), 4, 1, 1, (), ())  # type: ignore[arg-type]
    object.__setattr__(short.rle, "height", 2)
    with pytest.raises(ValueError, match="the picture has 2 x 3"):
        mask_tree([short], SETTINGS)


def test_a_deep_nest_is_a_chain() -> None:
    sides = [2**k for k in range(8)]
    masks = [np.pad(np.ones((side, side), np.bool_), (0, 128 - side)) for side in sides]
    assert tree_of(*masks) == [*((k + 1, 7 - k) for k in range(7)), (None, 0)]
