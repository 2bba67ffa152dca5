"""Workers on a real cluster of several nodes: what is killed costs time and nothing else."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pytest
import ray
from dataset_doubles import Watcher, draw_pictures, files_of, items_of, png
from hypothesis import given
from hypothesis import strategies as st
from ray.cluster_utils import Cluster
from ray_doubles import Deadly, Failing, Sound, Stuck

from ssa.dataset import ray_workers
from ssa.dataset.engine_spec import EngineSpec
from ssa.dataset.export import Wanted
from ssa.dataset.outcomes import Annotated, Failed, Group, GroupDone
from ssa.dataset.output import opened
from ssa.dataset.ray_cluster import Places, Room
from ssa.dataset.ray_workers import ATTEMPTS, Attempts, Maker, RayWorkers, _call_size
from ssa.dataset.run import Task, run
from ssa.errors import Fault, InputError, WeightsError, WorkerError
from ssa.sources import find_items
from ssa.weights import SHIPPED_ROOT
from toyworld.sa1b_layout import Layout, write_scenes

DEADLY = (11, 17)
# A node that is gone is missed after three seconds, not after half a minute.
WATCHFUL = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 10,
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head that does no work and two nodes of one processor, joined by this process."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("RAY_worker_niceness", "0")
        environment.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": WATCHFUL}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        ray.init(cluster.address, logging_level="error")
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def groups(tmp_path: Path) -> list[Group]:
    """Twelve groups of two pictures, whose numbers are not those of their places."""
    items = items_of(draw_pictures(tmp_path / "pictures", 24))
    return [Group(100 + n, tuple(items[2 * n : 2 * n + 2])) for n in range(12)]


def on(cluster: Cluster, maker: Maker, window: int | None = None) -> RayWorkers:
    return RayWorkers(maker, cluster.address, Places(workers=2), window)


def here(groups: list[Group]) -> list[GroupDone]:
    return list(Sound().worker(1).run(groups))


def in_order(found: list[GroupDone]) -> list[GroupDone]:
    return sorted(found, key=lambda done: done.number)


def test_workers_that_are_killed_cost_nothing_and_a_deadly_group_only_itself(
    cluster: Cluster,
    groups: list[Group],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In two windows, of which the first has the deadly group, in one call with others."""
    monkeypatch.setattr(ray_workers, "CALLS", 1)
    deadly = tmp_path / "deadly.png"
    deadly.write_bytes(png(DEADLY, 1))
    groups.insert(1, Group(7, tuple(items_of([deadly, tmp_path / "pictures" / "000.png"]))))
    found = list(on(cluster, Deadly(DEADLY), window=8).run(groups))
    assert {done.number for done in found[:8]} == {group.number for group in groups[:8]}
    given_up, *rest = in_order(found)
    assert rest == here(groups[:1] + groups[2:])
    assert all(isinstance(one, Annotated) for done in rest for one in done.outcomes)
    assert (given_up.number, [one.key for one in given_up.outcomes]) == (
        7,
        ["pictures/deadly.png", "pictures/000.png"],
    )
    faults = [one.fault for one in given_up.outcomes if isinstance(one, Failed)]
    assert [fault.step for fault in faults] == ["worker", "worker"]
    assert f"died each of {ATTEMPTS} times" in faults[0].message


def test_the_error_of_a_maker_comes_out_as_it_is(cluster: Cluster, groups: list[Group]) -> None:
    with pytest.raises(WeightsError, match=r"^sam: expected a file; got none$"):
        list(on(cluster, Failing(WeightsError("sam: expected a file; got none"))).run(groups))


def test_a_node_that_is_lost_costs_nothing(
    cluster: Cluster, groups: list[Group], tmp_path: Path
) -> None:
    marker = tmp_path / "stuck"
    coming = on(cluster, Stuck(marker)).run(groups)
    found = list(islice(coming, 1))
    (lost,) = [node for node in cluster.worker_nodes if node.node_id == marker.read_text()]
    cluster.add_node(num_cpus=1)
    cluster.remove_node(lost, allow_graceful=False)
    found += coming
    assert in_order(found) == here(groups)


def test_nothing_to_do_starts_nothing() -> None:
    assert list(RayWorkers(Failing(WeightsError()), "nowhere:1").run([])) == []


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ray://head:10001", "must be HOST:PORT"),
        ("127.0.0.1:1", "expected the head of a Ray cluster"),
    ],
)
def test_an_address_that_is_none_is_told_at_once(
    groups: list[Group], monkeypatch: pytest.MonkeyPatch, address: str, told: str
) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with pytest.raises(InputError, match=told):
        list(RayWorkers(Sound(), address).run(groups))


def test_an_error_nobody_foresaw_travels_as_one_line() -> None:
    told = ray_workers._told(TypeError("of two\nlines"))
    assert isinstance(told, WorkerError)
    assert str(told) == "a worker failed: unexpected TypeError: of two lines"


@given(
    st.integers(1, 100_000), st.integers(1, 300), st.integers(1, 64), st.sampled_from([0.0, 1.0])
)
def test_calls_fill_lanes_and_are_shared_out(
    groups: int, workers: int, cores: int, gpus: float
) -> None:
    size, lanes = _call_size(groups, Room(workers, cores, gpus)), 1 if gpus else cores
    assert lanes <= size <= 4 * lanes
    assert size == lanes or groups > (size - 1) * workers


def test_attempts_are_those_of_groups_that_did_not_end() -> None:
    attempts = Attempts()
    assert attempts.begin([1, 2, 3]) == 0
    attempts.end(1)
    assert attempts.begin([1, 2]) == 1  # begins neither
    assert attempts.begin([1]) == 0
    assert [attempts.begin([2]) for _ in range(3)] == [1, 2, 3]
    assert attempts.begin([4]) == 0


class OneCore:
    """A spec's worker in this process, with as many threads as one on the cluster has."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec

    def run(self, groups: Iterable[Group]) -> Iterator[GroupDone]:
        return self.spec.worker(cores=1).run(groups)


class Losing(Watcher):
    """Takes a node away when the first group is done; there is no room then for the worker it had."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.cluster = cluster

    def group(self, pictures: int, masks: int, faults: Sequence[Fault]) -> None:
        if not self.masks:
            lost = min(self.cluster.worker_nodes, key=lambda node: node.node_id)
            self.cluster.remove_node(lost, allow_graceful=False)
        super().group(pictures, masks, faults)


@pytest.mark.slow
def test_with_a_node_lost_all_files_are_those_of_one_process(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The real engine with the miniature weights, on drawn scenes with the masks of their regions."""
    write_scenes(tmp_path / "scenes", 70, seed=5, layout=Layout(size_px=128))
    spec = EngineSpec.of(SHIPPED_ROOT, "tiny", device="cpu")
    several = RayWorkers(spec, cluster.address, Places(cores=1))
    files = []
    for workers, watch in ((OneCore(spec), Watcher()), (several, Losing(cluster))):
        with opened(tmp_path / type(watch).__name__) as out:
            found = find_items([tmp_path / "scenes"], None, out.root)
            summary = run(
                out, Task(found, spec.identity(None), Wanted(("sa1b", "coco"))), workers, watch
            )
            files.append(files_of(out.root))
        assert (summary.pictures, summary.done, summary.faults) == (70, 70, 0)
    assert files[0] == files[1]
