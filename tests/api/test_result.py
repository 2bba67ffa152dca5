"""What comes of a picture, on the real miniature: to read, to keep, to hand on."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cog
import numpy as np
import pytest
from PIL import Image

import ssa
from predict import Predictor
from ssa.errors import OutputError
from ssa.types import Evidence, ScoredLabel
from tests.server import picture_png

FEW = {"points_per_side": 6}


@pytest.fixture(scope="module")
def model() -> ssa.Model:
    return ssa.load("tiny", "cpu")


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return Image.open(BytesIO(picture_png()))


@pytest.fixture(scope="module")
def result(model: ssa.Model, picture: Image.Image) -> ssa.Result:
    return model.annotate(picture, **FEW)


def test_regions_say_what_the_records_say(result: ssa.Result) -> None:
    records = result.to_dict()["annotations"]
    assert len(result) == len(records) == len(list(result)) > 1
    for region, record in zip(result, records, strict=True):
        assert region.class_name == record["class_name"]
        assert list(region.class_proposals) == record["class_proposals"]
        assert list(region.bbox_xywh) == record["bbox"]
        assert region.area_px == record["area"] == np.count_nonzero(region.mask)
        assert region.mask.shape == result.picture.shape[:2]
        assert region.mask.dtype == np.bool_
        assert region.predicted_iou == record["predicted_iou"]
        assert region.stability_score == record["stability_score"]
        assert region.score is not None
        assert 0 < region.score <= 1
    assert result[0] == next(iter(result))
    assert result.label_map is None


def test_a_score_is_of_the_name_or_of_the_nearest_class(
    model: ssa.Model, picture: Image.Image
) -> None:
    closed = model.annotate(picture, labels="closed-set", **FEW)
    assert all(region.score == region.evidence.votes[0].share for region in closed)
    unknown = model.annotate(picture, vocabulary=["tuba", "sofa"], unknown_below=1, **FEW)
    assert {region.class_name for region in unknown} == {"unknown"}
    assert all(region.score == region.evidence.ranking[0].score for region in unknown)
    bare = model.annotate(picture, labels="none", **FEW)
    assert {(region.class_name, region.score, region.margin) for region in bare} == {(None,) * 3}


def test_a_region_that_a_phrase_found_says_so_and_how_surely(result: ssa.Result) -> None:
    said = Evidence(agreement=(ScoredLabel("car", 0.7),))
    own = replace(result[0].annotation, class_name="car", evidence=said, source="phrase")
    assert (ssa.Region(own).source, ssa.Region(own).score) == ("phrase", 0.7)
    assert {region.source for region in result} == {None}


def test_parts_know_their_wholes(model: ssa.Model, picture: Image.Image) -> None:
    tree = model.annotate(picture, labels="none", parts=True, **FEW)
    records = tree.to_dict()["annotations"]
    assert [region.parent for region in tree] == [record["parent_id"] for record in records]


@pytest.mark.parametrize("labels", ["open-vocabulary", "closed-set"])
def test_saved_files_are_those_of_the_server(
    model: ssa.Model, tmp_path: Path, labels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = tmp_path / "picture.png"
    sent.write_bytes(picture_png())
    saved = model.annotate(sent, labels=labels, detail=True, **FEW).save(tmp_path / "out" / "deep")
    monkeypatch.setenv("SSA_BUNDLE", "tiny")
    predictor = Predictor()
    predictor.setup()
    output = predictor.predict(image=cog.Path(sent), labels=labels, detail=True, **FEW)
    served = [output.img_out, output.json_out, output.label_map_out, output.classes_out]
    assert {path.name: path.read_bytes() for path in served if path} == {
        name: path.read_bytes() for name, path in saved.items()
    }
    assert sorted(path.name for path in (tmp_path / "out" / "deep").iterdir()) == sorted(saved)


def test_saving_where_nothing_can_be_written_is_one_line(
    result: ssa.Result, tmp_path: Path
) -> None:
    taken = tmp_path / "file"
    taken.write_bytes(b"kept")
    with pytest.raises(OutputError, match=r"expected a folder that can be written to; got .*file"):
        result.save(taken)
    assert taken.read_bytes() == b"kept"


def test_the_overlay_is_the_saved_one_and_the_json_the_saved_text(
    result: ssa.Result, tmp_path: Path
) -> None:
    saved = result.save(tmp_path)
    with Image.open(saved["overlay.png"]) as overlay:
        assert np.array_equal(np.asarray(overlay), np.asarray(result.overlay()))
    text = saved["annotations.json"].read_text()
    assert text == result.to_json()
    whole = result.to_dict()
    assert json.loads(text) == json.loads(json.dumps(whole))["annotations"]
    assert (whole["height"], whole["width"]) == result.picture.shape[:2]
    assert "detail" not in whole["annotations"][0]
    assert "detail" in result.to_dict(detail=True)["annotations"][0]


def test_supervision_gets_the_same_masks(result: ssa.Result) -> None:
    pytest.importorskip("supervision")
    found = result.to_supervision()
    assert found.mask is not None
    assert np.array_equal(found.mask, np.stack([region.mask for region in result]))
