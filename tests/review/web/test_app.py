"""The server, asked as the page asks it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from review_scenes import HEIGHT, WIDTH, ask, asked, regions, serving, write_results

from ssa.review.log import FILE, DecisionLog, read_history


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_results(tmp_path / "out", [regions(), regions("cloud")])


@pytest.fixture
def url(out: Path) -> Iterator[str]:
    with serving(out) as url:
        yield url


def accepted(region: Any) -> dict[str, Any]:
    return {"what": "accepted", "region": region["ref"], "label": region["label"]}


def regions_of(url: str, picture: int = 0) -> Any:
    return asked(f"{url}api/picture?picture={picture}")["regions"]


def test_it_tells_pictures_and_labels_and_no_path(url: str, tmp_path: Path) -> None:
    start = asked(f"{url}api/start")
    assert start["pictures"] == [["photos/0.jpg", 4, 4], ["photos/1.jpg", 4, 4]]
    assert [label for label, _, _ in start["labels"]][:3] == ["house", "door", "tree"]
    for name in ("start", "queue", "picture?picture=0", "picture?picture=9", "image?picture=-1"):
        assert str(tmp_path).encode() not in ask(f"{url}api/{name}")[1]


def test_a_decision_is_on_the_disk_when_it_is_answered(url: str, out: Path) -> None:
    region = regions_of(url)[1]
    answer = asked(f"{url}api/decide", {"request": "a", "do": [accepted(region)]})
    assert answer == {"entry": 1, "pictures": [0]}
    assert len(read_history(out / FILE).entries) == 1
    assert regions_of(url)[1]["reviewed"] == "accepted"
    assert asked(f"{url}api/queue")["open"] == 7


def test_a_request_that_comes_again_is_not_decided_again(url: str, out: Path) -> None:
    payload = {"request": "a", "do": [accepted(regions_of(url)[0])]}
    assert asked(f"{url}api/decide", payload) == asked(f"{url}api/decide", payload)
    assert len(read_history(out / FILE).entries) == 1


def test_nor_is_it_by_a_server_that_comes_after(out: Path) -> None:
    """It was written, the server was killed before it answered, and the page sends it again."""
    decided: list[object] = []
    for _ in range(2):
        with serving(out) as url:
            payload = {"request": "a", "do": [accepted(regions_of(url)[0])]}
            decided.append(asked(f"{url}api/decide", payload)["entry"])
            asked(f"{url}api/undo", {"request": "b"})
    assert decided == [1, 1]
    assert read_history(out / FILE).entries == ()
    assert len((out / FILE).read_bytes().splitlines()) == 2


def test_undo_takes_back_what_pages_decided_and_nothing_else(url: str, out: Path) -> None:
    region = regions_of(url)[0]
    with DecisionLog(out / FILE) as log:
        from ssa.review.decisions import from_row

        log.append([from_row(accepted(region))], by="import file.json")
    asked(f"{url}api/decide", {"request": "a", "do": [accepted(regions_of(url)[1])]})
    assert asked(f"{url}api/undo", {"request": "b"})["undone"] == 2
    assert asked(f"{url}api/undo", {"request": "c"})["undone"] is None
    assert [one["reviewed"] for one in regions_of(url)] == ["accepted", "none", "none", "none"]


def test_all_of_a_label_are_decided_at_once_and_undone_at_once(url: str) -> None:
    query = {"by": "label", "label": "tree"}
    assert asked(f"{url}api/gather?by=label&label=tree")["count"] == 2
    do = {"what": "corrected", "label": "bush"}
    status, _ = ask(f"{url}api/bulk", {**query, "count": 3, "do": do, "request": "a"})
    assert status == 400  # another count than was shown
    asked(f"{url}api/bulk", {**query, "count": 2, "do": do, "request": "b"})
    assert [regions_of(url, i)[3]["label"] for i in (0, 1)] == ["bush", "bush"]
    asked(f"{url}api/undo", {"request": "c"})
    assert [regions_of(url, i)[3]["label"] for i in (0, 1)] == ["tree", "tree"]


def test_a_region_that_is_gone_is_a_conflict_and_nothing_is_decided(url: str, out: Path) -> None:
    region = regions_of(url)[0]
    region["ref"][2] = "0" * 16
    status, _ = ask(f"{url}api/decide", {"request": "a", "do": [accepted(region)]})
    assert status == 409
    assert read_history(out / FILE).entries == ()


@pytest.mark.parametrize(
    "payload",
    [
        {"do": []},
        {"request": "a", "do": []},
        {"request": "a", "do": [{"what": "deleted"}]},
        {"request": "a", "do": [{"what": "accepted", "region": ["x"]}]},
        {"request": "a", "do": "accepted"},
        [],
    ],
)
def test_nonsense_is_refused(url: str, payload: object) -> None:
    assert ask(f"{url}api/decide", payload)[0] == 400


@pytest.mark.parametrize(
    "name",
    [
        "queue?order=name",
        "picture",
        "picture?picture=x",
        "gather?by=x",
        "thumbnail?picture=0&place=9",
    ],
)
def test_questions_without_sense_are_refused(url: str, name: str) -> None:
    assert ask(f"{url}api/{name}")[0] == 400


def test_the_map_of_ids_has_small_regions_on_top(url: str) -> None:
    status, body = ask(f"{url}api/idmap?picture=0")
    planes = np.frombuffer(zlib.decompress(body), np.uint8).reshape(3, HEIGHT, WIDTH)
    assert status == 200
    assert planes[0, 10, 10] == 1
    assert planes[0, 150, 50] == 2
    assert planes[0, 150, 80] == 3  # the door, on the house
    assert planes[0, 230, 10] == 0
    assert not planes[1:].any()


def test_a_picture_that_is_gone_leaves_its_regions(url: str, tmp_path: Path) -> None:
    (tmp_path / "photos" / "0.jpg").unlink()
    status, body = ask(f"{url}api/image?picture=0")
    assert status == 404
    assert str(tmp_path).encode() not in body
    assert len(regions_of(url)) == 4


def test_no_other_file_can_be_had(url: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    for name in (
        "../secret.txt",
        "%2e%2e/secret.txt",
        "secret.txt",
        "api/../../secret.txt",
        "app.py",
    ):
        status, body = ask(url + name)
        assert status in (403, 404)
        assert b"secret" not in body


def test_thumbnails_are_small_pictures(url: str) -> None:
    status, body = ask(f"{url}api/thumbnail?picture=0&place=2")
    assert status == 200
    assert body.startswith(b"\xff\xd8")
