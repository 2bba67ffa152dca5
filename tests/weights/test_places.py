"""Where bundles lie in a checkout, and how a person moves downloads elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.weights.manifest import MANIFEST_NAME
from ssa.weights.places import INSTALLED, MODEL_FOLDER, SHIPPED_ROOT, default_root, download_command


def test_a_checkout_has_its_own_folder_of_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSA_WEIGHTS", raising=False)
    assert not INSTALLED
    assert default_root() == SHIPPED_ROOT
    assert (SHIPPED_ROOT / MANIFEST_NAME).is_file()
    assert (MODEL_FOLDER / "predict.py").is_file()


def test_downloads_go_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSA_WEIGHTS", "~/elsewhere")
    assert default_root() == Path.home() / "elsewhere"
    monkeypatch.setenv("SSA_WEIGHTS", "relative")
    assert default_root() == Path.cwd() / "relative"
    monkeypatch.setenv("SSA_WEIGHTS", "")
    assert default_root() == SHIPPED_ROOT


def test_the_command_that_brings_a_bundle_is_there_to_run() -> None:
    command, bundle = download_command("light").split()
    assert bundle == "light"
    assert (MODEL_FOLDER / command).is_file()
