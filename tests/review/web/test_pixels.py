"""Pictures for the browser."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssa.errors import InputError
from ssa.masks.painting import paint
from ssa.masks.run_lengths import encode
from ssa.review.web.pixels import id_map, jpeg, pixels_of, thumbnail
from ssa.sources.item import Blob


def test_the_map_holds_more_ids_than_a_byte() -> None:
    masks = []
    for i in range(300):
        mask = np.zeros((20, 30), np.bool_)
        mask.reshape(-1)[i] = True
        masks.append(encode(mask))
    planes = np.frombuffer(zlib.decompress(id_map(masks, 20, 30)), np.uint8).reshape(3, 20, 30)
    ids = planes[0] + 256 * planes[1].astype(int) + 65_536 * planes[2].astype(int)
    assert np.array_equal(ids - 1, paint(masks, 20, 30))


def test_a_thumbnail_darkens_what_is_around() -> None:
    mask = np.zeros((40, 40), np.bool_)
    mask[10:30, 10:30] = True
    white = np.full((40, 40, 3), 255, np.uint8)
    found = np.asarray(Image.open(BytesIO(thumbnail(white, encode(mask)))))
    assert found[found.shape[0] // 2, found.shape[1] // 2].min() > 240
    assert found[0, 0].max() < 120
    whole = Image.open(BytesIO(thumbnail(white[:20], encode(mask))))
    assert whole.size == (40, 20)


def test_a_picture_that_is_gone_is_said_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        pixels_of(Blob(tmp_path / "gone.jpg", 0, 5))
    assert str(tmp_path) not in str(raised.value)
    assert jpeg(np.zeros((4, 4, 3), np.uint8)).startswith(b"\xff\xd8")
