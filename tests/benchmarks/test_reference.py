"""The published pipeline, plain, and the engine give every mask the same name."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from benchmarks.drawn_masks import draw_masks
from benchmarks.published import load_generator
from benchmarks.reference import Named, Reference, load_reference
from ssa.config import PUBLISHED_RULES, LabelSettings
from ssa.loading import LoadedEngine, load_engine
from ssa.masks.proposal import proposal_of
from ssa.pictures.decoding import decode_image
from ssa.types import MaskProposal, RGBImage
from toyworld.scenes import draw_scene
from toyworld.seeds import evaluation_seed

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


@dataclass
class Both:
    loaded: LoadedEngine
    reference: Reference

    published: Reference

    def names(
        self, image: RGBImage, proposals: tuple[MaskProposal, ...], published: bool = False
    ) -> tuple[list[Named], list[Named]]:
        settings = self.loaded.settings
        if published:
            settings = replace(settings, labels=by_published_rules(settings.labels))
        annotated = self.loaded.engine.label(image, proposals, settings)
        ours = [Named(a.class_name, a.class_proposals) for a in annotated.annotations]
        reference = self.published if published else self.reference
        return ours, reference.label(image, proposals)


def by_published_rules(labels: LabelSettings) -> LabelSettings:
    return replace(labels, rules=PUBLISHED_RULES)


@pytest.fixture(scope="module")
def both() -> Both:
    loaded = load_engine(ROOT / "weights", "tiny", "cpu", "float32")
    labels, nouns = loaded.settings.labels, loaded.stages.nouns
    assert nouns
    ours, published = (
        load_reference(loaded.bundle, nouns, rules, CPU)
        for rules in (labels, by_published_rules(labels))
    )
    return Both(loaded, ours, published)


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize(("seed", "height", "width"), [(0, 256, 256), (1, 192, 256), (3, 140, 110)])
def test_every_region_of_a_drawn_scene_has_one_name(
    both: Both, seed: int, height: int, width: int, published: bool
) -> None:
    scene = draw_scene(evaluation_seed(seed), height, width)
    regions = tuple(proposal_of(region.mask) for region in scene.regions if region.mask.any())
    drawn = regions[:8] + draw_masks(3, height, width, seed)
    ours, reference = both.names(scene.image, drawn, published)
    assert ours == reference
    has_articles = any(name.startswith("a ") for one in ours for name in one.class_proposals)
    assert has_articles == published
    assert len({named.class_name for named in ours}) > 3


def test_a_part_of_the_street_too_in_masks_that_were_found(both: Both) -> None:
    image = decode_image(ROOT / "examples" / "street.png")[250:450, 100:360]
    settings = replace(both.loaded.settings.masks["sam"], points_per_side=8)
    proposals = (
        both.loaded.stages.proposers["sam"].propose(image, settings, lambda *_: None).proposals
    )
    ours, reference = both.names(image, proposals)
    assert ours == reference
    assert len(ours) > 3
    generator = load_generator(both.loaded.bundle.folder("sam"), settings, CPU)
    found = [mask["segmentation"]["counts"] for mask in generator.generate(image)]
    assert found == [proposal.rle.counts for proposal in proposals]


def test_one_candidate_is_a_name_and_asks_no_clipseg(both: Both) -> None:
    def never(*_: object) -> list[int]:
        raise AssertionError

    one = Reference(
        segmentors=dict(list(both.reference.segmentors.items())[:1]),
        caption=lambda _: "",
        nouns=both.reference.nouns,
        score=both.reference.score,
        count_wins=never,
        settings=both.reference.settings,
    )
    scene = draw_scene(evaluation_seed(4), 96, 96)
    (named,) = one.label(scene.image, draw_masks(1, 96, 96))
    assert named.class_proposals == (named.class_name,)


def test_stages_are_told_in_the_engines_words(both: Both) -> None:
    told: list[str] = []
    scene = draw_scene(evaluation_seed(5), 128, 128)
    masks = draw_masks(2, 128, 128)
    both.reference.label(scene.image, masks, lambda name: told.append(name) or nullcontext())
    annotated = both.loaded.engine.label(scene.image, masks, both.loaded.settings)
    assert set(told) <= set(annotated.stage_seconds)
    assert set(told) >= {"segmentors", "captioner", "nouns", "ranker"}
