"""Progress: a bar where a person looks on, elsewhere a line at the start, every ten seconds, at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

from ssa.errors import Fault

INTERVAL_S = 10.0

Item = TypeVar("Item")


class Lines:
    """Says how far something is, in lines that suit a log file."""

    def __init__(self, total: int | None, noun: str, done: int = 0) -> None:
        self._total, self._noun, self._done = total, noun, done
        self._next_s = 0.0
        self.say()

    def add(self, count: int, remark: str = "") -> None:
        """``count`` more are done; a line if it is time for one."""
        self._done += count
        if time.monotonic() >= self._next_s:
            self.say(remark)

    def say(self, remark: str = "") -> None:
        """A line now."""
        self._next_s = time.monotonic() + INTERVAL_S
        of = f"{self._done:,}" if self._total is None else f"{self._done:,} of {self._total:,}"
        _say(f"{of} {self._noun}{remark and f', {remark}'}")


def counted(items: Iterable[Item], total: int | None, noun: str) -> Iterator[Item]:
    """The items as they come, with progress on standard error; ``noun`` says what they are."""
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=noun, dynamic_ncols=True)
        return
    lines = Lines(total, noun)
    for item in items:
        yield item
        lines.add(1)
    lines.say()


class Bar:
    """A ``Watch`` over a run. Rates are those of this run; what an earlier one did only moves the bar."""

    def __init__(self) -> None:
        self._bar: tqdm[None] | None = None
        self._lines: Lines | None = None
        self._masks, self._faults, self._began_s = 0, 0, 0.0

    def listed(self, pictures: int, done: int) -> None:
        """Begin."""
        self._began_s = time.monotonic()
        if sys.stderr.isatty():
            self._bar = tqdm(total=pictures, initial=done, unit="img", dynamic_ncols=True)
        else:
            self._lines = Lines(pictures, "pictures", done)

    def group(self, pictures: int, masks: int, faults: Sequence[Fault]) -> None:
        """Move on by a group, and name its errors."""
        self._masks += masks
        self._faults += len(faults)
        for fault in faults:
            text = f"{fault.file}: {fault.step}: {fault.message}"
            _say(text) if self._bar is None else self._bar.write(text, file=sys.stderr)
        if self._bar is not None:
            self._bar.set_postfix_str(self._remark(), refresh=False)
            self._bar.update(pictures - len(faults))
        if self._lines is not None:
            self._lines.add(pictures - len(faults), self._remark())

    def exporting(self, name: str) -> None:
        """Say which format is being written; the pictures are done."""
        self.ended()
        _say(f"writing {name}")

    def ended(self) -> None:
        """Leave the bar as it is; a last line where there are lines."""
        if self._bar is not None:
            self._bar.close()
        if self._lines is not None:
            self._lines.say(self._remark())
        self._bar = self._lines = None

    def _remark(self) -> str:
        rate = self._masks / max(time.monotonic() - self._began_s, 1e-9)
        return f"{rate:.1f} masks/s, {self._faults} errors"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
