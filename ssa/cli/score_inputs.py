"""What ``ssa score`` holds against what: runs and truths from folders and files, as pairs of pictures."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ssa.dataset.examples import Examples
from ssa.dataset.output import check_results, opened
from ssa.errors import Fault, InputError
from ssa.formats.example import picture_name_of
from ssa.labelling.aliases import Aliases
from ssa.review.amending import Amended
from ssa.score.label_maps import labels_called
from ssa.score.runs import FoundPicture, FoundPictures, Pairs, Reviewed, found_in_coco
from ssa.score.truth import Truth, json_in, open_truth
from ssa.sources.folders import is_output


@dataclass(frozen=True, slots=True)
class Inputs:
    """Pairs of a run and, of the same pictures, of another one; ``kind`` is what their truth is.

    What they say of faults and of pictures that don't count is known when all were asked for.
    """

    pairs: Pairs | Reviewed
    others: Pairs | None
    kind: str
    runs: tuple[_Run, ...]

    def faults(self) -> list[Fault]:
        """Pictures that can't be read, or have another size; each once."""
        found = [fault for run in self.runs for fault in run.faults]
        found += self.pairs.faults + ([] if self.others is None else self.others.faults)
        return [*dict.fromkeys(found)]

    def left(self) -> tuple[int, int]:
        """Found pictures without a truth, and true ones that are no or several found pictures."""
        return self.pairs.without_truth, len(self.pairs.not_found)


@dataclass(frozen=True, slots=True)
class _Run:
    """What was found: pictures, their names with their keys, faults so far; a folder's has a review."""

    found: Iterable[FoundPicture]
    names: dict[str, str]
    faults: list[Fault]
    reviewed: Reviewed | None = None


def paired(options: argparse.Namespace, aliases: Aliases, folders: ExitStack) -> Inputs:
    """What the options name, opened; folders stay open as long as ``folders``.

    Raises ``InputError`` for what is no run or no truth, and ``OutputError`` where a run is at work.
    """
    runs = _Runs(aliases, folders)
    first = runs.open(options.found)
    other = None if options.against is None else runs.open(options.against)
    opened_runs = (first,) if other is None else (first, other)
    truth = _truth(options, runs)
    pairs = _own_review(first) if truth is None else Pairs(first.found, first.names, truth)
    kind = "its own review" if truth is None else truth.kind
    if other is None:
        return Inputs(pairs, None, kind, opened_runs)
    if truth is None:
        truth = _own_review(first).truth()
    others = Pairs(other.found, other.names, truth)
    pairs.only = others.only = others.names & (
        pairs.names if isinstance(pairs, Pairs) else others.names
    )
    return Inputs(pairs, others, kind, opened_runs)


def _own_review(run: _Run) -> Reviewed:
    if run.reviewed is None:
        raise InputError(
            "expected --truth beside a file of found regions; got none: a folder of `ssa annotate` alone has "
            "its own review"
        )
    return run.reviewed


def _truth(options: argparse.Namespace, runs: _Runs) -> Truth | None:
    """The truth from elsewhere; None where it is the run's own review."""
    if options.truth is None:
        return None
    if is_output(options.truth):
        if options.truth.resolve() == options.found.resolve():
            return None
        return _own_review(runs.open(options.truth)).truth()
    labels = None if options.labels is None else labels_called(options.labels)
    return open_truth(options.truth, labels)


class _Runs:
    """Runs by their places; each folder is opened once."""

    def __init__(self, aliases: Aliases, folders: ExitStack) -> None:
        self._aliases, self._folders = aliases, folders
        self._known: dict[Path, _Run] = {}

    def open(self, path: Path) -> _Run:
        place = path.resolve()
        if place not in self._known:
            self._known[place] = self._file(path) if path.is_file() else self._folder(path)
        return self._known[place]

    def _file(self, path: Path) -> _Run:
        pictures, faults = found_in_coco(json_in(path))
        return _Run(pictures, {one.key: one.key for one in pictures}, faults)

    def _folder(self, path: Path) -> _Run:
        check_results(path)
        output = self._folders.enter_context(opened(path))
        output.recover()
        examples = Examples(output)
        names = {picture_name_of(one.key, one.file_name): one.key for one in output.ledger.done()}
        reviewed = Reviewed(examples, Amended.of(path, self._aliases))
        return _Run(FoundPictures(examples), names, examples.faults, reviewed)
