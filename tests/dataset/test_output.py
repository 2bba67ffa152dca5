"""The folder of results: one run at a time, whole files, nothing of anybody else's touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ssa.dataset.identity import Identity
from ssa.dataset.outcomes import Annotated, Failed, GroupDone
from ssa.dataset.output import OutputFolder, opened
from ssa.errors import Fault, InputError, OutputError
from ssa.sources import Blob, Item

IDENTITY = Identity({"the": "tests"})


def list_items(folder: OutputFolder, *keys: str) -> None:
    blob = Blob(Path("/in/a.png"), 0, 1)
    folder.ledger.list_anew([(0, Item(key, f"{key}.png", blob)) for key in keys])


def annotated(key: str) -> Annotated:
    return Annotated(key, f'{{"of": "{key}"}}'.encode(), ("sky",), 1)


def test_what_is_kept_is_written_whole_and_once(tmp_path: Path) -> None:
    with opened(tmp_path / "out") as folder:
        list_items(folder, "s/a", "s/b")
        fault = Fault("s/b.png", "decode", "expected a picture; got text")
        assert folder.keep(GroupDone(0, [annotated("s/a"), Failed("s/b", fault)]), IDENTITY) == [
            fault
        ]
        assert folder.is_written("s/a")
        assert not folder.is_written("s/b")
        assert json.loads(folder.annotation_file("s/a").read_bytes()) == {"of": "s/a"}
        assert folder.ledger.kept() == []
        assert folder.write_faults() == 1
    rows = (tmp_path / "out/errors.jsonl").read_text().splitlines()
    assert [json.loads(row)["message"] for row in rows] == ["expected a picture; got text"]


def test_what_a_killed_run_had_kept_is_written_by_the_next(tmp_path: Path) -> None:
    with opened(tmp_path / "out") as folder:
        list_items(folder, "s/a")
        folder.ledger.keep([annotated("s/a")], IDENTITY.digest)  # and here it dies
        assert not folder.is_written("s/a")
    with opened(tmp_path / "out") as folder:
        folder.recover()
        assert folder.is_written("s/a")
        assert folder.ledger.totals.done == 1


def test_a_name_that_does_not_fit_is_that_pictures_fault(tmp_path: Path) -> None:
    long = "s/" + "n" * 300
    with opened(tmp_path / "out") as folder:
        list_items(folder, long, "s/a")
        (fault,) = folder.keep(GroupDone(0, [annotated(long), annotated("s/a")]), IDENTITY)
        assert (fault.file, fault.step) == (long, "write")
        assert fault.message.startswith("expected a name that fits; got File name too long")
        assert folder.is_written("s/a")


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "out"),
        pytest.raises(OutputError, match="another run is writing to out"),
    ):
        enter(tmp_path / "out")
    enter(tmp_path / "out")  # it is free again


def enter(root: Path) -> None:
    with opened(root):
        pass


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(InputError, match="with other files in it; name another"):
        enter(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(InputError, match=r"must be a folder; got a file, mine\.txt"):
        enter(tmp_path / "mine.txt")


def test_errors_of_the_disk_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as stopped:
        fail_in(tmp_path / "out")
    assert (
        "the run in out had to stop: No space left on device; nothing that was done is lost"
        in str(stopped.value)
    )


def fail_in(root: Path) -> None:
    with opened(root):
        raise OSError(28, "No space left on device")
