"""A picture's files: which there are, that they are whole, and that none is left of a picture before."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ssa.api.files import ANNOTATIONS, CLASSES, LABEL_MAP, NAMES, OVERLAY, encode_png, write_files
from ssa.types import AnnotatedImage, Annotation, LabelMap, RGBImage
from tests.fakes import proposal, squares

PICTURE: RGBImage = np.full((20, 30, 3), 90, np.uint8)


def annotated(*, closed: bool = False) -> AnnotatedImage:
    annotations = tuple(Annotation(proposal(mask), "sky", ("sky",)) for mask in squares(20, 30, 10))
    label_map = LabelMap("coco", np.ones((20, 30), np.int16), ("sky", "tree"))
    return AnnotatedImage(20, 30, annotations, label_map=label_map if closed else None)


def test_a_picture_has_an_overlay_and_annotations(tmp_path: Path) -> None:
    written = write_files(tmp_path / "new", PICTURE, annotated())
    assert written == {name: tmp_path / "new" / name for name in (OVERLAY, ANNOTATIONS)}
    assert len(json.loads(written[ANNOTATIONS].read_bytes())) == 6
    with Image.open(written[OVERLAY]) as overlay:
        assert (overlay.size, overlay.mode) == ((30, 20), "RGB")


def test_a_closed_set_has_its_label_map_and_classes_too(tmp_path: Path) -> None:
    assert set(write_files(tmp_path, PICTURE, annotated(closed=True))) == set(NAMES)
    with Image.open(tmp_path / LABEL_MAP) as label_map:
        assert label_map.size == (30, 20)
    assert "tree" in (tmp_path / CLASSES).read_text()


def test_files_of_the_picture_before_do_not_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    write_files(tmp_path, PICTURE, annotated(closed=True))
    write_files(tmp_path, PICTURE, annotated(), json=False)
    assert {path.name for path in tmp_path.iterdir()} == {OVERLAY, "mine.txt"}


def test_detail_says_more_of_each_mask(tmp_path: Path) -> None:
    sizes = [
        write_files(tmp_path, PICTURE, annotated(), detail=detail)[ANNOTATIONS].stat().st_size
        for detail in (False, True)
    ]
    assert sizes[0] < sizes[1]


def test_a_png_holds_the_pixels() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (7, 5, 3), np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(encode_png(picture)))), picture)
