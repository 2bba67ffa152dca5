"""The table: the largest first, parts below their wholes, scores where classes are one's own."""

from __future__ import annotations

from typing import Any

from ssa.cli.table import ROWS, table


def record(name: str, area: int) -> dict[str, Any]:
    return {
        "segmentation": {"size": [10, 20], "counts": ""},
        "area": area,
        "predicted_iou": 0.9,
        "class_name": name,
        "class_proposals": [name, "thing"],
    }


def test_the_table_lists_the_largest_first() -> None:
    header, first, second = table([record("ball", 2), record("green lawn", 150)])
    assert header.split() == ["label", "area", "quality", "proposals"]
    assert first == "green lawn   75.0%     0.90  green lawn, thing"
    assert second.startswith("ball      ")


def test_a_long_table_is_cut_and_an_empty_one_says_so() -> None:
    long = table([record("leaf", 1)] * (ROWS + 3))
    assert long[-1] == "... and 3 smaller ones"
    assert table([]) == ["no masks found"]


def test_parts_stand_below_their_wholes() -> None:
    ball = record("ball", 90) | {"id": 0, "parent_id": None, "level": 0}
    wheel = record("wheel", 20) | {"id": 1, "parent_id": 3, "level": 1}
    spoke = record("spoke", 2) | {"id": 2, "parent_id": 1, "level": 2}
    car = record("car", 80) | {"id": 3, "parent_id": None, "level": 0}
    door = record("door", 10) | {"id": 4, "parent_id": 3, "level": 1}
    _, *lines = table([ball, wheel, spoke, car, door])
    assert [line.split("  0.9")[0].rstrip().rsplit("  ", 1)[0].rstrip() for line in lines] == [
        "ball",
        "car",
        "  wheel",
        "    spoke",
        "  door",
    ]


def test_masks_without_labels_have_a_dash() -> None:
    bare = record("", 50)
    del bare["class_name"], bare["class_proposals"]
    assert table([bare])[1] == "-       25.0%     0.90"


def test_scores_of_ones_own_classes_and_how_near_unknown_was() -> None:
    scores = [{"label": "car", "score": 0.2}, {"label": "house", "score": 0.0912}]
    unknown = record("unknown", 50) | {
        "class_proposals": ["car", "house"],
        "detail": {"clip": scores},
    }
    (_, line) = table([unknown], unknown_below=0.3)
    assert line.endswith("car 0.200, house 0.091 (all classes 0.291, needed 0.3)")
    known = unknown | {"class_name": "car"}
    assert table([known], unknown_below=0.3)[1].endswith("car 0.200, house 0.091")
    assert table([known])[1].endswith("car, house")
