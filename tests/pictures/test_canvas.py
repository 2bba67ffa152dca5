"""Crops and masks as values: lists to whoever takes them for such, and made of a picture once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ssa.masks.run_lengths import encode
from ssa.pictures.canvas import Canvas, Crops, MaskParts, Masks
from ssa.types import RLE, RGBImage

PICTURE = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)


def test_what_is_made_of_a_picture_is_made_once_for_each_key() -> None:
    canvas, calls = Canvas(PICTURE), list[str]()

    def made(name: str) -> RGBImage:
        def make(pixels: RGBImage) -> RGBImage:
            calls.append(name)
            return pixels + 1

        return canvas.once(name, make)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(made, ["a", "b"] * 20))
    assert sorted(calls) == ["a", "b"]
    assert all(one is found[number % 2] for number, one in enumerate(found))
    assert np.array_equal(found[0], PICTURE + 1)


def test_crops_are_a_list_of_views() -> None:
    crops = Crops([Canvas(PICTURE), Canvas(PICTURE[::-1])], [(2, 3, 9, 8), (0, 0, 30, 20)])
    first, second = crops
    assert np.array_equal(first, PICTURE[3:8, 2:9])
    assert np.shares_memory(first, PICTURE)
    assert np.array_equal(second, PICTURE[::-1])
    assert [one.shape for one in crops[1:]] == [(20, 30, 3)]
    assert len(crops[:0]) == 0
    assert crops[1:].about_xyxy is None


def test_crops_may_say_what_they_are_about() -> None:
    canvas = Canvas(PICTURE)
    crops = Crops([canvas] * 2, [(2, 3, 9, 8), (0, 0, 30, 20)], [(3, 4, 8, 7), (5, 5, 9, 9)])
    assert crops[1:].about_xyxy == [(5, 5, 9, 9)]


def test_parts_of_masks_are_a_list_of_them() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[4:9, 5:12] = True
    parts = MaskParts([encode(mask), encode(~mask)], [(5, 4, 13, 8), (0, 0, 30, 20)])
    assert [part.shape for part in parts] == [(4, 8), (20, 30)]
    assert np.array_equal(parts[0], mask[4:8, 5:13])
    assert np.array_equal(parts[1:][0], ~mask)


def test_masks_are_a_list_and_what_is_made_of_them_is_made_once() -> None:
    one, other = (encode(np.full((4, 5), inside)) for inside in (True, False))
    masks, calls = Masks([one, other]), list[object]()

    def make(rles: Sequence[RLE]) -> int:
        calls.append(rles)
        return len(rles)

    assert [masks.once("count", make) for _ in range(3)] == [2, 2, 2]
    assert calls == [(one, other)]
    assert list(masks) == [one, other]
    assert list(masks[1:]) == [other]
    assert masks[1:].once("count", make) == 1
