"""Drawn scenes in SA-1B's layout: read back by what reads SA-1B, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ssa.formats.sa1b_reading import from_records
from ssa.masks.run_lengths import decode
from ssa.pictures.decoding import decode_image
from toyworld.sa1b_layout import Layout, main, write_scenes
from toyworld.unseen import right_names, scenes

SEED = 5
SMALL = Layout(size_px=128)


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_scene_comes_back_from_its_files(tmp_path: Path) -> None:
    write_scenes(tmp_path, 6, SEED, Layout())
    assert len(list(tmp_path.iterdir())) == 12
    *_, (scene, _) = scenes(6, SEED)
    picture = decode_image(tmp_path / "sa_500006.jpg")
    # The sixth is a wide one.
    assert picture.shape == scene.image.shape == (192, 256, 3)
    assert np.abs(picture.astype(int) - scene.image).mean() < 4
    proposals = from_records(json.loads((tmp_path / "sa_500006.json").read_bytes()))
    assert len(proposals) == len(scene.regions) > 2
    for proposal, region in zip(proposals, scene.regions, strict=True):
        assert (decode(proposal.rle) == region.mask).all()
        assert proposal.area_px == region.mask.sum()
        ((x, y),) = proposal.points_xy
        assert region.mask[int(y), int(x)]


def test_a_file_has_the_data_sets_own_fields(tmp_path: Path) -> None:
    write_scenes(tmp_path, 2, SEED, SMALL)
    files = [json.loads(path.read_bytes()) for path in sorted(tmp_path.glob("*.json"))]
    assert files[0]["image"] == {
        "image_id": 500001,
        "width": 128,
        "height": 128,
        "file_name": "sa_500001.jpg",
    }
    assert set(files[0]["annotations"][0]) == {
        *("id", "segmentation", "bbox", "area", "predicted_iou"),
        *("stability_score", "crop_box", "point_coords"),
    }
    ids = [record["id"] for file in files for record in file["annotations"]]
    assert len(set(ids)) == len(ids)


def test_a_tar_holds_the_same_under_names_with_a_dot(tmp_path: Path) -> None:
    write_scenes(tmp_path / "files", 3, SEED, SMALL)
    write_scenes(tmp_path / "tars", 3, SEED, Layout(size_px=128, tar=True))
    assert [path.name for path in (tmp_path / "tars").iterdir()] == ["sa_000005.tar"]
    with tarfile.open(tmp_path / "tars" / "sa_000005.tar", "r:") as tar:
        assert tar.getnames()[:2] == ["./sa_500001.jpg", "./sa_500001.json"]
        (tmp_path / "out").mkdir()
        tar.extractall(tmp_path / "out", filter="data")
    assert hashes(tmp_path / "out") == hashes(tmp_path / "files")


@pytest.mark.parametrize("tar", [False, True])
def test_the_same_bytes_every_time(tmp_path: Path, tar: bool) -> None:
    for name in "ab":
        write_scenes(tmp_path / name, 2, SEED, Layout(128, tar=tar))
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_seeds_share_no_scene(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_scenes(tmp_path / str(seed), 2, seed, SMALL)
    first, second = hashes(tmp_path / "0"), hashes(tmp_path / "1")
    assert not set(first) & set(second)
    assert not set(first.values()) & set(second.values())


def test_the_truth_names_the_masks_in_their_order(tmp_path: Path) -> None:
    layout = Layout(size_px=192)
    write_scenes(tmp_path / "files", 2, SEED, layout, tmp_path / "truth.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert [row["image"] for row in rows] == ["sa_500001", "sa_500002"]
    for row, (scene, _) in zip(rows, scenes(2, SEED, 192), strict=True):
        records = json.loads((tmp_path / "files" / f"{row['image']}.json").read_bytes())
        assert len(row["regions"]) == len(records["annotations"])
        for index, region in enumerate(row["regions"]):
            assert set(region["names"]) == right_names(scene, index)
            assert region["kind"] in region["names"]
            assert region["role"] in ("stuff", "object", "part")


def test_masks_may_have_their_names(tmp_path: Path) -> None:
    write_scenes(tmp_path / "plain", 2, SEED, Layout())
    write_scenes(tmp_path / "named", 2, SEED, Layout(names=True), tmp_path / "truth.jsonl")
    for row in map(json.loads, (tmp_path / "truth.jsonl").read_text().splitlines()):
        name = f"{row['image']}.json"
        named = json.loads((tmp_path / "named" / name).read_text())["annotations"]
        assert [one["class_name"] for one in named] == [one["kind"] for one in row["regions"]]
        bare = json.loads((tmp_path / "plain" / name).read_text())["annotations"]
        for one in named:
            del one["class_name"], one["class_proposals"]
        assert named == bare


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--scenes", "2", "--seed", "5", "--size", "128", "--no-masks", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["sa1b_layout", *options])
    main()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sa_500001.jpg", "sa_500002.jpg"]
