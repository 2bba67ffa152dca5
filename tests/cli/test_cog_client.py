"""``ssa predict --cog``: what the server is told, what its answers mean, and which files are left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ssa.cli import app, cog_client
from tests.server import data_uri


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
    with pytest.raises(cog_client.ClientError) as caught:
        cog_client.successful_output(body)
    assert cog_client.reason_in(str(caught.value)) == text


def test_the_server_is_told_by_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "city").mkdir()

    def told(*typed: str) -> dict[str, str]:
        return cog_client.environment_of(app.parser().parse_args(["predict", *typed]))

    assert told() == {}
    assert told("--segmentor", "city", "--bundle", "tiny", "--dtype", "float32") == {
        "SSA_BUNDLE": "tiny",
        "SSA_DTYPE": "float32",
        "SSA_SEGMENTOR": str(tmp_path / "city"),
    }
    assert told("--segmentor", "coco") == {}
    with pytest.raises(cog_client.ClientError, match="there is no folder nowhere"):
        told("--segmentor", "nowhere")


def test_files_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    both = {"img_out": data_uri(b"picture"), "json_out": data_uri(b"[]")}
    cog_client.write_files(both, tmp_path)
    assert (tmp_path / "annotations.json").read_bytes() == b"[]"
    cog_client.write_files({**both, "label_map_out": data_uri(b"ids")}, tmp_path)
    assert (tmp_path / "label_map.png").read_bytes() == b"ids"
    cog_client.write_files({"img_out": data_uri(b"other"), "json_out": None}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["overlay.png"]
    assert (tmp_path / "overlay.png").read_bytes() == b"other"
