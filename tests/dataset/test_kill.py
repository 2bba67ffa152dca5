"""Killed at any moment, a run goes on as if nothing had been: SIGKILL, which nobody can prepare for."""

import os
import random
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from dataset_doubles import (
    IDENTITY,
    FakeAnnotator,
    FakeWorkers,
    Watcher,
    draw_pictures,
    files_of,
    items_of,
    png,
)

from ssa.dataset.ledger import DONE, KEPT, Ledger
from ssa.dataset.output import opened
from ssa.dataset.run import Task, run
from ssa.sources import Item

OURS = (
    f"{os.sep}ssa{os.sep}dataset{os.sep}",
    f"{os.sep}ssa{os.sep}files.py",
    f"{os.sep}formats{os.sep}",
)


def go(out: Path, items: list[Item], log: Path) -> None:
    with opened(out) as output:
        workers = FakeWorkers(FakeAnnotator(log))
        run(output, Task(items, IDENTITY, ("coco", "semantic-png")), workers, Watcher())


def lines_of(run: Any, stop: int | None = None) -> int:
    """How many lines of ours ``run`` executes; before it executes the ``stop``-th it dies."""
    count = 0

    def on_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "call" and not any(part in frame.f_code.co_filename for part in OURS):
            return None
        count += event == "line"
        if count == stop:
            os.kill(os.getpid(), signal.SIGKILL)
        return on_line

    before = sys.gettrace()
    sys.settrace(on_line)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def lives_through(line: int, out: Path, items: list[Item], log: Path) -> bool:
    """Run in a process of its own that dies at the ``line``-th line; whether it ended before that."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            lines_of(lambda: go(out, items, log), stop=line)
            status = 0
        finally:
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status == 0


def safe_keys(out: Path) -> set[str]:
    """Pictures that the ledger has for good."""
    path = out / ".ssa" / "ledger.sqlite"
    if not path.exists():
        return set()
    rows = Ledger(path)._db.execute("SELECT key FROM items WHERE state IN (?, ?)", (KEPT, DONE))
    return {key for (key,) in rows.fetchall()}


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    paths = draw_pictures(tmp_path / "pictures", 20)
    paths[4].write_bytes(png((12, 16), 4)[:70])  # one that fails
    return items_of(paths)


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_is_killed_again_and_again_ends_as_if_undisturbed(
    items: list[Item], tmp_path: Path, seed: int
) -> None:
    chance, log, out = random.Random(seed), tmp_path / "log", tmp_path / "out"
    lines = lines_of(lambda: go(tmp_path / "undisturbed", items, log))
    sums = {item.key: _sum(item) for item in items if _sum(item) is not None}
    has_ended, deaths = False, 0
    while not has_ended:
        log.write_text("")
        safe = safe_keys(out)
        has_ended = lives_through(chance.randint(1, lines), out, items, log)
        deaths += not has_ended
        again = {key for key in safe if sums.get(key) in log.read_text().split()}
        assert not again, "annotated although they were safe"
    assert files_of(out) == files_of(tmp_path / "undisturbed")
    assert deaths, "the seed has to kill something"


def _sum(item: Item) -> str | None:
    """What the fake engine logs of a picture."""
    from ssa.image import decode_image

    try:
        return str(decode_image(item.picture.read()).astype(int).sum())
    except ValueError:
        return None
