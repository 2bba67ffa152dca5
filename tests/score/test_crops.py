from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssa.errors import InputError
from ssa.score.crops import FOUND, LARGEST, TRUE, crop_of
from ssa.score.regions import Region
from ssa.score.worst import Case
from tests.score.drawn import box

SIZE = 200, 300


def place(path: Path) -> None:
    Image.new("RGB", SIZE[::-1], (120, 120, 120)).save(path, format="PNG")


def case(true: Region | None, found: Region | None, put: object = place) -> Case:
    return Case(1.0, "named wrong", "a.png", found, true, 0.5, put)  # type: ignore[arg-type]


def pixels(uri: str) -> np.ndarray:
    assert uri.startswith("data:image/jpeg;base64,")
    data = base64.b64decode(uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def nearest(crop: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int(np.abs(crop - np.array(colour)).sum(-1).min())


def test_the_crop_is_around_the_region_with_both_outlines() -> None:
    true, found = Region(box(100, 50, 80, 40, SIZE), "a"), Region(box(110, 60, 80, 40, SIZE), "b")
    crop = pixels(crop_of(case(true, found)))
    # 90 × 50 pixels of both, and a quarter of 89 around them: 134 × 94, enlarged to 320.
    assert crop.shape[1] == LARGEST
    assert crop.shape[0] == round(LARGEST * 94 / 134)
    assert nearest(crop, TRUE) < 60
    assert nearest(crop, FOUND) < 60
    assert np.abs(crop[0, 0] - 120).max() < 8


def test_one_outline_alone_is_enough() -> None:
    crop = pixels(crop_of(case(None, Region(box(0, 0, 2, 2, SIZE), "b"))))
    assert nearest(crop, TRUE) > 100 > nearest(crop, FOUND)
    empty = Region(box(0, 0, 0, 0, SIZE), "b")
    assert pixels(crop_of(case(empty, None))).shape[1] == LARGEST


def test_a_picture_that_is_not_at_hand_is_told_without_its_path() -> None:
    def gone(path: Path) -> None:
        raise ValueError(f"nothing at /secret/{path.name}")

    def text(path: Path) -> None:
        path.write_text("no picture")

    def other(path: Path) -> None:
        Image.new("RGB", (4, 4)).save(path, format="PNG")

    region = Region(box(0, 0, 2, 2, SIZE), "b")
    for put in (None, gone, text, other):
        with pytest.raises(InputError) as told:
            crop_of(case(region, None, put))
        assert "picture" in str(told.value)
        assert "secret" not in str(told.value)
