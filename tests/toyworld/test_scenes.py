"""The drawn world's truth: one owner for every pixel, parts in wholes, the same at any size."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toyworld.kinds import KINDS, class_id, class_names
from toyworld.scenes import Scene, draw_scene
from toyworld.seeds import EVALUATION_SCENES, TRAINING_SCENES, evaluation_seed, training_seed

SEEDS = range(40)
STREET = 104
LEAST_SIDE = {"person": 26, "flower": 34, "stop sign": 34, "cloud": 32, "rock": 36, "fence": 30}


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_scene(seed) for seed in SEEDS]


def owners(scene: Scene) -> list[np.ndarray]:
    return [region.mask for region in scene.regions if region.role != "part"]


def test_the_same_seed_gives_the_same_bytes(scenes: list[Scene]) -> None:
    again = draw_scene(SEEDS[3])
    assert again.image.tobytes() == scenes[3].image.tobytes()
    assert again.coco.tobytes() == scenes[3].coco.tobytes()
    assert again.image.tobytes() != scenes[4].image.tobytes()


def test_every_pixel_belongs_to_one_stuff_or_object(scenes: list[Scene]) -> None:
    for scene in scenes:
        count = np.sum(owners(scene), axis=0)
        assert (count == 1).all()


def test_label_maps_agree_with_the_regions(scenes: list[Scene]) -> None:
    for scene in scenes:
        for region in scene.regions:
            if region.role != "part":
                assert (scene.coco[region.mask] == class_id(region.kind, "coco")).all()
                assert (scene.ade20k[region.mask] == class_id(region.kind, "ade20k")).all()


def test_parts_lie_inside_their_whole_and_apart(scenes: list[Scene]) -> None:
    for scene in scenes:
        for region in scene.regions:
            if region.role == "part":
                assert region.parent is not None
                whole = scene.regions[region.parent]
                assert whole.role == "object"
                assert not (region.mask & ~whole.mask).any()
            else:
                assert region.parent is None
        parts = [region.mask for region in scene.regions if region.role == "part"]
        assert not parts or np.sum(parts, axis=0).max() == 1


def test_things_are_large_enough_for_a_small_model(scenes: list[Scene]) -> None:
    for scene in scenes:
        for region in scene.regions:
            rows, columns = np.nonzero(region.mask)
            cut = rows.min() == 0 or columns.min() == 0 or columns.max() == 255
            if region.role == "object" and region.visible > 0.99 and not cut:
                side = min(np.ptp(rows), np.ptp(columns)) + 1
                assert side >= LEAST_SIDE.get(region.kind, 38), region.kind


def test_scenes_hold_a_few_things_mostly_in_sight(scenes: list[Scene]) -> None:
    counts = [sum(r.role == "object" for r in scene.regions) for scene in scenes]
    assert min(counts) >= 2
    assert max(counts) <= 7
    seen = [r.visible for scene in scenes for r in scene.regions if r.role == "object"]
    assert np.mean(np.array(seen) >= 0.6) > 0.9


def test_twice_the_resolution_is_the_same_picture() -> None:
    small, large = draw_scene(STREET, 256, 256), draw_scene(STREET, 512, 512)
    assert [r.kind for r in small.regions] == [r.kind for r in large.regions]
    for one, two in zip(small.regions, large.regions, strict=True):
        shrunk = two.mask[::2, ::2]
        assert (one.mask & shrunk).sum() / (one.mask | shrunk).sum() > 0.9, one.kind
    difference = np.abs(small.image.astype(int) - large.image[::2, ::2].astype(int))
    assert difference.mean() < 8


@pytest.mark.parametrize(("height", "width"), [(192, 256), (256, 192), (144, 256)])
def test_other_aspects_compose_anew(height: int, width: int) -> None:
    scene = draw_scene(STREET, height, width, supersample=1)
    assert scene.image.shape == (height, width, 3)
    assert (np.sum(owners(scene), axis=0) == 1).all()
    assert sum(region.role == "object" for region in scene.regions) >= 2


def test_kinds_name_real_classes_and_parts_none() -> None:
    assert (len(class_names("coco")), len(class_names("ade20k"))) == (133, 150)
    for kind in KINDS.values():
        if kind.role == "part":
            assert not kind.coco
        else:
            assert class_names("coco")[class_id(kind.name, "coco")] == kind.coco
            assert class_names("ade20k")[class_id(kind.name, "ade20k")] == kind.ade20k


@given(st.integers(0, TRAINING_SCENES - 1), st.integers(0, EVALUATION_SCENES - 1))
@settings(max_examples=50, deadline=None)
def test_training_and_evaluation_seeds_never_meet(first: int, second: int) -> None:
    assert training_seed(first) != evaluation_seed(second)
    assert 0 <= training_seed(first) < TRAINING_SCENES <= evaluation_seed(second) < 1 << 32


@pytest.mark.parametrize("seed_of", [training_seed, evaluation_seed])
@pytest.mark.parametrize("index", [-1, 1 << 31])
def test_a_seed_out_of_range_is_refused(seed_of: Callable[[int], int], index: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        seed_of(index)
