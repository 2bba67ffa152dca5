"""Which bundle speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.errors import WeightsError
from ssa.weights import choose_bundle
from ssa.weights.download import download
from tests.weights.world import (
    QUICK,
    fill_tiny,
)


def test_the_best_bundle_present_is_chosen(world: Path) -> None:
    with pytest.raises(WeightsError, match="no bundle of weights is complete"):
        choose_bundle(world)
    fill_tiny(world)
    assert choose_bundle(world).name == "tiny"
    download("light", world, **QUICK)
    assert (choose_bundle(world).name, choose_bundle(world).purpose) == ("light", "a test")
    assert choose_bundle(world, "tiny").name == "tiny"


def test_an_incomplete_bundle_is_passed_over_aloud(
    world: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill_tiny(world)
    (download("light", world, **QUICK).path / "clip/config.json").unlink()
    assert choose_bundle(world).name == "tiny"
    assert "passed over light: light/clip/config.json is missing" in caplog.text


def test_a_bundle_asked_for_is_never_replaced_by_another(world: Path) -> None:
    fill_tiny(world)
    with pytest.raises(WeightsError, match=r"\./scripts/download_weights light"):
        choose_bundle(world, "light")
    with pytest.raises(WeightsError, match="no bundle is called 'huge': use light, tiny"):
        choose_bundle(world, "huge")
