"""The wheel: what lies in it, and one picture named by a copy installed far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from environments import made, pins

from ssa.cli import app

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 40_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_the_package_the_miniature_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"ssa"}
    sources = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "ssa").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources <= names
    weights = {
        f"ssa/shipped/weights/{path.relative_to(ROOT / 'weights')}"
        for bundle in ("tiny", "tiny-modern")
        for path in (ROOT / "weights" / bundle).rglob("*")
        if path.is_file()
    }
    assert names - sources >= weights | {
        "ssa/shipped/weights/manifest.json",
        "ssa/shipped/predict.py",
    }
    assert "ssa/py.typed" in names
    assert wheel.stat().st_size < MOST_BYTES


@pytest.mark.slow  # three quarters of a minute: .ci/run asks for it by name
def test_an_installed_copy_names_a_picture_as_the_checkout_does(
    wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = pins(tmp_path / "pins.txt", "--no-dev", "--no-emit-project")
    programs = made(tmp_path / "env", "--constraint", locked, wheel)
    apart = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    run = subprocess.run(
        [
            programs / "ssa",
            "predict",
            ROOT / "examples" / "street.png",
            "-o",
            "out",
        ],
        cwd=tmp_path,
        env={**apart, "SSA_WEIGHTS": str(tmp_path / "nothing yet"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].endswith("for photographs: ssa weights download light")
    street = str(ROOT / "examples" / "street.png")
    assert (
        app.main(["predict", street, "--bundle", "tiny", "-o", str(tmp_path / "here"), "-q"]) == 0
    )
    for name in ("annotations.json", "overlay.png"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
