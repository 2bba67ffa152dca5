"""An engine and workers for the tests of runs: quick, and the same answer for the same picture."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from fakes import proposal, squares
from PIL import Image

from ssa.config import Settings
from ssa.dataset.identity import Identity
from ssa.dataset.outcomes import Group, GroupDone
from ssa.dataset.workers import Worker
from ssa.errors import Fault, InputError
from ssa.progress import Report, keep_silent
from ssa.sources import Item
from ssa.sources.item import Blob
from ssa.types import AnnotatedImage, Annotation, Picture

IDENTITY = Identity({"settings": "the tests'"})
UNLUCKY = (13, 13)
"""Height and width of pictures that the fake engine fails on."""


@dataclass
class FakeAnnotator:
    """Names quarters of a picture by their shade; keeps how many pictures came at once.

    With a ``log`` it also writes down each picture's mean there, before it answers: whoever dies
    afterwards leaves a trace.
    """

    log: Path | None = None
    calls: list[int] = field(default_factory=list)

    def annotate_all(
        self, pictures: Sequence[Picture], settings: Settings, report: Report = keep_silent
    ) -> list[AnnotatedImage]:
        self.calls.append(len(pictures))
        return [self._annotate(picture) for picture in pictures]

    def _annotate(self, picture: Picture) -> AnnotatedImage:
        height, width = picture.image.shape[:2]
        if (height, width) == UNLUCKY:
            raise InputError("expected luck; got none")
        if self.log is not None:
            with self.log.open("a") as log:
                log.write(f"{picture.image.astype(int).sum()}\n")
        proposals = picture.proposals
        if proposals is None:
            proposals = tuple(map(proposal, squares(height, width, max(height, width) // 2 + 1)))
        name = f"shade {picture.image.mean() // 16:.0f}"
        return AnnotatedImage(
            height, width, tuple(Annotation(one, name, (name, "colour")) for one in proposals)
        )


@dataclass
class FakeWorkers:
    """One real worker around a fake engine; remembers the groups it was given."""

    engine: FakeAnnotator = field(default_factory=FakeAnnotator)
    lanes: int = 2
    groups: list[int] = field(default_factory=list)

    def run(self, groups: Iterable[Group]) -> Iterator[GroupDone]:
        return Worker(self.engine, Settings(), lanes=self.lanes).run(self._seen(groups))

    def _seen(self, groups: Iterable[Group]) -> Iterator[Group]:
        for group in groups:
            self.groups.append(group.number)
            yield group


@dataclass
class Watcher:
    """Keeps what a run told."""

    pictures: int = 0
    done: int = 0
    masks: int = 0
    faults: list[Fault] = field(default_factory=list)
    exported: list[str] = field(default_factory=list)
    has_ended: bool = False

    def listed(self, pictures: int, done: int) -> None:
        self.pictures, self.done = pictures, done

    def group(self, pictures: int, masks: int, faults: Sequence[Fault]) -> None:
        self.done += pictures - len(faults)
        self.masks += masks
        self.faults += faults

    def exporting(self, name: str) -> None:
        self.exported.append(name)

    def ended(self) -> None:
        self.has_ended = True


def png(size_hw: tuple[int, int], seed: int) -> bytes:
    """A picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size_hw, 3), np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels // 8 * (1 + seed % 7)).save(buffer, format="PNG")
    return buffer.getvalue()


def draw_pictures(folder: Path, count: int, size_hw: tuple[int, int] = (12, 16)) -> list[Path]:
    """``count`` different pictures, 000.png and on."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(png(size_hw, number))
    return paths


def items_of(paths: Iterable[Path], source: str = "pictures") -> list[Item]:
    """One item a file, in order."""
    return [
        Item(f"{source}/{path.name}", path.name, Blob(path, 0, path.stat().st_size))
        for path in paths
    ]


def files_of(root: Path, but: Callable[[str], bool] = lambda name: False) -> dict[str, bytes]:
    """All that lies in an output folder, by name; not what is the run's own."""
    names = sorted(
        os.path.join(folder, name)[len(str(root)) + 1 :]
        for folder, _, files in os.walk(root)
        for name in files
    )
    return {
        name: (root / name).read_bytes()
        for name in names
        if not name.startswith(".ssa/") and not but(name)
    }


def records_of(path: Path) -> list[dict[str, object]]:
    """The records in a picture's file of annotations."""
    found: list[dict[str, object]] = json.loads(path.read_bytes())["annotations"]
    return found
