"""Several pictures at once: each gets what it gets alone, and their crops share batches."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeCaptioner, proposal, squares, stages

from ssa.config import BatchSettings, LabelMode, Settings
from ssa.engine import Engine
from ssa.errors import InputError
from ssa.types import Picture

SETTINGS = Settings(batches=BatchSettings(captioner=6, ranker=4, chooser=5))
MODES: tuple[LabelMode, ...] = ("open-vocabulary", "closed-set", "clusters", "none")


def pictures() -> list[Picture]:
    """One with masks to be found, one with none given, one with nested ones given, and another to find."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (40, 60, 3), dtype=np.uint8) for _ in range(4)]
    inner = np.zeros((40, 60), np.bool_)
    inner[4:9, 4:9] = True
    nested = tuple(map(proposal, [*squares(40, 60, 30), inner]))
    return [
        Picture(images[0]),
        Picture(images[1], ()),
        Picture(images[2], nested),
        Picture(images[3]),
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("parts", [False, True])
def test_together_is_what_each_is_alone(mode: LabelMode, parts: bool) -> None:
    settings = replace(SETTINGS, label_mode=mode, parts=parts)
    doubles = stages(squares(40, 60, 20))
    together = Engine(doubles).annotate_all(pictures(), settings)
    alone = [Engine(doubles).annotate_all([one], settings)[0] for one in pictures()]
    assert together == alone
    assert [len(one.annotations) for one in together] == [6, 0, 5, 6]
    if parts:
        assert together[2].annotations[4].node is not None
        assert together[2].annotations[4].node.parent == 0


def test_crops_of_several_pictures_share_batches() -> None:
    doubles = stages(squares(40, 60, 20))
    Engine(doubles).annotate_all(pictures(), SETTINGS)
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert [len(batch) for batch in doubles.captioner.batches] == [6, 6, 5]


def test_crops_come_from_their_own_picture() -> None:
    doubles = stages(squares(40, 60, 20))
    found = pictures()
    Engine(doubles).annotate_all(found, SETTINGS)
    assert isinstance(doubles.captioner, FakeCaptioner)
    crops = [crop for batch in doubles.captioner.batches for crop in batch]
    owners = [found[0]] * 6 + [found[2]] * 5 + [found[3]] * 6
    for crop, owner in zip(crops, owners, strict=True):
        assert np.shares_memory(crop, owner.image)


def test_no_pictures_are_none() -> None:
    assert Engine(stages([])).annotate_all([], SETTINGS) == []


def test_each_has_an_equal_share_of_the_time() -> None:
    first, *rest = Engine(stages(squares(40, 60, 20))).annotate_all(pictures(), SETTINGS)
    assert all(one.stage_seconds == first.stage_seconds for one in rest)
    assert set(first.stage_seconds) >= {"sam", "captioner", "ranker"}


def test_a_model_that_is_missing_is_told_before_any_work() -> None:
    doubles = replace(stages([]), closed_set={})
    with pytest.raises(InputError, match="segmentor must be one of those loaded"):
        Engine(doubles).annotate_all(pictures(), replace(SETTINGS, label_mode="closed-set"))
