"""Killed at any moment, a run goes on as if nothing had been: SIGKILL, which nobody can prepare for."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
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

from ssa.dataset.export import Wanted
from ssa.dataset.ledger import DONE, KEPT, Ledger
from ssa.dataset.output import opened
from ssa.dataset.run import Task, run
from ssa.sources import Item
from toyworld.sa1b_layout import Layout, write_scenes

OURS = (
    f"{os.sep}ssa{os.sep}dataset{os.sep}",
    f"{os.sep}ssa{os.sep}files.py",
    f"{os.sep}formats{os.sep}",
)


def go(out: Path, items: list[Item], log: Path) -> None:
    with opened(out) as output:
        workers = FakeWorkers(FakeAnnotator(log))
        run(output, Task(items, IDENTITY, Wanted(("coco", "semantic-png"))), workers, Watcher())


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
    from ssa.pictures.decoding import decode_image

    try:
        return str(decode_image(item.picture.read()).astype(int).sum())
    except ValueError:
        return None


@pytest.mark.slow
def test_the_command_killed_at_twenty_moments_ends_as_if_undisturbed(tmp_path: Path) -> None:
    """With real models, 60 pictures and ``kill -9``; some die while they load, most in the midst of work."""
    write_scenes(tmp_path / "scenes", 60, 21, Layout(size_px=128))
    formats = ("--format", "sa1b,coco,semantic-png", "--detail")
    command = [sys.executable, "-m", "ssa", "annotate", str(tmp_path / "scenes"), *formats]
    began = time.monotonic()
    subprocess.run([*command, "--out", str(tmp_path / "undisturbed")], check=True)
    whole_s = time.monotonic() - began
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    chance, deaths = random.Random(seed), 0
    while deaths < 20:
        # Loading takes a fixed time, so one run gets through some groups before the next kill.
        alive = subprocess.Popen([*command, "--out", str(tmp_path / "out")])
        with contextlib.suppress(subprocess.TimeoutExpired):
            alive.wait(chance.uniform(0.1, 1.0) * whole_s)
        if alive.poll() is not None:  # It got through: kill the next from the start again.
            assert alive.returncode == 0
            assert files_of(tmp_path / "out") == files_of(tmp_path / "undisturbed"), seed
            shutil.rmtree(tmp_path / "out")
            continue
        alive.kill()
        alive.wait()
        deaths += 1
    subprocess.run([*command, "--out", str(tmp_path / "out")], check=True)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "undisturbed"), seed
