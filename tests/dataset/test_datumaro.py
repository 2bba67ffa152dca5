"""datumaro imports what ``ssa annotate`` writes as it lies; it wants older packages, hence apart."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from environments import made, pins

from ssa.cli import app
from toyworld.sa1b_layout import Layout, write_scenes

IMPORT = """
import json, sys
from collections import Counter
import datumaro
found = datumaro.Dataset.import_from(sys.argv[1], "coco")
kinds = Counter(type(one).__name__ for item in found for one in item.annotations)
print(json.dumps([len(found), sorted(item.media.size for item in found), kinds]))
"""


@pytest.mark.slow  # it installs; .ci/run asks for it by name
def test_both_kinds_of_coco_with_their_pictures(tmp_path: Path) -> None:
    write_scenes(tmp_path / "sa", 4, 5, Layout(size_px=128))
    formats = ["--format", "coco,coco-polygons", "--link-images"]
    typed = [str(tmp_path / "sa"), "--out", str(tmp_path / "out"), "--bundle", "tiny", *formats]
    assert app.main(["annotate", *typed]) == 0
    records = json.loads((tmp_path / "out/coco/annotations/instances_default.json").read_bytes())
    sizes = sorted([picture["height"], picture["width"]] for picture in records["images"])
    masks = len(records["annotations"])
    assert masks > 4
    locked = pins(tmp_path / "pins.txt", "--only-group", "readers")
    programs = made(tmp_path / "env", "-r", locked)
    for name, kind in (("coco", "RleMask"), ("coco-polygons", "Polygon")):
        command = [programs / "python", "-c", IMPORT, tmp_path / "out" / name]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        pictures, found_sizes, kinds = json.loads(told.splitlines()[-1])
        assert (pictures, found_sizes, kinds["Bbox"]) == (4, sizes, masks)
        assert kinds[kind] >= masks
