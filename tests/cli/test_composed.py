"""A bundle put together of today's parts: one result by the command, by the server and by ``annotate``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from models.checkpoints import write_siglip
from models.segmentors import write_segmentor
from models.small_captioners import speak_plainly, write_florence
from models.small_point_models import write_point_model

from ssa.cli import app
from ssa.cli.cog_server import CogServer
from tests.server import data_uri, decode_data_uri, picture_png

ROOT = Path(__file__).resolve().parents[2]

PARTS = {
    "sam": partial(write_point_model, "sam2"),
    "ade20k_segmentor": lambda folder: write_segmentor(folder, "mask2former"),
    "captions": partial(write_florence, eagerness=1.2),
    "clip": write_siglip,
}
SEARCH = {"points_per_side": 4, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}

# Who a record rests on, each called after the folder that it came from.
WITNESSES = {"ade20k": "ade20k_segmentor", "caption": "captions", "clip": "clip"}

Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundle "mine" is: SAM 2.1, Mask2Former, Florence-2 and SigLIP 2 upon the miniature."""
    parts = tmp_path_factory.mktemp("parts")
    typed = []
    for role, write in PARTS.items():
        (parts / role).mkdir()
        write(parts / role)
        typed += [f"--{role.replace(chr(95), chr(45))}", str(parts / role)]
    speak_plainly(parts / "captions")
    root = tmp_path_factory.mktemp("weights")
    composed = ["weights", "compose", "mine", "--from", "tiny", "--root", str(root), *typed]
    assert app.main(composed) == 0
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[CogServer]:
    show = lambda line: print(line.message)  # noqa: E731
    with CogServer(ROOT, {"SSA_BUNDLE": "mine", "SSA_WEIGHTS": str(root)}, on_line=show) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture
def picture(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture in the folder where the commands are given."""
    monkeypatch.setenv("SSA_WEIGHTS", str(root))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pictures" / "picture.png"
    path.parent.mkdir()
    path.write_bytes(picture_png())
    return path


@pytest.fixture
def predicted(picture: Path, tmp_path: Path) -> Records:
    """What ``ssa predict`` says."""
    inputs = [f"-i={name}={value}" for name, value in SEARCH.items()]
    typed = ["predict", str(picture), "--bundle", "mine", "-i=detail=true", "-o", "out", *inputs]
    assert app.main(typed) == 0
    (written,) = (tmp_path / "out").rglob("*.json")
    return list(json.loads(written.read_text()))


def test_every_part_has_its_say(predicted: Records) -> None:
    assert predicted
    for record in predicted:
        detail = record["detail"]
        assert {vote["source"] for vote in detail["votes"]} == {"coco", "ade20k"}
        assert record["class_name"] in record["class_proposals"]
        assert detail["models"].items() >= WITNESSES.items()
    assert any(record["detail"]["caption"] for record in predicted)


def test_the_server_says_the_same(predicted: Records, server: CogServer) -> None:
    inputs = {"image": data_uri(picture_png()), "detail": True, **SEARCH}
    body = server.request("POST", "/predictions", {"input": inputs}).body
    assert body["status"] == "succeeded", body
    assert json.loads(decode_data_uri(body["output"]["json_out"])) == predicted


def test_annotate_says_the_same(predicted: Records, picture: Path, tmp_path: Path) -> None:
    search = [f"--{name.replace('_', '-')}={value}" for name, value in SEARCH.items()]
    typed = ["annotate", str(picture.parent), "--out", str(tmp_path / "set"), "--bundle", "mine"]
    assert app.main([*typed, "--detail", *search]) == 0
    (written,) = (tmp_path / "set" / "annotations").rglob("*.json")
    # In a dataset records have numbers too.
    numbered = [{"id": number, **record} for number, record in enumerate(predicted)]
    assert json.loads(written.read_text())["annotations"] == numbered
