"""A server that is killed, and one whose disk is full: what was acknowledged is there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from pathlib import Path
from urllib.error import URLError

import pytest
from review_scenes import ask, asked, regions, serve_and_say, serving, write_results

from ssa.errors import InputError
from ssa.review.log import FILE, read_history
from ssa.review.web.server import server_of

KILLS = 20


def test_what_was_acknowledged_survives_a_kill_in_any_moment(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["ssa.review.web.server", "ssa.dataset.reading", "review_scenes"]
    )
    acknowledged: list[str] = []
    for kill in range(KILLS):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve_and_say, args=(out, theirs))
        process.start()
        theirs.close()
        url = ours.recv()
        ref = asked(f"{url}api/picture?picture=0")["regions"][0]["ref"]
        seen = threading.Event()

        def decide(
            url: str = url, ref: object = ref, kill: int = kill, seen: threading.Event = seen
        ) -> None:
            for number in range(10_000):
                remark = f"{kill}.{number}"
                do = [{"what": "unsure", "region": ref, "remark": remark}]
                try:
                    status, _ = ask(f"{url}api/decide", {"request": remark, "do": do})
                except (URLError, OSError):
                    return
                assert status == 200
                acknowledged.append(remark)
                if number == kill % 5:
                    seen.set()

        writer = threading.Thread(target=decide)
        writer.start()
        assert seen.wait(60)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        writer.join()
        process.join()
    kept = {one.remark for entry in read_history(out / FILE).entries for one in entry.decisions}
    assert len(acknowledged) >= KILLS
    assert set(acknowledged) <= kept
    # Beyond those at most the one is there that each kill came upon.
    assert len(kept) <= len(acknowledged) + KILLS


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()])
    with serving(out) as url:
        port = int(url.split(":")[2].split("/")[0])
        with pytest.raises(InputError, match="expected a free --port"):
            server_of(None, port)  # type: ignore[arg-type]
