"""The CPU's cores: how many are ours, and what our threads do where other processes want them too.

At the end of each parallel operation the threads of libgomp, torch's OpenMP on Linux, spin until the last has
come. On cores of our own nothing is faster: with threads that sleep instead, the miniature takes 1.4 times as
long. On cores shared with others it is ruinous, for the last can't come while the first spin in its place:
beside two busy processes a drawn scene took ten times as long.

So ``mind_other_processes`` starts a thread that looks twice a second at how long ours wait for a core. While
they do, a second team of OpenMP threads is kept asleep: by its manual libgomp spins 100 rounds in place of
300,000 while there are more threads than CPUs (gcc.gnu.org/onlinedocs/libgomp, GOMP_SPINCOUNT). How many
threads compute stays as it is, and so does every bit of what they compute.
"""

from __future__ import annotations

import logging
import math
import os
import time
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import torch

logger = logging.getLogger(__name__)

LOOKS_APART_S = 0.5

# Of the time that threads were running or ready to. On a quiet machine they wait for a hundredth of it.
CROWDED_FROM, CALM_BELOW = 0.15, 0.05

# So many calm looks in a row end a crowd: four seconds, in which another process may well come back.
CALM_LOOKS = 8

# Anyone who set one of these has decided.
DECIDED_BY = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")

_TASKS = Path("/proc/self/task")
_CGROUPS = Path("/sys/fs/cgroup")


def usable_cores(cgroups: Path = _CGROUPS) -> int:
    """The cores that this process may use: those it may run on, or fewer where a container has a quota.

    ``cgroups`` is where control groups are mounted; version 2 and 1 are read.
    """
    own = len(os.sched_getaffinity(0))
    quota = _quota(cgroups)
    return own if quota is None else max(1, min(own, math.ceil(quota)))


def _quota(cgroups: Path) -> float | None:
    """Cores' worth of time that the scheduler grants; None for no limit, or none that can be read."""
    try:
        if (cgroups / "cpu.max").is_file():
            granted, period = (cgroups / "cpu.max").read_text().split()
        else:
            granted, period = (
                (cgroups / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")
            )
        share = float(granted) / float(period)  # "max" is no number, and -1 is no limit either
    except (OSError, ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None


def use_own_cores() -> None:
    """Let torch compute on no more threads than there are cores; ``OMP_NUM_THREADS`` says otherwise.

    By itself it counts the machine's, and threads beyond a container's quota stop all others.
    """
    if not os.environ.get("OMP_NUM_THREADS") and torch.get_num_threads() > usable_cores():
        torch.set_num_threads(usable_cores())


@cache
def mind_other_processes() -> Thread | None:
    """Start the thread that looks; once a process. None where there is nothing to do.

    So it is with one thread, where the environment says how threads wait, and where the system doesn't
    tell how long they wait for a core.
    """
    decided = any(os.environ.get(name) for name in DECIDED_BY)
    if decided or torch.get_num_threads() == 1 or not thread_times():
        return None
    watcher = Thread(target=_watch, name="ssa-cores", daemon=True)
    watcher.start()
    return watcher


class ThreadTime(NamedTuple):
    """Nanoseconds that a thread has run, and that it has waited for a core though it was ready."""

    ran: int
    waited: int


def thread_times(tasks: Path = _TASKS) -> dict[str, ThreadTime]:
    """Of each thread of this process, by its number; empty where Linux' scheduler doesn't tell."""
    found = {}
    for task in tasks.glob("*/schedstat"):
        try:
            ran, waited, _ = map(int, task.read_text().split())
        except (OSError, ValueError):  # it has just ended
            continue
        found[task.parent.name] = ThreadTime(ran, waited)
    return found


class Crowd:
    """Whether others want our cores; quick to see, and slow to forget."""

    def __init__(self) -> None:
        self.is_there = False
        self._before: dict[str, ThreadTime] = {}
        self._calm_looks = 0

    def look(self, now: dict[str, ThreadTime]) -> None:
        """Judge by what threads did since the last look; where they hardly ran, nothing is known."""
        both = [(self._before[name], time_) for name, time_ in now.items() if name in self._before]
        self._before = now
        ran = sum(after.ran - before.ran for before, after in both)
        waited = sum(after.waited - before.waited for before, after in both)
        if ran + waited < LOOKS_APART_S * 1e9 / 10:
            return
        share = waited / (ran + waited)
        self._calm_looks = self._calm_looks + 1 if share < CALM_BELOW else 0
        if share >= CROWDED_FROM or self._calm_looks >= CALM_LOOKS:
            self.is_there = share >= CROWDED_FROM


class SleepingTeam:
    """A team of OpenMP threads that does nothing but be there, until ``end``."""

    def __init__(self) -> None:
        self._is_over, is_there = Event(), Event()
        self._leader = Thread(target=self._lead, args=(is_there,), name="ssa-team", daemon=True)
        self._leader.start()
        is_there.wait()

    def _lead(self, is_there: Event) -> None:
        # Enough numbers that torch shares the work out; a thread's team lives as long as the thread.
        torch.ones(1 << 20).sum()
        is_there.set()
        self._is_over.wait()

    def end(self) -> None:
        """Let the threads go; afterwards they are gone."""
        self._is_over.set()
        self._leader.join()


def _watch() -> None:
    crowd, team = Crowd(), None
    while True:
        crowd.look(thread_times())
        if crowd.is_there and team is None:
            logger.debug("others use these cores: threads that wait sleep")
            team = SleepingTeam()
        elif team is not None and not crowd.is_there:
            team.end()
            team = None
        time.sleep(LOOKS_APART_S)
