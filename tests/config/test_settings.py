"""Settings are values, frozen."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from ssa.config import Settings


@pytest.mark.parametrize(
    ("source", "told", "expected"),
    [
        ("sam", None, False),
        ("semantic-sam", None, True),
        ("phrases", None, False),
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
