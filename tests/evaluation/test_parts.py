"""The yardstick of parts: what counts as found, as named and as part of the right whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from fakes import proposal

from evaluation.parts import PartsEvaluation, print_parts
from ssa.config import Settings
from ssa.types import AnnotatedImage, Annotation, BoolMask, MaskProposal, RGBImage
from toyworld.scenes import Region, Scene


def box(left: int, top: int, right: int, bottom: int) -> BoolMask:
    mask = np.zeros((64, 64), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


SKY = Region("sky", "stuff", None, box(0, 0, 64, 20), 1.0, None, None)
CAR = Region("car", "object", "red", box(0, 20, 60, 60), 1.0, None, "road")
WHEEL = Region("wheel", "part", "black", box(5, 45, 20, 60), 1.0, 1, "road")
HIDDEN = replace(WHEEL, mask=box(40, 45, 55, 60), visible=0.3)
SCENE = Scene(
    np.zeros((64, 64, 3), np.uint8),
    (SKY, CAR, WHEEL, HIDDEN),
    np.zeros((64, 64), np.uint8),
    np.zeros((64, 64), np.uint8),
)


@dataclass
class Told:
    """An engine that names regions as it is told, in a tree and without."""

    names: Sequence[tuple[str, str | None]]
    masks: Sequence[BoolMask] = tuple(region.mask for region in SCENE.regions)
    plain: str = "car"

    def annotate(self, image: RGBImage, settings: Settings) -> AnnotatedImage:
        assert settings.with_parts
        return self.label(image, [proposal(mask) for mask in self.masks], settings)

    def label(
        self, image: RGBImage, proposals: Sequence[MaskProposal], settings: Settings
    ) -> AnnotatedImage:
        names = self.names if settings.with_parts else [(self.plain, None)] * len(proposals)
        annotations = (
            Annotation(one, name, (name,), part_of=whole)
            for one, (name, whole) in zip(proposals, names, strict=True)
        )
        return AnnotatedImage(64, 64, tuple(annotations))


def figures_of(engine: Told, masks: str = "sam") -> dict[str, float]:
    evaluation = PartsEvaluation(engine, Settings(), masks)  # type: ignore[arg-type]
    evaluation.see(SCENE)
    return evaluation.report()


RIGHT = [("sky", None), ("red car", None), ("tire", "red car"), ("nonsense", None)]


@pytest.mark.parametrize("masks", ["truth", "sam", "semantic-sam"])
def test_right_names_score_one_and_hidden_parts_do_not_count(masks: str) -> None:
    figures = figures_of(Told(RIGHT), masks)
    assert figures["parts.found_50"] == figures["parts.found"] == 1
    assert figures["parts.found_and_named"] == figures["parts.part_of_given_named"] == 1
    assert figures["objects.found_and_named"] == 1
    assert figures["objects.called_parts"] == 0
    # Without the tree everything is called "car".
    assert figures["parts.without_tree.found_and_named"] == 0
    assert figures["objects.without_tree.found_and_named"] == 1


def test_wrong_names_and_wrong_wholes_are_told_apart() -> None:
    figures = figures_of(Told([*RIGHT[:2], ("car", "red car"), RIGHT[3]]))
    assert figures["parts.named_given_found"] == 0
    assert np.isnan(figures["parts.part_of_given_named"])
    figures = figures_of(Told([*RIGHT[:2], ("wheel", "blue car"), RIGHT[3]]))
    assert figures["parts.found_and_named"] == 1
    assert figures["parts.part_of_given_named"] == 0
    assert (
        figures_of(Told([RIGHT[0], ("red car", "road"), *RIGHT[2:]]))["objects.called_parts"] == 1
    )


def worse(change: Callable[[BoolMask], BoolMask]) -> Sequence[BoolMask]:
    return [SKY.mask, CAR.mask, change(WHEEL.mask), HIDDEN.mask]


def test_a_mask_half_right_is_found_at_a_half_only() -> None:
    loose = Told(RIGHT, worse(lambda mask: mask | box(5, 35, 20, 45)))  # IoU 15 / 25
    figures = figures_of(loose)
    assert (figures["parts.found_50"], figures["parts.found"]) == (1, 0)
    assert figures["parts.found_and_named"] == 0
    assert np.isnan(figures["parts.named_given_found"])


def test_no_mask_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    evaluation = PartsEvaluation(Told([], masks=()), Settings(), "sam")  # type: ignore[arg-type]
    evaluation.see(SCENE)
    figures = evaluation.report()
    assert figures["parts.found"] == figures["objects.found_and_named"] == 0
    print_parts(evaluation.tally, figures)
    assert "parts.found_and_named" in capsys.readouterr().out
