from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_pictures import categories_of, example_pictures
from PIL import Image

from ssa.errors import InputError
from ssa.formats import sa1b_files
from ssa.formats.coco import write_coco
from ssa.formats.example import label_of
from ssa.formats.panoptic import write_panoptic
from ssa.score.truth import Truth, open_truth, sa1b_picture, stem_of, without_crowds
from ssa.types import AnnotatedImage

EXAMPLES = example_pictures()
NAMES = {one.picture_name: one.key for one in EXAMPLES}


def read(truth: Truth) -> dict[str, list[str | None]]:
    """The labels of each picture that is ours, by its key."""
    found, left = truth.of(NAMES)
    assert left == []
    return {
        key: [one.label for one in truth.pictures[name]().regions] for key, name in found.items()
    }


LABELS = {one.key: [label_of(each) for each in one.annotations] for one in EXAMPLES}


def test_coco_instances(tmp_path: Path) -> None:
    write_coco(EXAMPLES, tmp_path, categories_of(EXAMPLES))
    (path,) = tmp_path.rglob("*.json")
    truth = open_truth(path)
    assert truth.kind == "COCO instances"
    assert read(truth) == LABELS
    sizes = {truth.pictures[name]().size_hw for name in truth.pictures}
    assert sizes == {(one.height, one.width) for one in EXAMPLES}


def test_panoptic_by_its_file_or_its_folder(tmp_path: Path) -> None:
    write_panoptic(EXAMPLES, tmp_path, categories_of(EXAMPLES))
    truth = open_truth(tmp_path / "panoptic.json")
    assert truth.kind == "COCO panoptic"
    found = read(truth)
    assert found == read(open_truth(tmp_path))
    assert all(set(found[key]) <= set(LABELS[key]) for key in LABELS)


def test_a_folder_of_sa1bs_json(tmp_path: Path) -> None:
    for one in EXAMPLES:
        image = AnnotatedImage(one.height, one.width, one.annotations)
        path = tmp_path / f"{one.key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sa1b_files.dumps(image, one.key, one.file_name))
    truth = open_truth(tmp_path)
    assert truth.kind == "SA-1B's JSON"
    found = read(truth)
    assert found == {one.key: [each.class_name for each in one.annotations] for one in EXAMPLES}


def test_a_folder_of_label_maps(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.array([[0, 1], [2, 2]], np.uint8)).save(tmp_path / "photos" / "a.png")
    with pytest.raises(InputError, match="labels"):
        open_truth(tmp_path)
    truth = open_truth(tmp_path, ("wall", "sky"))
    found, left = truth.of({"photos/a.jpg": "photos/a.jpg"})
    assert (found, left) == ({"photos/a.jpg": "photos/a.png"}, [])
    assert [one.label for one in truth.pictures["photos/a.png"]().regions] == ["wall", "sky"]
    (tmp_path / "labels.txt").write_text("sea\nland\n")
    assert open_truth(tmp_path).pictures["photos/a.png"]().regions[0].label == "sea"


def test_pictures_of_no_or_of_several_names_are_left() -> None:
    truth = Truth("made up", dict.fromkeys(("dog.jpg", "x/dog.jpg", "owl.jpg", "cat.jpg"), _never))
    names = {"a/dog.jpg": "1", "b/cat.jpg": "2", "c/cat.jpg": "3"}
    # "x/dog.jpg" ends as the dog does, whose picture another name has already.
    assert truth.of(names) == ({"1": "dog.jpg"}, ["x/dog.jpg", "owl.jpg", "cat.jpg"])
    assert stem_of("a.b/c.tar.jpg") == "a.b/c.tar"
    assert stem_of("a.jpg.json") == stem_of("a.JPG") == "a"
    maps = Truth("made up", dict.fromkeys(("a.png", "b.png"), _never), by_stem=True)
    names = {"a.jpg": "1", "a.webp": "2", "b.jpg": "3"}
    assert maps.of(names) == ({"3": "b.png"}, ["a.png"])


def _never() -> Any:
    raise AssertionError("nothing is read before it is asked for")


def test_a_crowd_is_no_region() -> None:
    rows = [{"id": 1, "iscrowd": 1}, {"id": 2, "iscrowd": 0}, {"id": 3}, 5]
    assert without_crowds({"annotations": rows, "a": 1}) == {"annotations": rows[1:], "a": 1}
    assert without_crowds([1]) == [1]


@pytest.mark.parametrize("what", ["missing", "no json", "other json", "empty folder"])
def test_what_is_no_truth_is_told(tmp_path: Path, what: str) -> None:
    path = tmp_path / "truth"
    if what == "no json":
        path.write_text("{")
    if what == "other json":
        path.write_text("[1, 2]")
    if what == "empty folder":
        path.mkdir()
    with pytest.raises(InputError, match="expected"):
        open_truth(path)


def test_masks_without_names_are_true_masks() -> None:
    bare = json.loads(
        sa1b_files.dumps(AnnotatedImage(60, 80, EXAMPLES[0].annotations), "a", "a.jpg")
    )
    for row in bare["annotations"]:
        del row["class_name"], row["class_proposals"]
    found = sa1b_picture(bare)
    assert found.size_hw == (60, 80)
    assert [one.mask for one in found.regions] == [
        one.proposal.rle for one in EXAMPLES[0].annotations
    ]
    assert {one.label for one in found.regions} == {None}
    assert sa1b_picture({"annotations": []}).size_hw is None
    with pytest.raises(InputError):
        sa1b_picture({"annotations": [{}]})
