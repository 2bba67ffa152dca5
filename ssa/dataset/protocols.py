"""What a run needs of others: an engine, workers that use it, somebody who watches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ssa.config import Settings
from ssa.dataset.outcomes import Group, GroupDone
from ssa.errors import Fault
from ssa.progress import Report
from ssa.types import AnnotatedImage, Picture


class Annotator(Protocol):
    """What a worker needs of an engine."""

    def annotate_all(
        self, pictures: Sequence[Picture], settings: Settings, report: Report
    ) -> list[AnnotatedImage]: ...


class Workers(Protocol):
    """Annotates groups; they may come back in any order, each once."""

    def run(self, groups: Iterable[Group]) -> Iterator[GroupDone]: ...


class Watch(Protocol):
    """Sees a run go by: how many pictures there are, each group as it is done, each format, the end."""

    def listed(self, pictures: int, done: int) -> None: ...

    def group(self, pictures: int, masks: int, faults: Sequence[Fault]) -> None: ...

    def exporting(self, name: str) -> None: ...

    def ended(self) -> None: ...
