"""The command itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from review_scenes import asked, regions, serving_apart, write_results

from ssa.cli import app, review


def test_it_prints_an_address_and_exports_go_on(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()])
    with serving_apart(out) as (url, _), serving_apart(out) as (other, _):
        assert url.startswith("http://127.0.0.1:")
        assert url != other
        region = asked(f"{url}api/picture?picture=0")["regions"][0]
        do = [{"what": "corrected", "region": region["ref"], "label": "heaven"}]
        asked(f"{url}api/decide", {"request": "a", "do": do})
        assert asked(f"{other}api/picture?picture=0")["regions"][0]["label"] == "heaven"
        assert app.main(["export", str(out), "--format", "coco"]) == 0
    assert b"heaven" in (out / "coco" / "annotations" / "instances_default.json").read_bytes()


def test_without_its_libraries_one_line_says_how_to_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(review, "_LIBRARIES", ("a_library_that_nobody_has",))
    assert app.main(["review", str(tmp_path)]) == 2
    assert "pip install starlette uvicorn" in capsys.readouterr().err


def test_what_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["review", str(tmp_path)]) == 2
    assert "expected a folder with results" in capsys.readouterr().err
    assert app.main(["review", str(tmp_path), "--port", "99999"]) == 2
    assert "expected a --port from 0 to 65535" in capsys.readouterr().err


def test_it_loads_no_torch() -> None:
    code = (
        "import sys, ssa.cli.review, ssa.review.web.answers, ssa.review.web.server;"
        "from ssa.cli import app; app.parser();"
        "print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
