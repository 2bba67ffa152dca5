"""What is drawn: in which order, under which name, in whose colour."""

import numpy as np
import pytest
from drawn_regions import annotated, of_groups, rectangle

from ssa.drawing.colours import GREY, label_colour
from ssa.drawing.regions import NOBODY, regions_of
from ssa.types import AnnotatedImage, LabelMap

SHAPE = (20, 30)
LARGE, SMALL = rectangle(SHAPE, 2, 2, 18, 28), rectangle(SHAPE, 5, 5, 9, 9)


def test_the_smaller_lies_on_top_in_whatever_order_they_come() -> None:
    for order in ([(SMALL, "dog"), (LARGE, "lawn")], [(LARGE, "lawn"), (SMALL, "dog")]):
        regions, owner = regions_of(annotated(*order))
        assert [one.name for one in regions] == ["lawn", "dog"]
        assert [one.colour for one in regions] == [label_colour("lawn"), label_colour("dog")]
        assert (owner[6, 6], owner[15, 15], owner[0, 0]) == (1, 0, NOBODY)


@pytest.mark.parametrize(
    ("name", "cluster", "expected"),
    [
        ("dog", None, ("dog", "dog", label_colour("dog"))),
        ("dog", 3, ("dog", "cluster 3: dog", label_colour("cluster 3"))),
        ("cluster 3", 3, ("cluster 3", "cluster 3", label_colour("cluster 3"))),
        ("unclustered", -1, ("", "unclustered", GREY)),
        (None, None, ("", "region", label_colour("region 0"))),
    ],
)
def test_names_rows_and_colours(
    name: str | None, cluster: int | None, expected: tuple[object, ...]
) -> None:
    ((region,), _) = regions_of(of_groups((LARGE, name, cluster)))
    assert (region.name, region.entry, region.colour) == expected


def test_of_a_label_map_the_classes_that_occur_are_the_regions() -> None:
    ids = np.zeros(SHAPE, np.int16)
    ids[:5, :4] = 2
    regions, owner = regions_of(AnnotatedImage(*SHAPE, (), {}, LabelMap("x", ids, ("a", "b", "c"))))
    assert [(one.name, one.box_xyxy) for one in regions] == [
        ("a", (0, 0, 30, 20)),
        ("c", (0, 0, 4, 5)),
    ]
    assert np.array_equal(owner == 1, ids == 2)
