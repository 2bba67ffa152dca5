"""How many workers a cluster has room for; without a cluster, for that takes seconds."""

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.dataset.ray_cluster import Places, Room, _fit, _ray, _room, connected
from ssa.errors import InputError

HEAD, PLAIN = {"CPU": 0.0}, {"CPU": 8.0}
SMALL, LARGE = {"CPU": 12.0, "GPU": 2.0}, {"CPU": 64.0, "GPU": 8.0}


@pytest.mark.parametrize(
    ("nodes", "places", "room"),
    [
        ([PLAIN], Places(), Room(8, 1, 0)),
        ([HEAD, PLAIN, PLAIN], Places(workers=2), Room(2, 8, 0)),
        ([PLAIN], Places(workers=3), Room(3, 2, 0)),
        ([PLAIN, PLAIN], Places(cores=3), Room(4, 3, 0)),
        ([LARGE], Places(), Room(8, 8, 1)),
        ([LARGE, SMALL, HEAD], Places(), Room(10, 6, 1)),
        ([SMALL], Places(gpus=0.5), Room(4, 3, 0.5)),
        ([SMALL], Places(gpus=0.1), Room(12, 1, 0.1)),
        ([SMALL], Places(gpus=0, cores=4), Room(3, 4, 0)),
        ([SMALL], Places(workers=5), Room(5, 1, 1)),  # three wait for machines to come
        ([LARGE], Places(gpus=2), Room(4, 8, 2)),
    ],
)
def test_room(nodes: list[dict[str, float]], places: Places, room: Room) -> None:
    assert _room(nodes, places) == room


@pytest.mark.parametrize(
    ("nodes", "places"),
    [
        ([HEAD], Places()),
        ([], Places(workers=1)),
        ([PLAIN, PLAIN], Places(cores=9)),
        ([PLAIN], Places(gpus=1)),
        ([SMALL], Places(gpus=1, cores=13)),
    ],
)
def test_no_room_is_told_before_anybody_waits_for_it(
    nodes: list[dict[str, float]], places: Places
) -> None:
    with pytest.raises(InputError, match="for a worker; the cluster has"):
        _room(nodes, places)


@given(st.integers(1, 40), st.integers(1, 64), st.integers(1, 16), st.integers(1, 16))
def test_workers_that_fit_never_take_more_than_there_is(
    share: int, cpus: int, devices: int, cores: int
) -> None:
    gpus = 1 / share
    workers = _fit({"CPU": float(cpus), "GPU": float(devices)}, cores, gpus)
    assert workers * cores <= cpus
    assert workers <= share * devices
    assert workers == min(cpus // cores, share * devices)


def test_without_ray_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match="uv sync --extra ray"), connected(None, Places()):
        pass


def test_rays_console_says_errors_alone_and_other_listeners_go_on_hearing() -> None:
    mine = logging.StreamHandler()
    listened_to = logging.getLogger("ray.data")
    _ray(None)
    listened_to.addHandler(mine)
    try:
        _ray(None)
        assert mine.level == logging.NOTSET
        console = [one for one in listened_to.handlers if "PlainRay" in type(one).__name__]
        assert [one.level for one in console] == [logging.ERROR]
    finally:
        listened_to.removeHandler(mine)
