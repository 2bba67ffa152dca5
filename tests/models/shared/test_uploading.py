from __future__ import annotations

import numpy as np
import torch

from ssa.models.shared.uploading import on_device, upload
from ssa.pictures.canvas import Canvas
from tests.models.spying import noise

CPU = torch.device("cpu")


def test_a_picture_keeps_its_bytes_and_has_its_colours_first() -> None:
    picture = noise(7, 5)
    for taken in (picture, picture[:, ::-1], np.asfortranarray(picture)):
        sent = upload(taken, CPU)
        assert sent.dtype == torch.uint8
        assert np.array_equal(sent.permute(1, 2, 0).numpy(), taken)


def test_a_picture_that_is_not_to_be_written_to_is_copied() -> None:
    picture = noise(7, 5)
    picture.setflags(write=False)
    assert not np.shares_memory(upload(picture, CPU).numpy(), picture)


def test_with_its_canvas_a_picture_is_sent_once() -> None:
    picture = noise(7, 5)
    canvas = Canvas(picture)
    assert on_device(canvas, CPU) is on_device(canvas, CPU)
    assert on_device(picture, CPU) is not on_device(picture, CPU)
    assert torch.equal(on_device(canvas, CPU), upload(picture, CPU))
