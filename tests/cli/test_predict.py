"""``ssa predict``: checks before it loads, the files and the table, and the same bytes as through Cog."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ssa.cli import app, predict
from ssa.errors import InputError, OutputError
from tests.server import picture_png

ROOT = Path(__file__).resolve().parents[2]
FEW = ("-i", "points_per_side=4", "--bundle", "tiny")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the caller stands, with a picture in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(picture_png())
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "expected a picture: ssa predict PICTURE..."),
        (["gone.png"], "got gone.png, which isn't there"),
        (["."], "got the folder ."),
        (["-i", "image=https://x.org/a.png"], "a URL goes to the server: add --cog"),
        (["picture.png", "-o", "picture.png"], "where picture.png is a file"),
        (["picture.png", "-o", "picture.png/in"], "where picture.png is a file"),
        (["picture.png", "-i", "top_k=20"], "top_k must be a whole number from 1 to 10; got 20"),
        (["picture.png", "--segmentor", "gone", "--labels", "closed-set"], "gone"),
        (
            ["picture.png", "-i", "segmentor=gone", "--labels", "closed-set"],
            "segmentor must be one of",
        ),
        (["picture.png", "--vocabulary", "gone.txt"], "got gone.txt"),
        (["picture.png", "--bundle", "huge"], "huge"),
        (["picture.png", "--device", "abacus"], "abacus"),
        (["picture.png", "-i", "granularity=3"], "granularity belongs to mask_source"),
        (["picture.png", "-i", "output_json=false"], "output_json"),
    ],
)
def test_what_can_not_be_is_one_line_before_any_weights_load(
    folder: Path, typed: list[str], said: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def no_weights(*_: object, **__: object) -> None:
        raise AssertionError("weights were to be loaded")

    monkeypatch.setattr("ssa.loading.load_engine", no_weights)
    assert app.main(["predict", *typed]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert not (folder / "output").exists()


def test_nothing_is_made_where_a_folder_is_looked_at(tmp_path: Path) -> None:
    predict.check_writable(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(OutputError, match="where a is a file"):
        predict.check_writable(tmp_path / "a" / "b")


def test_pictures_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    found = predict.folders_for([Path("a/x.png"), Path("b/x.jpg"), Path("y.png")], tmp_path)
    assert found == [tmp_path / "x", tmp_path / "x~2", tmp_path / "y"]
    assert predict.folders_for([Path("a/x.png")], tmp_path) == [tmp_path]
    with pytest.raises(InputError):
        predict.folders_for([], tmp_path)


def test_several_pictures_and_one_that_is_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG no more")
    (folder / "again.png").write_bytes(picture_png())
    assert app.main(["predict", "picture.png", "broken.png", "again.png", "-o", "out", *FEW]) == 1
    told = capsys.readouterr()
    assert files(folder / "out" / "picture") == files(folder / "out" / "again")
    assert not (folder / "out" / "broken").exists()
    assert "broken.png: " in told.err
    assert told.out.splitlines()[0] == "picture.png:"
    assert told.out.splitlines()[-1].startswith("bundle tiny: drawn scenes only")
    assert "download" in told.out.splitlines()[-1]


def test_json_is_all_that_stands_on_standard_output(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(["predict", "picture.png", "--json", *FEW]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["picture"], told["bundle"]) == ("picture.png", "tiny")
    assert told["annotations"] == json.loads((folder / "output/annotations.json").read_bytes())


def test_a_vocabularys_scores_and_its_limit_are_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "own.txt").write_text("submarine\n")
    assert app.main(["predict", "picture.png", "--vocabulary", "own.txt", *FEW]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert any("needed 0.3)" in row and "submarine 0." in row for row in rows)


def test_in_process_and_through_cog_give_the_same_bytes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--labels", "closed-set", "-i", "detail=true", "--legend"]
    typed = ["predict", "-i", "image=@picture.png", *more, *FEW]
    assert app.main([*typed, "-o", "here"]) == 0
    assert app.main([*typed, "-o", "cog", "--cog"]) == 0
    assert files(folder / "here") == files(folder / "cog")
    with Image.open(folder / "cog" / "overlay.png") as overlay:
        assert overlay.height > 128 or overlay.width > 128  # the legend
    assert capsys.readouterr().out.splitlines()[-1].startswith("bundle tiny: ")


def test_an_end_of_a_pipe_is_no_traceback(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ssa", "predict", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, told = process.communicate(timeout=60)
    assert b"Traceback" not in told
