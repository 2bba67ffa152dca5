"""Workers on several processors or machines: Ray Data deals out groups, this process keeps the only ledger.

A worker is an actor that loads one engine and annotates groups as they come. When its process or its machine
dies, the groups it had go to another; one that workers die of again and again is given up.
"""

from __future__ import annotations

import logging
import math
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol

from ssa.dataset.outcomes import Failed, Group, GroupDone
from ssa.dataset.protocols import Workers
from ssa.dataset.ray_cluster import Places, Room, connected, start_beside_us
from ssa.errors import Fault, SSAError, WorkerError

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

logger = logging.getLogger(__name__)

WINDOW_PER_WORKER = 512
"""Groups that a worker annotates before all are made anew: some 8,000 pictures, hours of a GPU, and a few
megabytes of paths in this process.
"""

LANES_FULL = 4
"""Groups in one call of a worker, for each lane that it has: at its end lanes wait for the last."""

CALLS = 8
"""Calls a worker has in a window at least, so that all end at about the same time."""

ATTEMPTS = 3
"""So many workers may die with a group in work before it is given up. Ray itself never gives up: it can't
tell a death from a machine that is slow to answer.
"""


class Maker(Protocol):
    """Makes a worker in the process where it is to work, with so many cores; it travels there as a pickle."""

    def worker(self, cores: int) -> Workers:
        """A worker, ready to work."""


class RayWorkers:
    """Workers on a Ray cluster: the one at ``address``, or without one a cluster of this machine alone.

    ``window`` groups, by default some hundred a worker, go through one Ray Data pipeline each. Groups come
    back as they are done. Ray is asked for nothing before the first group.
    """

    def __init__(
        self,
        maker: Maker,
        address: str | None = None,
        places: Places | None = None,
        window: int | None = None,
    ) -> None:
        self._maker = maker
        self._address = address
        self._places = places or Places()
        self._window = window

    def run(self, groups: Iterable[Group]) -> Iterator[GroupDone]:
        """Each group and what came of it, in any order.

        A group whose workers died with it comes back with a fault of step "worker" for every picture.
        Raises ``InputError`` where there is no Ray, no cluster or no room for a worker, ``WorkerError`` where
        the cluster fails or a worker for no reason known, and what the maker raised.
        """
        waiting = iter(groups)
        for first in waiting:
            with connected(self._address, self._places) as room:
                size = self._window or WINDOW_PER_WORKER * room.workers
                attempts = start_beside_us(Attempts)
                waiting = chain([first], waiting)
                while window := tuple(islice(waiting, size)):
                    yield from _annotated(window, (self._maker, room.cores, attempts), room)


class Attempts:
    """How often each group was begun and not finished; one for all workers, as an actor."""

    def __init__(self) -> None:
        self._begun: Counter[int] = Counter()

    def begin(self, numbers: Sequence[int]) -> int:
        """Begin groups, if all are new or it is but one: how often the most begun one was before.

        Otherwise nothing is begun.
        """
        most = max(self._begun[number] for number in numbers)
        if not most or len(numbers) == 1:
            self._begun.update(numbers)
        return most

    def end(self, number: int) -> None:
        """A group is done."""
        del self._begun[number]


class Annotating:
    """What an actor runs: groups in, what came of each out, as rows of pickles.

    An exception travels as a row too: to Ray it would be one more reason to try again.
    """

    def __init__(self, maker: Maker, cores: int, attempts: Any) -> None:
        self._attempts = attempts
        self._worker: Workers | None = None
        try:
            self._worker = maker.worker(cores)
        except Exception as error:
            self._error = _told(error)

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        """One row a group."""
        if self._worker is None:
            yield _table([self._error])
            return
        try:
            for done in self._annotated(list(_values(batch)), self._worker):
                self._attempts.end.remote(done.number)
                yield _table([done])
        except Exception as error:
            yield _table([_told(error)])

    def _annotated(self, groups: Sequence[Group], worker: Workers) -> Iterator[GroupDone]:
        """All in one go; one by one where a worker died before, to see of which."""
        if not self._begin(groups):
            yield from worker.run(groups)
            return
        for group in groups:
            if self._begin([group]) < ATTEMPTS:
                yield from worker.run([group])
            else:
                yield _given_up(group)

    def _begin(self, groups: Sequence[Group]) -> int:
        import ray

        before: int = ray.get(self._attempts.begin.remote([group.number for group in groups]))
        return before


def _annotated(window: Sequence[Group], made_of: Any, room: Room) -> Iterator[GroupDone]:
    """What came of the groups of a window, each once."""
    missing = {group.number for group in window}
    for result in _results(_pipeline(window, made_of, room)):
        if isinstance(result, SSAError):
            raise result
        if result.number in missing:
            missing.remove(result.number)
            yield result
    if missing:
        raise WorkerError(f"the cluster lost {len(missing)} groups; run the same command again")


def _results(dataset: Dataset) -> Iterator[GroupDone | SSAError]:
    from ray.exceptions import RayError

    try:
        for table in dataset.iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=0
        ):
            yield from _values(table)
    except RayError as error:
        said = " ".join(str(error).split())
        raise WorkerError(
            f"the cluster failed: {type(error).__name__}: {said[:300]}; put that right and run the same "
            "command again"
        ) from error


def _pipeline(window: Sequence[Group], made_of: Any, room: Room) -> Dataset:
    import ray.data

    size = _call_size(len(window), room)
    calls = [_table(window[start : start + size]) for start in range(0, len(window), size)]
    dataset = ray.data.from_arrow(calls).map_batches(
        Annotating,
        fn_constructor_args=made_of,
        batch_size=None,  # what one table holds
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=min(room.workers, len(calls))),
        num_cpus=room.cores,
        num_gpus=room.gpus,
    )
    settings = dataset.context
    settings.enable_progress_bars = False
    settings.print_on_execution_start = False
    settings.target_max_block_size = (
        1  # a group leaves its worker when it is done, not with its call
    )
    return dataset


def _call_size(groups: int, room: Room) -> int:
    lanes = 1 if room.gpus else room.cores
    fair_share = math.ceil(groups / (CALLS * room.workers))
    return max(lanes, min(LANES_FULL * lanes, fair_share))


def _given_up(group: Group) -> GroupDone:
    message = (
        f"the worker died each of {ATTEMPTS} times that it had this picture and those of its group in "
        "work: most often for want of memory; give workers more of it, or run the same command again"
    )
    return GroupDone(
        group.number,
        [Failed(item.key, Fault(item.name, "worker", message)) for item in group.items],
    )


def _told(error: Exception) -> SSAError:
    """An error in a form that travels and that the user understands; the worker's log has the rest."""
    if isinstance(error, SSAError):
        return error
    logger.error("unexpected error", exc_info=error)
    said = " ".join(str(error).split())
    return WorkerError(f"a worker failed: unexpected {type(error).__name__}: {said[:300]}")


def _table(values: Sequence[Any]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"pickle": pa.array(list(map(pickle.dumps, values)), pa.large_binary())})


def _values(table: pa.Table) -> Iterator[Any]:
    """From actors of this very run, as all that Ray itself sends about is."""
    return map(pickle.loads, table["pickle"].to_pylist())
