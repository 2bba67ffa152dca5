"""Scenes of repeated things: so many kinds, so many of each, hardly one before another."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from toyworld.compose import compose
from toyworld.repeats import repeat
from toyworld.scenes import Scene, draw_scene

SEEDS = range(40)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_scene(seed, supersample=1, arrange=repeat) for seed in SEEDS]


def kinds(scene: Scene) -> Counter[str]:
    return Counter(region.kind for region in scene.regions if region.role == "object")


def test_every_kind_is_there_two_to_five_times(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert all(2 <= count <= 5 for count in kinds(scene).values())
    found = sum((kinds(scene) for scene in scenes), Counter())
    assert len(found) > 15  # All sorts of kinds, in the end.


def test_a_scene_has_two_to_four_kinds_as_far_as_there_is_room(scenes: list[Scene]) -> None:
    numbers = Counter(len(kinds(scene)) for scene in scenes)
    assert set(numbers) <= {1, 2, 3, 4}
    assert numbers[1] <= len(scenes) / 10
    assert numbers[4] > 0


def test_things_are_hardly_covered(scenes: list[Scene]) -> None:
    seen = [r.visible for scene in scenes for r in scene.regions if r.role == "object"]
    assert min(seen) > 0.6


def test_the_same_seed_gives_the_same_scene_at_any_size(scenes: list[Scene]) -> None:
    again = draw_scene(SEEDS[5], supersample=1, arrange=repeat)
    assert again.image.tobytes() == scenes[5].image.tobytes()
    large = draw_scene(SEEDS[5], 512, 512, supersample=1, arrange=repeat)
    assert kinds(large) == kinds(scenes[5])


def test_without_bands_or_room_there_is_nothing() -> None:
    assert repeat(random.Random(0), (), 256, 256) == []


def test_other_scenes_are_composed_as_ever() -> None:
    plain, asked = draw_scene(7), draw_scene(7, arrange=compose)
    assert plain.image.tobytes() == asked.image.tobytes()
