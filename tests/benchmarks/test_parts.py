"""What parts cost: each role on small models of its kind, and a part that fails beside one that doesn't."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from models.checkpoints import write_clipseg, write_open_clip, write_tipsv2
from models.segmentors import write_segmentor
from models.small_captioners import write_florence
from models.small_point_models import write_point_model

from benchmarks import parts
from benchmarks.part_sizes import PARTS, Part
from ssa.device import Placement

CPU = Placement(torch.device("cpu"), torch.float32)
PICTURE, ITEM = (
    {f"{what}_{unit}" for unit in ("peak_mb", "seconds", "gflop")} for what in ("picture", "item")
)


@pytest.fixture(autouse=True)
def _small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "HEIGHT", 128)
    monkeypatch.setattr(parts, "WIDTH", 192)


@pytest.mark.parametrize(
    ("role", "write", "figures"),
    [
        ("sam", partial(write_point_model, "sam2"), PICTURE | ITEM),
        ("coco_segmentor", lambda folder: write_segmentor(folder, "mask2former"), PICTURE),
        ("captions", write_florence, ITEM),
        ("clip", write_open_clip, ITEM),
        ("clip", write_tipsv2, PICTURE | ITEM),
        ("clipseg", write_clipseg, ITEM),
    ],
    ids=["sam2", "mask2former", "florence2", "open_clip", "tipsv2", "clipseg"],
)
def test_each_kind_of_part_has_its_figures(
    role: str, write: Callable[[Path], None], figures: set[str]
) -> None:
    found = parts.measure(Part(role, write), CPU, 2, 1)
    assert set(found) == {"weights_mb"} | figures
    for name, figure in found.items():
        # Small models may need no more memory than lies about.
        assert figure >= 0 if name.endswith("peak_mb") else figure > 0


def test_operations_are_those_of_an_item() -> None:
    part = Part("clip", write_open_clip)
    two, four = (parts.measure(part, CPU, count, 1)["item_gflop"] for count in (2, 4))
    assert two == pytest.approx(four)


def test_a_part_that_fails_is_told_and_the_others_have_their_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"empty": Part("clip", lambda folder: None), "good": Part("clip", write_open_clip)}
    file = tmp_path / "figures.json"
    typed = ["--items", "2", "--repeats", "1", "--device", "cpu", "--json", str(file)]
    assert parts.main(typed, given) == 1
    found = json.loads(file.read_text())["parts"]
    assert found["empty"].startswith("WeightsError: ")
    assert found["good"]["weights_mb"] > 0
    assert parts.main([*typed, "good"], given) == 0
    assert set(json.loads(file.read_text())["parts"]) == {"good"}
    with pytest.raises(SystemExit):
        parts.main(["better"], given)
    assert "expected names among empty, good; got better" in capsys.readouterr().err


def test_every_published_part_has_a_role_of_bundles() -> None:
    assert {part.role for part in PARTS.values()} == {
        "sam", "ade20k_segmentor", "captions", "clip", "clipseg",
    }  # fmt: skip
