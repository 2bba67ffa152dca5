"""Settings: frozen, and where they bear published names they mean what was published."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, asdict, replace

import pytest
from segment_anything import SamAutomaticMaskGenerator

from ssa.config import GRANULARITIES, PUBLISHED_CLUSTERS, ClusterSettings, MaskSettings, Settings


def test_mask_settings_are_segment_anythings_own() -> None:
    parameters = inspect.signature(SamAutomaticMaskGenerator).parameters
    ours = asdict(MaskSettings())
    assert ours.pop("granularities") == GRANULARITIES
    assert ours == {name: parameters[name].default for name in ours}


@pytest.mark.parametrize(
    ("source", "told", "expected"),
    [
        ("sam", None, False),
        ("semantic-sam", None, True),
        ("sam", True, True),
        ("semantic-sam", False, False),
    ],
)
def test_parts_are_told_or_go_with_the_mask_model(
    source: str, told: bool | None, expected: bool
) -> None:
    settings = replace(Settings(), mask_source=source, parts=told)
    assert settings.with_parts is expected


def test_settings_are_values() -> None:
    settings = Settings()
    assert settings == Settings()
    assert settings.searching("sam", points_per_side=3) != settings
    with pytest.raises(FrozenInstanceError):
        settings.masks["sam"].points_per_side = 3  # type: ignore[misc]


def test_the_published_clusters_undo_every_choice_of_ours() -> None:
    published, ours = asdict(PUBLISHED_CLUSTERS), asdict(ClusterSettings())
    assert [name for name in ours if published[name] == ours[name]] == ["representatives"]
