"""The command: from reviewed regions to confidences that every reader of the folder has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from dataset_doubles import files_of, records_of

from ssa.cli import app
from ssa.labelling.confidence import FILE, read_confidence
from ssa.review.draw import is_sampled, rank_of
from tests.score.runs import Truth, results, review


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def calibrated(out: Path, pictures: int = 8) -> Truth:
    """Results that were reviewed whole, and a confidence fitted to that."""
    truth = results(out, pictures)
    review(out, truth, list(truth))
    assert app.main(["calibrate", str(out)]) == 0
    return truth


def test_it_is_fitted_to_half_and_checked_on_the_other(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = calibrated(out)
    known = read_confidence(out / FILE)
    assert known is not None
    assert 0.4 < known.regions / len(truth) < 0.6
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"fitted on {known.regions} reviewed regions: {out / FILE}"
    assert second.startswith(f"on {len(truth) - known.regions} others, ")
    risk, before = re.findall(r"curve ([0-9.]+) \(by the margin alone ([0-9.]+)\)", second)[0]
    assert float(risk) < float(before)
    assert f"--confidence {out / FILE}" in third


def test_exports_have_it_and_leave_out_what_is_doubtful(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = results(out, 8)
    before = files_of(out / "annotations")
    review(out, truth, list(truth)[:160])
    assert app.main(["export", str(out), "--format", "reviewed,coco"]) == 0
    assert "confidence" not in str(records_of(out / "reviewed/pictures/000.png.json")[0])
    assert app.main(["calibrate", str(out)]) == 0
    assert app.main(["export", str(out), "--format", "reviewed"]) == 0
    found: list[Any] = [
        row for path in (out / "reviewed").rglob("*.json") for row in records_of(path)
    ]
    known = [one for one in found if "confidence" in one]
    assert len(known) == len(truth)
    assert files_of(out / "annotations") == before
    assert app.main(["export", str(out), "--format", "coco", "--least-confidence", "70%"]) == 0
    rows = json.loads((out / "coco/annotations/instances_default.json").read_bytes())["annotations"]
    kept = [
        one
        for one in found
        if one["reviewed"] == "accepted" or (one["reviewed"] == "none" and one["confidence"] >= 0.7)
    ]
    assert len(rows) == len(kept) < len(found)
    rejected = sum(one["reviewed"] == "rejected" for one in found)
    left_out = f"{len(found) - rejected - len(kept)} of {len(found) - rejected} names are less sure"
    assert left_out in capsys.readouterr().out
    assert sorted(one["confidence"] for one in rows) == sorted(one["confidence"] for one in kept)


def test_too_few_reviews_are_told(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = results(out, 2)
    review(out, truth, list(truth)[:5])
    assert app.main(["calibrate", str(out)]) == 2
    assert "review more" in capsys.readouterr().err
    assert not (out / FILE).exists()


def test_a_sample_alone_teaches_nothing(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = results(out, 4)
    ranks = {region: rank_of(ref.picture, ref.mask) for region, (ref, _) in truth.items()}
    review(out, truth, [region for region, rank in ranks.items() if is_sampled(rank)])
    assert app.main(["calibrate", str(out)]) == 2
    assert (
        "are of the sample of `ssa accept`, which nothing is learnt from" in capsys.readouterr().err
    )


def test_results_without_evidence_are_told(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = results(out, 2, detail=False)
    review(out, truth, list(truth))
    assert app.main(["calibrate", str(out)]) == 2
    assert "annotate with --detail" in capsys.readouterr().err


def test_a_damaged_confidence_is_told(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results(out, 1)
    (out / FILE).write_text("{")
    assert app.main(["export", str(out), "--format", "coco"]) == 2
    assert "as `ssa calibrate` writes it" in capsys.readouterr().err


def test_another_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["calibrate", str(tmp_path)]) == 2
    assert "expected a folder with results" in capsys.readouterr().err
