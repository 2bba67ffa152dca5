"""Ray, quietly: joined or started for one run, and how many workers it has room for."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ssa
from ssa.errors import InputError

logger = logging.getLogger(__name__)

REMEDY = "install it: uv sync --extra ray --extra parquet, or pip install 'ray[data]==2.60.0'"

MOST_CORES_BY_A_GPU = 8
"""Cores that a worker with a GPU takes unasked: four threads decode for it, others cut crops and encode."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to anyone
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # to Ray's liking, which else warns of it
}
_HERE = {
    # By its name for other systems; on any, Ray then listens on the loopback address alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_worker_niceness": "0",  # ours is the work, not the background; Ray would say 15
}


@dataclass(frozen=True, slots=True)
class Places:
    """Where workers go: how many, and the processor cores and GPUs of each; 0.5 is half a GPU.

    None is for what the cluster decides: a GPU each where it has any, as many workers as there is room for.
    """

    workers: int | None = None
    cores: int | None = None
    gpus: float | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """``Places`` as they were found."""

    workers: int
    cores: int
    gpus: float


@contextmanager
def connected(address: str | None, places: Places) -> Iterator[Room]:
    """Ray at ``address`` ("auto" is the cluster that this machine belongs to), or one of its own, and the
    room there is in it. Raises ``InputError`` where there is none.

    Where this process has joined a cluster before, that one is used, and not left at the end.
    """
    ray = _ray(address)
    joined = ray.is_initialized()
    try:
        if not joined:
            _join(ray, address, places)
        yield _room([node["Resources"] for node in ray.nodes() if node["Alive"]], places)
    finally:
        if not joined:
            ray.shutdown()


def start_beside_us(kind: type) -> Any:
    """An actor of this class on this very machine; it dies with it, or when nobody has its handle."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(kind).options(num_cpus=0, scheduling_strategy=here).remote()


def _ray(address: str | None) -> Any:
    """The library; it reads some settings when it is imported."""
    for name, value in (_QUIET | ({} if address else _HERE)).items():
        os.environ.setdefault(name, value)
    try:
        import ray.data
    except ImportError as error:
        raise InputError(f"--workers and --ray need Ray ({error}); {REMEDY}") from error
    for handler in logging.getLogger("ray.data").handlers:
        # Ray's own and no other: whoever listens there besides goes on hearing everything.
        if isinstance(handler, logging.StreamHandler) and type(handler).__module__.startswith(
            "ray."
        ):
            handler.setLevel(logging.ERROR)
    return ray


def _join(ray: Any, address: str | None, places: Places) -> None:
    before = signal.getsignal(signal.SIGTERM)
    if address is None:
        _start(ray, places)
    else:
        _connect(ray, address)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)  # Ray has set its own


def _start(ray: Any, places: Places) -> None:
    wanted = (places.workers or 1) * (places.cores or 1)
    cores = max(wanted, len(os.sched_getaffinity(0)))
    ray.init("local", num_cpus=cores, include_dashboard=False, logging_level="error")


def _connect(ray: Any, address: str) -> None:
    if "://" in address:
        raise InputError(
            f"--ray must be HOST:PORT of a cluster's head, or auto; got {address}: Ray's client is not for "
            "this; run on a machine of the cluster"
        )
    _check_answers(address)
    # So that every machine runs this very code, whatever checkout it has.
    environment = {"py_modules": [str(Path(ssa.__file__).parent)]}
    try:
        ray.init(address, runtime_env=environment, logging_level="error")
    except (ConnectionError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise InputError(f"--ray {address}: can't join that cluster: {said}") from error


def _check_answers(address: str) -> None:
    """Raise ``InputError`` where nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto"; of anything else Ray says what is wrong
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"--ray {address}: expected the head of a Ray cluster there; got: {error}; check the address, "
            "or start a cluster: ray start --head"
        ) from error


def _room(nodes: Sequence[Mapping[str, float]], places: Places) -> Room:
    """Where workers fit, given the resources of each machine."""
    gpus = places.gpus
    if gpus is None:
        gpus = float(any(node.get("GPU", 0) >= 1 for node in nodes))

    def fit(cores: int) -> int:
        return sum(_fit(node, cores, gpus) for node in nodes)

    workers = places.workers or fit(places.cores or 1)
    cores = places.cores or _most_cores(nodes, fit, workers, gpus)
    if not fit(cores):
        raise InputError(
            f"expected a machine with {cores} processor cores and {gpus:g} GPUs for a worker; the cluster "
            f"has {_listed(nodes)}; set --cpus-per-worker and --gpus-per-worker to what there is"
        )
    if fit(cores) < workers:
        logger.warning("room for %d workers of %d; the others wait for it", fit(cores), workers)
    logger.info("%d workers of %d cores and %g GPUs", workers, cores, gpus)
    return Room(workers, cores, gpus)


def _fit(node: Mapping[str, float], cores: int, gpus: float) -> int:
    """How many workers fit on one machine."""
    by_cores = int(node.get("CPU", 0) // cores)
    # Ten tenths are a whole, though not quite in binary.
    return min(by_cores, int(node.get("GPU", 0) / gpus + 1e-6)) if gpus else by_cores


def _most_cores(
    nodes: Sequence[Mapping[str, float]], fit: Callable[[int], int], workers: int, gpus: float
) -> int:
    """The most cores a worker can have with all workers placed; one where that can't be."""
    most = int(max((node.get("CPU", 0) for node in nodes), default=0))
    if gpus:
        most = min(most, MOST_CORES_BY_A_GPU)
    return next((cores for cores in range(most, 1, -1) if fit(cores) >= workers), 1)


def _listed(nodes: Sequence[Mapping[str, float]]) -> str:
    found = sorted({(int(node.get("CPU", 0)), node.get("GPU", 0)) for node in nodes})
    return ", ".join(f"{cores} and {gpus:g}" for cores, gpus in found) or "none"
