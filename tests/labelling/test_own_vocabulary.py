"""Names from the user's vocabulary: whom it asks, what counts together, and when a region is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from fakes import FakeCaptioner, FakeChooser, FakeRanker, proposal, squares, stages

from ssa.config import BatchSettings, Settings, Vocabulary
from ssa.engine import Engine
from ssa.labelling.open_vocabulary import ROOT, Naming
from ssa.labelling.own_vocabulary import RANKED_CLASSES
from ssa.labelling.vocabulary import everyday_labels, parse_vocabulary
from ssa.pictures.regions import Regions
from ssa.progress import StageLog, keep_silent
from ssa.types import Annotation, Picture, RGBImage, ScoredLabel, TreeNode

VEHICLES = parse_vocabulary("vehicle: car, bus\ndog: puppy\nboat")


@dataclass
class Weigher:
    """Gives each text the share it was told, all others nothing; keeps what it was asked."""

    shares: Mapping[str, float]
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        self.asked += [tuple(own) for own in candidates]
        return [self._ranked(own) for own in candidates]

    def _ranked(self, texts: Sequence[str]) -> tuple[ScoredLabel, ...]:
        scored = [ScoredLabel(text, self.shares.get(text, 0.0)) for text in texts]
        return tuple(sorted(scored, key=lambda one: -one.score))


def named(
    shares: Mapping[str, float],
    vocabulary: Vocabulary = VEHICLES,
    unknown_below: float = 0.5,
    chooser: FakeChooser | None = None,
    nodes: Sequence[TreeNode] | None = None,
) -> Annotation:
    """A region of which CLIP says this."""
    doubles = replace(stages([]), ranker=Weigher(shares), chooser=chooser or FakeChooser())
    settings = Settings(vocabulary=vocabulary)
    settings = replace(settings, labels=replace(settings.labels, unknown_below=unknown_below))
    regions = Regions(np.zeros((20, 20, 3), np.uint8), [proposal(squares(20, 20, 10)[0])])
    (found,) = Naming(doubles).name(regions, settings, StageLog(keep_silent), nodes)
    return found


def test_a_class_has_the_shares_of_its_texts_together() -> None:
    found = named({"boat": 0.3, "car": 0.2, "bus": 0.2, "dog": 0.1, "zebra": 0.2})
    assert found.class_proposals == ("vehicle", "boat", "dog")
    scores = {scored.label: scored.score for scored in found.evidence.ranking}
    assert list(scores) == ["vehicle", "boat", "dog"]
    assert scores == pytest.approx({"vehicle": 0.4, "boat": 0.3, "dog": 0.1})


def test_each_class_is_asked_for_by_its_best_text_and_told_by_its_label() -> None:
    chooser = FakeChooser()
    found = named({"bus": 0.5, "car": 0.1, "puppy": 0.3, "boat": 0.1}, chooser=chooser)
    assert chooser.asked == [("bus", "puppy", "boat")]
    # The double lets the last win, and the first be second.
    assert found.class_name == "boat"
    assert found.evidence.shares == (ScoredLabel("boat", 0.75), ScoredLabel("vehicle", 0.25))
    assert found.evidence.margin == 0.5


def test_a_class_far_behind_the_best_is_no_choice() -> None:
    chooser = FakeChooser()
    found = named({"car": 0.8, "puppy": 0.1, "boat": 0.07}, chooser=chooser)
    assert chooser.asked == [("car", "puppy")]
    assert found.class_proposals == ("vehicle", "dog")
    assert [scored.label for scored in found.evidence.ranking] == ["vehicle", "dog", "boat"]


def test_what_suits_everyday_labels_better_is_unknown_and_clipseg_is_not_asked() -> None:
    chooser = FakeChooser()
    found = named({"kite": 0.6, "boat": 0.3, "car": 0.1}, chooser=chooser)
    assert found.class_name == "unknown"
    assert found.class_proposals == ("boat", "vehicle", "dog")
    assert (found.evidence.shares, found.evidence.margin) == ((), None)
    assert chooser.asked == []


@pytest.mark.parametrize(
    ("unknown_below", "name"), [(0.0, "boat"), (0.25, "boat"), (0.26, "unknown")]
)
def test_the_threshold_is_the_least_share_of_all_classes(unknown_below: float, name: str) -> None:
    shares = {"dog": 0.125, "car": 0.0625, "boat": 0.0625, "kite": 0.75}
    assert named(shares, unknown_below=unknown_below).class_name == name


def test_where_nothing_suits_zero_still_names() -> None:
    assert named({"kite": 1.0}, unknown_below=0.0).class_name != "unknown"


def test_a_class_of_the_vocabulary_is_no_everyday_label() -> None:
    assert named({"kite": 1.0}, parse_vocabulary("toy: kite\ncar")).class_name != "unknown"


def test_a_single_class_wins_unasked() -> None:
    chooser = FakeChooser()
    found = named({"dog": 0.9}, parse_vocabulary("dog"), chooser=chooser)
    assert (found.class_name, found.evidence.shares) == ("dog", (ScoredLabel("dog", 1.0),))
    assert chooser.asked == []


def test_a_long_ranking_is_cut() -> None:
    texts = [f"thing {i}" for i in range(RANKED_CLASSES + 5)]
    found = named(dict.fromkeys(texts, 1 / len(texts)), parse_vocabulary("\n".join(texts)))
    assert [scored.label for scored in found.evidence.ranking] == texts[:RANKED_CLASSES]


def test_a_place_in_the_tree_is_put_down_and_changes_no_name() -> None:
    shares = {"boat": 0.9, "wheel": 0.1}
    placed = named(shares, nodes=[ROOT])
    assert placed.node == ROOT
    assert replace(placed, node=None) == named(shares)
    assert placed.part_of is None


def test_only_clip_and_clipseg_are_asked() -> None:
    ranker = Weigher({"dog": 1.0})
    doubles = replace(stages(squares(20, 20, 10)), ranker=ranker)
    image = np.zeros((20, 20, 3), np.uint8)
    found = Engine(doubles).annotate(image, Settings(vocabulary=VEHICLES))
    assert list(found.stage_seconds) == ["sam", "ranker", "chooser"]
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert doubles.captioner.batches == []
    own = ("vehicle", "car", "bus", "dog", "puppy", "boat")
    assert set(ranker.asked) == {(*own, *everyday_labels(VEHICLES))}


@pytest.mark.parametrize("size", [1, 3, 50])
def test_batches_pictures_and_want_of_memory_change_nothing(size: int) -> None:
    settings = replace(Settings(), vocabulary=parse_vocabulary("dog: puppy\na very long label: x"))
    settings = replace(settings, labels=replace(settings.labels, unknown_below=0.0))
    batches = BatchSettings(captioner=size, ranker=size, chooser=size)
    doubles = replace(stages(squares(20, 20, 10)), ranker=FakeRanker(room=2))
    pictures = [Picture(np.zeros((20, 20, 3), np.uint8)) for _ in range(3)]
    together = Engine(doubles).annotate_all(pictures, replace(settings, batches=batches))
    alone = [Engine(doubles).annotate(one.image, settings) for one in pictures]
    assert together == alone


def test_groups_are_named_by_the_vocabulary_too() -> None:
    doubles = replace(stages(squares(20, 20, 10)), ranker=Weigher({"dog": 0.9}))
    settings = Settings(
        label_mode="clusters", name_clusters=True, vocabulary=parse_vocabulary("dog")
    )
    settings = replace(settings, clusters=replace(settings.clusters, eps=2.0))
    found = Engine(doubles).annotate(np.zeros((20, 20, 3), np.uint8), settings)
    assert {one.class_name for one in found.annotations} == {"dog"}


def test_no_region_asks_no_model() -> None:
    ranker = Weigher({})
    regions = Regions(np.zeros((4, 4, 3), np.uint8), [])
    naming = Naming(replace(stages([]), ranker=ranker))
    assert naming.name(regions, Settings(vocabulary=VEHICLES), StageLog(keep_silent)) == ()
    assert ranker.asked == []
