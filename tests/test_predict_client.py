"""./scripts/predict: its syntax, its table, and one run from the command line to the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import predict_client as client
from tests.server import data_uri, picture_png


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The caller's folder, with a picture in it."""
    monkeypatch.setenv("CALLER_DIR", str(tmp_path))
    (tmp_path / "picture.png").write_bytes(picture_png())
    return tmp_path


def record(name: str, area: int) -> dict[str, Any]:
    return {
        "segmentation": {"size": [10, 20], "counts": ""},
        "area": area,
        "predicted_iou": 0.9,
        "class_name": name,
        "class_proposals": [name, "thing"],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("top_k=5", ("top_k", 5)),
        ("top_k=many", ("top_k", "many")),
        ("pred_iou_thresh=0.5", ("pred_iou_thresh", 0.5)),
        ("detail=true", ("detail", True)),
        ("detail=False", ("detail", False)),
        ("detail=1", ("detail", "1")),
        ("image=https://x.org/a=b.png", ("image", "https://x.org/a=b.png")),
        ("image=data:,x", ("image", "data:,x")),
    ],
)
def test_values_follow_the_type_of_the_input(text: str, expected: tuple[str, Any]) -> None:
    name, value = client.parse_input(text, Path())
    assert (name, value) == expected
    assert type(value) is type(expected[1])


def test_a_file_is_read_from_the_callers_folder_and_sent_whole(folder: Path) -> None:
    expected = ("image", data_uri(picture_png()))
    assert client.parse_input("image=@picture.png", folder) == expected
    assert client.parse_input(f"image=@{folder}/picture.png", Path()) == expected


def test_a_text_is_sent_as_it_stands_in_its_file(folder: Path) -> None:
    (folder / "classes.txt").write_bytes("Wagen: Auto\nBär\n".encode())
    sent = client.parse_input("vocabulary=@classes.txt", folder)
    assert sent == ("vocabulary", "Wagen: Auto\nBär\n")
    assert client.parse_input("vocabulary=car: van", folder) == ("vocabulary", "car: van")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-i", "vocabulary=@nothing.txt"], "No such file or directory"),
        (["-i", "vocabulary=@picture.png"], "expected a text in UTF-8"),
        (["-i", "image"], "expected -i NAME=VALUE; got -i image"),
        (["-i", "prompt=a cat"], "there is no input 'prompt'; there are image, output_json,"),
        (["-i", "image=@nothing.png"], "No such file or directory"),
        (["--segmentor", "nowhere"], "there is no folder"),
        (["-i", "image=picture.png"], "image is a file: write -i image=@picture.png"),
    ],
)
def test_a_wrong_command_ends_with_one_line_and_status_1(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert client.main(arguments) == 1
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"status": "failed", "error": "Prediction failed: ValueError: no"}, "no"),
        (
            {"status": "failed", "error": "Input validation error: 404"},
            "Input validation error: 404",
        ),
        ({"detail": [{"loc": ["body", "input", "top_k"], "msg": "too large"}]}, "top_k: too large"),
        ("Bad Gateway", "Bad Gateway"),
    ],
)
def test_a_failed_prediction_gives_its_reason(body: Any, text: str) -> None:
    with pytest.raises(client.ClientError) as caught:
        client.successful_output(body)
    assert client.reason_in(str(caught.value)) == text


def test_the_table_lists_the_largest_first() -> None:
    header, first, second = client.table([record("ball", 2), record("green lawn", 150)])
    assert header.split() == ["label", "area", "quality", "proposals"]
    assert first == "green lawn   75.0%     0.90  green lawn, thing"
    assert second.startswith("ball      ")


def test_a_long_table_is_cut_and_an_empty_one_says_so() -> None:
    long = client.table([record("leaf", 1)] * (client.TABLE_ROWS + 3))
    assert long[-1] == "... and 3 smaller ones"
    assert client.table([]) == ["no masks found"]


def test_parts_stand_below_their_wholes() -> None:
    ball = record("ball", 90) | {"id": 0, "parent_id": None, "level": 0}
    wheel = record("wheel", 20) | {"id": 1, "parent_id": 3, "level": 1}
    spoke = record("spoke", 2) | {"id": 2, "parent_id": 1, "level": 2}
    car = record("car", 80) | {"id": 3, "parent_id": None, "level": 0}
    door = record("door", 10) | {"id": 4, "parent_id": 3, "level": 1}
    _, *lines = client.table([ball, wheel, spoke, car, door])
    assert [line.split("  0.9")[0].rstrip().rsplit("  ", 1)[0].rstrip() for line in lines] == [
        "ball",
        "car",
        "  wheel",
        "    spoke",
        "  door",
    ]


def test_masks_without_labels_have_a_dash() -> None:
    bare = record("", 50)
    del bare["class_name"], bare["class_proposals"]
    assert client.table([bare])[1] == "-       25.0%     0.90"


def test_the_segmentors_folder_is_meant_from_the_callers(folder: Path) -> None:
    (folder / "city").mkdir()
    given = client.parse_arguments(["--segmentor", "city", "--bundle", "tiny"])
    assert client.environment_of(given, folder) == {
        "SSA_BUNDLE": "tiny",
        "SSA_SEGMENTOR": str(folder / "city"),
    }
    assert client.environment_of(client.parse_arguments([]), folder) == {}


def test_files_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    both = {"img_out": data_uri(b"picture"), "json_out": data_uri(b"[]")}
    client.write_files(both, tmp_path)
    assert (tmp_path / "annotations.json").read_bytes() == b"[]"
    client.write_files({**both, "label_map_out": data_uri(b"ids")}, tmp_path)
    assert (tmp_path / "label_map.png").read_bytes() == b"ids"
    client.write_files({"img_out": data_uri(b"other"), "json_out": None}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["overlay.png"]
    assert (tmp_path / "overlay.png").read_bytes() == b"other"


def test_from_the_command_line_to_the_files(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["-i", "image=@picture.png", "-i", "points_per_side=4", "--bundle", "tiny"]
    assert client.main([*arguments, "-o", "found"]) == 0
    with Image.open(folder / "found" / "overlay.png") as overlay:
        assert overlay.size == (128, 128)
    assert isinstance(json.loads((folder / "found" / "annotations.json").read_text()), list)
    assert capsys.readouterr().out.splitlines()[-1].startswith("bundle tiny: ")
