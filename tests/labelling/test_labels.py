from __future__ import annotations

import pytest

from ssa.labelling.labels import BANK_SETS, load_labels


@pytest.mark.parametrize(("name", "count", "first", "last"), [
    ("coco", 133, "person", "rug"),
    ("ade20k", 150, "wall", "flag"),
    ("lvis", 1198, "aerosol can", "zucchini"),
])  # fmt: skip
def test_each_set_is_whole_and_in_order(name: str, count: int, first: str, last: str) -> None:
    labels = load_labels(name)
    assert (len(labels), labels[0], labels[-1]) == (count, first, last)


@pytest.mark.parametrize("name", BANK_SETS)
def test_labels_are_plain(name: str) -> None:
    for label in load_labels(name):
        assert label == " ".join(label.lower().split())
        assert not label.endswith(("-merged", "-other", "-stuff"))
        assert "(" not in label


def test_another_set_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one of coco, ade20k, lvis; got '../coco'"):
        load_labels("../coco")
