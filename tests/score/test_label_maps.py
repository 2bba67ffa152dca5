from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssa.errors import InputError
from ssa.labelling.labels import load_labels
from ssa.masks.run_lengths import decode
from ssa.score.label_maps import label_map_regions, labels_beside, labels_called, read_labels


def saved(path: Path, ids: list[list[int]], mode: type = np.uint8) -> Path:
    Image.fromarray(np.array(ids, mode)).save(path)
    return path


def test_classes_count_from_one_and_are_a_region_each(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", [[0, 1, 1], [2, 1, 255]])
    found = label_map_regions(path, ["wall", "sky"])
    assert found.size_hw == (2, 3)
    assert [one.label for one in found.regions] == ["wall", "sky"]
    assert decode(found.regions[0].mask).tolist() == [[False, True, True], [False, True, False]]


def test_many_classes_have_sixteen_bits_and_255_is_one_of_them(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", [[255, 300]], np.uint16)
    names = [f"class {number}" for number in range(1, 301)]
    found = label_map_regions(path, names)
    assert [one.label for one in found.regions] == ["class 255", "class 300"]


@pytest.mark.parametrize("what", ["missing", "text", "colours", "no name"])
def test_what_is_no_map_is_told(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.png"
    if what == "text":
        path.write_text("no picture")
    if what == "colours":
        Image.new("RGB", (2, 2)).save(path)
    if what == "no name":
        saved(path, [[3]])
    with pytest.raises(InputError, match=r"a\.png"):
        label_map_regions(path, ["wall", "sky"])


def test_names_stand_in_a_file_or_are_a_set_of_ours(tmp_path: Path) -> None:
    assert labels_beside(tmp_path) is None
    (tmp_path / "labels.json").write_text(json.dumps(["wall", "sky"]))
    assert labels_beside(tmp_path) == ("wall", "sky")
    (tmp_path / "labels.txt").write_text("wall\n sea \n\n")
    assert labels_beside(tmp_path) == labels_called(str(tmp_path / "labels.txt")) == ("wall", "sea")
    assert labels_called("ade20k") == load_labels("ade20k")
    (tmp_path / "bad.json").write_text('{"a": 1}')
    for name in ("bad.json", "missing.txt"):
        with pytest.raises(InputError, match=name):
            read_labels(tmp_path / name)


def test_an_empty_line_would_move_all_names_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("wall\n floor \n\n\n")
    assert read_labels(path) == ("wall", "floor")
    path.write_text("wall\n\nfloor\n")
    with pytest.raises(
        InputError, match=r"a name for each class in labels\.txt; got none for class 2"
    ):
        read_labels(path)
