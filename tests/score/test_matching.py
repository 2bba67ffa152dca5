from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ssa.masks.overlaps import ious
from ssa.score.matching import LIMITS, THRESHOLDS, matched, ranks, recalled
from ssa.score.regions import Region
from tests.score.drawn import SIZE, box, region

pytestmark = pytest.mark.filterwarnings("ignore:__array__")

BOXES = st.builds(
    lambda left, top, wide, high: (left, top, wide, high),
    *(st.integers(0, 12), st.integers(0, 8), st.integers(2, 12), st.integers(2, 10)),
)
REGIONS = st.lists(
    st.builds(
        lambda where, score: Region(box(*where), "dog", score=score),
        *(BOXES, st.floats(0, 1, width=16)),
    ),
    max_size=6,
    unique_by=(lambda one: one.score, lambda one: one.mask.counts),
)


def shared(found: list[Region], true: list[Region]) -> np.ndarray:
    return ious([one.mask for one in found], [one.mask for one in true])


def test_the_sum_of_ious_decides_and_not_the_single_best() -> None:
    # Found by true: 0.9 and 0.8; 0.85 and 0.3. The best pair (0.9) would leave nothing for the other: 0.3 is
    # no match. Together 0.8 + 0.85 are more.
    table = np.array([[0.9, 0.8], [0.85, 0.3]])
    two = [region((0, 0, 5, 5)), region((0, 0, 5, 6))]
    order = ranks(two)
    pairs = matched(two, two, table)
    assert pairs == {0: 1, 1: 0}
    assert sorted(order) == [0, 1]


def test_less_than_half_is_no_match() -> None:
    one = [region((0, 0, 5, 5))]
    assert matched(one, one, np.array([[0.49]])) == {}
    assert matched(one, one, np.array([[0.5]])) == {0: 0}
    assert matched([], one, np.zeros((0, 1))) == matched(one, [], np.zeros((1, 0))) == {}


def test_of_equal_masks_those_of_one_id_go_together() -> None:
    found = [region((0, 0, 5, 5), "a", id=1), region((0, 0, 5, 5), "b", id=2)]
    true = [region((0, 0, 5, 5), "z", id=1), region((0, 0, 5, 5), "y", id=2)]
    assert matched(found, true, np.ones((2, 2))) == {0: 0, 1: 1}


@given(REGIONS, REGIONS, st.randoms(use_true_random=False))
def test_the_order_of_regions_changes_nothing(
    found: list[Region], true: list[Region], random: object
) -> None:
    mixed, other = found.copy(), true.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]
    random.shuffle(other)  # type: ignore[attr-defined]

    def pairs(found: list[Region], true: list[Region]) -> set[tuple[Region, Region]]:
        matches = matched(found, true, shared(found, true))
        return {(found[ours], true[theirs]) for theirs, ours in matches.items()}

    assert pairs(found, true) == pairs(mixed, other)
    assert (recalled(found, shared(found, true)) == recalled(mixed, shared(mixed, other))).all()


def test_recall_by_hand() -> None:
    # Two of a true box of 10 × 4: one of 10 × 3 (IoU 0.75), surer, and the box itself.
    true = [region((0, 0, 10, 4))]
    found = [region((0, 0, 10, 3), score=0.9), region((0, 0, 10, 4), score=0.8)]
    hits = recalled(found, shared(found, true))
    # The surer takes it up to 0.75; from 0.8 on the other does: with 10 masks or more it is always found.
    assert hits.tolist() == [[1] * 10] * 3
    alone = recalled(found[:1], shared(found[:1], true))
    assert alone[0].tolist() == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert recalled([], np.zeros((0, 1))).sum() == 0


def test_masks_beyond_the_limit_do_not_count() -> None:
    true = [region((0, 0, 10, 4))]
    others = [region((12, 10, 1 + n, 2), score=0.9) for n in range(10)]
    found = [*others, region((0, 0, 10, 4), score=0.1)]
    assert recalled(found, shared(found, true))[:, 0].tolist() == [0, 1, 1]


@given(REGIONS, REGIONS.filter(bool))
def test_it_is_what_cocoeval_counts(found: list[Region], true: list[Region]) -> None:
    evaluation = COCOeval(_coco(true), _coco(found), "segm")
    evaluation.params.maxDets = [*LIMITS]
    evaluation.params.useCats = 0
    evaluation.params.areaRng = [[0, 1e10]]
    evaluation.params.areaRngLbl = ["all"]
    evaluation.params.iouThrs = np.array(THRESHOLDS)
    evaluation.evaluate()
    evaluation.accumulate()
    recalls = evaluation.eval["recall"][:, 0, 0, :].T.clip(0)
    assert recalled(found, shared(found, true)) / len(true) == pytest.approx(recalls)


def _coco(regions: list[Region]) -> COCO:
    coco = COCO()
    coco.dataset = {
        "images": [{"id": 1, "height": SIZE[0], "width": SIZE[1]}],
        "categories": [{"id": 1, "name": "dog"}],
        "annotations": [
            {
                "id": number,
                "image_id": 1,
                "category_id": 1,
                "iscrowd": 0,
                "area": 1,
                "score": one.score,
                "segmentation": {"size": [*SIZE], "counts": one.mask.counts.encode()},
            }
            for number, one in enumerate(regions, start=1)
        ],
    }
    coco.createIndex()
    return coco
