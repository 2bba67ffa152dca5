"""What Cog left of cancelled predictions goes at the next one; nobody else's file does."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from ssa.serving.leftovers import PREFIX, mark_temporary_files, remove_leftovers


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "template", tempfile.template)
    return tmp_path


def fetched() -> Path:
    """A file as Cog makes it for a picture."""
    with tempfile.NamedTemporaryFile(suffix="name.png", delete=False) as file:
        return Path(file.name)


def test_in_cogs_worker_all_but_the_current_picture_go(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = fetched()
    monkeypatch.setenv("COG_PREDICT_TYPE_STUB", "predict.py:Predictor")
    mark_temporary_files()
    left, current = fetched(), fetched()
    assert left.name.startswith(PREFIX)
    (folder / f"{PREFIX}folder").mkdir()
    remove_leftovers(keep=current)
    assert sorted(folder.iterdir()) == sorted([others, current, folder / f"{PREFIX}folder"])
    remove_leftovers(keep=None)
    assert not current.exists()


def test_in_anybody_elses_process_nothing_is_touched(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COG_PREDICT_TYPE_STUB", raising=False)
    mark_temporary_files()
    named = folder / f"{PREFIX}mine.png"
    named.write_bytes(b"")
    kept = [fetched(), named]
    remove_leftovers(keep=None)
    assert sorted(folder.iterdir()) == sorted(kept)
