"""Pictures on their way through the engine: in order, read ahead but not far, faults in their turn."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import stages

from ssa.api import many
from ssa.api.many import DECODERS, TOGETHER, AnyPicture, annotated
from ssa.config import MaskSettings, Settings
from ssa.engine import Engine
from ssa.errors import ImageError, OutOfMemory
from ssa.progress import StageReport, keep_silent
from ssa.stages import Progress
from ssa.types import AnnotatedImage, Picture, ProposedMasks, RGBImage
from tests.server import picture_png

BARE = Settings(label_mode="none")
WAIT_S = 20.0


@dataclass
class Watched:
    """Finds no mask; ``look`` is called with a picture's height and may raise. Keeps the heights."""

    look: Callable[[int, Progress], object] = lambda height, progress: None
    heights: list[int] = field(default_factory=list)

    def propose(self, image: RGBImage, settings: MaskSettings, progress: Progress) -> ProposedMasks:
        self.heights.append(image.shape[0])
        self.look(image.shape[0], progress)
        return ProposedMasks(())


def picture(height: int) -> RGBImage:
    return np.full((height, 5, 3), height, np.uint8)


def heights(
    pictures: Iterable[AnyPicture], proposer: Watched, device_type: str = "cpu"
) -> Iterator[int]:
    engine = Engine(replace(stages([]), proposers={"sam": proposer}))
    for image, found in annotated(engine, pictures, BARE, keep_silent, device_type):
        assert found.height == image.shape[0]
        yield found.height


@pytest.mark.parametrize("device_type", ["cpu", "cuda"])
@pytest.mark.parametrize("count", [0, 1, TOGETHER, 4 * TOGETHER + 1])
def test_all_come_in_order(count: int, device_type: str) -> None:
    wanted = list(range(1, count + 1))
    assert list(heights(map(picture, wanted), Watched(), device_type)) == wanted


def test_it_reads_ahead_but_not_far() -> None:
    read = []

    def pictures() -> Iterator[RGBImage]:
        for height in range(1, 100):
            read.append(height)
            yield picture(height)

    found = heights(pictures(), Watched())
    next(found)
    assert 2 * TOGETHER <= len(read) <= 2 * TOGETHER + DECODERS + 1
    found.close()  # type: ignore[attr-defined]


def test_large_pictures_are_fewer_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "FULL_PX", 5 * 20)
    sizes = []
    engine = Engine(replace(stages([]), proposers={"sam": Watched()}))
    through = engine.annotate_all

    def counting(pictures: Sequence[Picture], *others: Any) -> list[AnnotatedImage]:
        sizes.append(len(pictures))
        return through(pictures, *others)

    monkeypatch.setattr(engine, "annotate_all", counting)
    pictures = map(picture, [1, 2, 3, 30, 7, 8, 9, 10])
    assert len(list(annotated(engine, pictures, BARE, keep_silent, "cpu"))) == 8
    assert sizes == [4, 3, 1]


def test_the_engine_works_while_a_result_is_looked_at() -> None:
    is_at_second_group = threading.Event()

    def look(height: int, _: Progress) -> None:
        if height == TOGETHER + 1:
            is_at_second_group.set()

    found = heights(map(picture, range(1, 20)), Watched(look))
    assert next(found) == 1
    assert is_at_second_group.wait(WAIT_S)


def test_with_a_gpu_two_groups_are_in_the_engine_at_once() -> None:
    meeting = threading.Barrier(2, timeout=WAIT_S)  # one alone would wait for the other in vain

    def look(height: int, _: Progress) -> None:
        if height in (1, TOGETHER + 1):
            meeting.wait()

    assert len(list(heights(map(picture, range(1, 9)), Watched(look), "cuda"))) == 8


def test_what_others_hold_is_taken_as_it_is_when_it_comes() -> None:
    buffer = picture(7)

    def frames() -> Iterator[RGBImage]:
        for value in range(10):
            buffer[:] = value
            yield buffer

    engine = Engine(replace(stages([]), proposers={"sam": Watched()}))
    seen = [image for image, _ in annotated(engine, frames(), BARE, keep_silent, "cpu")]
    assert [int(image[0, 0, 0]) for image in seen] == list(range(10))


def test_a_picture_that_is_none_is_told_in_its_turn(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    good.write_bytes(picture_png(32))
    found = heights([good, picture(3), tmp_path / "none.png", good], Watched())
    assert [next(found), next(found)] == [32, 3]
    with pytest.raises(ImageError, match="no file behind it"):
        next(found)


@pytest.mark.parametrize("place", range(TOGETHER + 2))
def test_what_the_engine_has_no_room_for_is_told_in_its_turn(place: int) -> None:
    def look(height: int, _: Progress) -> None:
        if height == place + 1:
            raise OutOfMemory("expected less")

    found = heights(map(picture, range(1, 9)), Watched(look))
    assert [next(found) for _ in range(place)] == list(range(1, place + 1))
    with pytest.raises(OutOfMemory, match="expected less"):
        next(found)


def test_who_stops_asking_ends_the_work_between_two_batches() -> None:
    is_at_work = threading.Event()

    def look(height: int, progress: Progress) -> None:
        for _ in range(10**6 if height > TOGETHER else 0):  # long, unless a report ends it
            is_at_work.set()
            progress(1, 2)

    proposer = Watched(look)
    found = heights(map(picture, range(1, 20)), proposer)
    assert next(found) == 1
    assert is_at_work.wait(WAIT_S)
    found.close()  # type: ignore[attr-defined]
    assert max(proposer.heights) == TOGETHER + 1


def test_who_brings_pictures_and_fails_is_told_after_all_results() -> None:
    def pictures() -> Iterator[RGBImage]:
        yield from map(picture, range(1, 11))
        raise KeyError("the eleventh")

    found = heights(pictures(), Watched())
    assert [next(found) for _ in range(10)] == list(range(1, 11))
    with pytest.raises(KeyError, match="the eleventh"):
        next(found)


def test_what_a_report_raises_is_its_own_and_ends_the_work() -> None:
    def report(_: StageReport) -> None:
        raise OutOfMemory("mine")

    proposer = Watched(lambda height, progress: progress(1, 2))
    engine = Engine(replace(stages([]), proposers={"sam": proposer}))
    found = annotated(engine, map(picture, range(1, 4)), BARE, report, "cpu")
    with pytest.raises(OutOfMemory, match="mine"):
        next(found)
    assert proposer.heights == [1]


def test_warnings_are_afterwards_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(picture_png(32))
    before = list(warnings.filters)
    assert len(list(heights([path] * 60, Watched()))) == 60
    assert list(warnings.filters) == before
