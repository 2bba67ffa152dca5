"""The progress of a run on a terminal: pictures and masks a second, what is left, how many errors."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tqdm import tqdm

from ssa.errors import Fault

# A terminal is redrawn as tqdm likes; a log file gets a line every half minute.
_LOG_INTERVAL_S = 30.0


class Bar:
    """A ``Watch`` that draws. Rates are those of this run; what an earlier one did only moves the bar."""

    def __init__(self) -> None:
        self._bar: tqdm[None] | None = None
        self._masks, self._faults, self._began_s = 0, 0, 0.0

    def listed(self, pictures: int, done: int) -> None:
        """Begin."""
        self._began_s = time.monotonic()
        self._bar = tqdm(
            total=pictures,
            initial=done,
            unit="img",
            dynamic_ncols=True,
            mininterval=0.1 if sys.stderr.isatty() else _LOG_INTERVAL_S,
        )

    def group(self, pictures: int, masks: int, faults: Sequence[Fault]) -> None:
        """Move on by a group, and name its errors."""
        assert self._bar is not None
        self._masks += masks
        self._faults += len(faults)
        for fault in faults:
            self._bar.write(f"{fault.file}: {fault.step}: {fault.message}", file=sys.stderr)
        rate = self._masks / max(time.monotonic() - self._began_s, 1e-9)
        self._bar.set_postfix_str(f"{rate:.1f} masks/s, {self._faults} errors", refresh=False)
        self._bar.update(pictures - len(faults))

    def exporting(self, name: str) -> None:
        """Say which format is being written; the pictures are done."""
        self.ended()
        print(f"writing {name}", file=sys.stderr)

    def ended(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
