"""Makers of workers that have accidents, in a module that other processes can import."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ray
from dataset_doubles import FakeAnnotator

from ssa.config import Settings
from ssa.dataset.workers import Worker
from ssa.progress import Report, keep_silent
from ssa.types import AnnotatedImage, Picture


def first_here(marker: Path, text: str = "") -> bool:
    """Whether nobody, in any process, asked this before; whoever is first leaves ``text`` behind."""
    try:
        with marker.open("x") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


@dataclass(frozen=True)
class Sound:
    """Makes workers that nothing happens to."""

    def worker(self, cores: int) -> Worker:
        return Worker(FakeAnnotator(), Settings(), lanes=cores)


@dataclass(frozen=True)
class Failing:
    """Makes nothing."""

    error: Exception

    def worker(self, cores: int) -> Worker:
        raise self.error


@dataclass(frozen=True)
class Deadly:
    """Every worker dies of a picture of this height and width."""

    size_hw: tuple[int, int]

    def worker(self, cores: int) -> Worker:
        return Worker(_Deadly(self.size_hw), Settings())


@dataclass(frozen=True)
class Stuck:
    """The first worker to begin tells the id of its machine, and stays there for ever."""

    marker: Path

    def worker(self, cores: int) -> Worker:
        return Worker(_Stuck(self.marker), Settings())


class _Deadly(FakeAnnotator):
    def __init__(self, size_hw: tuple[int, int]) -> None:
        super().__init__()
        self.size_hw = size_hw

    def annotate_all(
        self, pictures: Sequence[Picture], settings: Settings, report: Report = keep_silent
    ) -> list[AnnotatedImage]:
        if any(one.image.shape[:2] == self.size_hw for one in pictures):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().annotate_all(pictures, settings)


class _Stuck(FakeAnnotator):
    def __init__(self, marker: Path) -> None:
        super().__init__()
        self.marker = marker

    def annotate_all(
        self, pictures: Sequence[Picture], settings: Settings, report: Report = keep_silent
    ) -> list[AnnotatedImage]:
        if first_here(self.marker, ray.get_runtime_context().get_node_id()):
            threading.Event().wait()
        return super().annotate_all(pictures, settings)
