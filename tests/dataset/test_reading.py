"""Results are read while others write, and nothing of them is touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dataset_doubles import files_of
from review_scenes import regions, write_results

from ssa.dataset.output import opened
from ssa.dataset.reading import results_in
from ssa.errors import InputError
from ssa.labelling.confidence import Confidence


def test_it_reads_while_another_holds_the_lock(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions(), regions("cloud")])
    before = files_of(out)
    with opened(out):
        results = results_in(out)
        assert results.keys == ("photos/0.jpg", "photos/1.jpg")
        assert results.example(1).annotations[0].class_name == "cloud"
        assert results.picture(0).path == tmp_path / "photos" / "0.jpg"
    assert files_of(out) == before


def test_another_may_write_while_it_is_read(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()])
    results = results_in(out)
    with opened(out) as output:
        output.ledger.forget_result("photos/0.jpg")
    assert results_in(out).keys == ()
    assert len(results.example(0).annotations) == 4


def test_a_folder_without_results_and_a_file_that_is_gone_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder with results"):
        results_in(tmp_path)
    out = write_results(tmp_path / "out", [regions()])
    results = results_in(out)
    (out / "annotations" / "photos" / "0.jpg.json").unlink()
    with pytest.raises(InputError, match="put the file back"):
        results.example(0)


def test_a_ledger_that_is_none_is_told(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()])
    (out / ".ssa" / "ledger.sqlite").write_bytes(b"no database at all, but some text" * 99)
    with pytest.raises(InputError, match="expected the ledger of out to be readable"):
        results_in(out)


def test_what_was_fitted_for_the_folder_is_said_of_its_names(tmp_path: Path) -> None:
    apart = [replace(one, evidence=replace(one.evidence, cluster_id=None)) for one in regions()]
    out = write_results(tmp_path / "out", [apart])
    before = [one.confidence for one in results_in(out).example(0).annotations]
    # Of these regions votes and CLIPSeg spoke; a confidence that says the same of all.
    fitted = Confidence("votes, clipseg", (), (), (), (), 0.0, 100)
    (out / "confidence.json").write_bytes(fitted.dumps())
    assert {one.confidence for one in results_in(out).example(0).annotations} == {0.5}
    assert before != [0.5] * 4
