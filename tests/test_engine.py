"""The engine's own work: order, batches, what each stage is given, progress and its end."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeCaptioner, FakeChooser, FakeNouns, FakeRanker, FakeSegmentor, squares, stages

from ssa.config import BatchSettings, LabelSettings, Settings
from ssa.engine import Engine
from ssa.errors import OutOfMemory
from ssa.labelling.vocabulary import parse_vocabulary
from ssa.masks.run_lengths import decode
from ssa.progress import StageReport
from ssa.stages import Stages
from ssa.types import Annotation, RGBImage

SETTINGS = Settings(batches=BatchSettings(captioner=4, ranker=3, chooser=5))


@pytest.fixture
def image() -> RGBImage:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)


def test_evidence_flows_into_names_and_proposals(image: RGBImage) -> None:
    result = Engine(stages(squares(60, 80, 20))).annotate(image, SETTINGS)
    first, last = result.annotations[0], result.annotations[-1]
    assert [vote.label for vote in first.evidence.votes] == ["sky", "tree"]
    assert [vote.label for vote in last.evidence.votes] == ["grass", "field"]
    # Candidates: sky, tree, red car, car; longest first; the last of the three wins.
    assert first.class_proposals == ("red car", "tree", "sky")
    assert first.class_name == "sky"
    assert len(first.evidence.ranking) == 4
    assert first.evidence.margin == pytest.approx(0.5)
    assert (
        first.evidence.caption == "a thing 26 by 26"
    )  # 1.6 of a 20 px square in the corner, clipped


def test_order_of_masks_is_kept_through_all_batches(image: RGBImage) -> None:
    masks = squares(60, 80, 20)
    result = Engine(stages(masks)).annotate(image, SETTINGS)
    assert len(result.annotations) == len(masks) == 12
    for annotation, mask in zip(result.annotations, masks, strict=True):
        assert np.array_equal(decode(annotation.proposal.rle), mask)


def test_batch_sizes_change_nothing_but_the_batches(image: RGBImage) -> None:
    one = stages(squares(60, 80, 20))
    single = replace(SETTINGS, batches=BatchSettings(captioner=1, ranker=1, chooser=1))
    expected = Engine(one).annotate(image, single)
    other = stages(squares(60, 80, 20))
    assert Engine(other).annotate(image, SETTINGS) == expected
    assert isinstance(other.captioner, FakeCaptioner)
    assert isinstance(other.ranker, FakeRanker)
    assert [len(batch) for batch in other.captioner.batches] == [4, 4, 4]
    assert [len(batch) for batch in other.ranker.batches] == [3, 3, 3, 3]


def with_room(captions: int, clip: int, clipseg: int) -> Stages:
    """Doubles with room for so many crops at once, and twelve masks."""
    return replace(
        stages(squares(60, 80, 20)),
        captioner=FakeCaptioner(room=captions),
        ranker=FakeRanker(room=clip),
        chooser=FakeChooser(room=clipseg),
    )


@pytest.mark.parametrize("room", [(1, 1, 1), (2, 3, 4), (3, 1, 12)])
def test_too_little_memory_for_a_batch_changes_no_answer(
    image: RGBImage, room: tuple[int, int, int]
) -> None:
    expected = Engine(stages(squares(60, 80, 20))).annotate(image, SETTINGS)
    reports: list[StageReport] = []
    assert Engine(with_room(*room)).annotate(image, SETTINGS, reports.append) == expected
    for name in ("captioner", "ranker", "chooser"):
        counts = [report.done for report in reports if report.stage == name]
        assert counts == sorted(set(counts))
        assert counts[-1] == 12


def test_the_next_picture_starts_with_batches_that_fitted(
    image: RGBImage, caplog: pytest.LogCaptureFixture
) -> None:
    doubles = with_room(captions=2, clip=1, clipseg=2)
    engine = Engine(doubles)
    with caplog.at_level(logging.WARNING, "ssa"):
        first = engine.annotate(image, SETTINGS)
        assert isinstance(doubles.captioner, FakeCaptioner)
        doubles.captioner.room = 1000
        doubles.captioner.batches.clear()
        assert engine.annotate(image, SETTINGS) == first
    assert [len(batch) for batch in doubles.captioner.batches] == [2] * 6
    assert [message.split(":")[0] for message in caplog.messages] == [
        "captioner",
        "ranker",
        "chooser",
    ]


def test_no_room_for_a_single_crop_names_the_stage(image: RGBImage) -> None:
    with pytest.raises(OutOfMemory, match="out of memory in 'ranker'"):
        Engine(with_room(captions=4, clip=0, clipseg=4)).annotate(image, SETTINGS)


def test_each_stage_gets_its_own_crop_of_the_picture(image: RGBImage) -> None:
    masks = [np.zeros((60, 80), np.bool_)]
    masks[0][20:30, 30:50] = True
    settings = replace(
        SETTINGS,
        labels=LabelSettings(captioner_crop_scale=2, ranker_crop_scale=1, chooser_crop_scale=1.5),
    )
    doubles = stages(masks)
    Engine(doubles).annotate(image, settings)
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert isinstance(doubles.ranker, FakeRanker)
    assert isinstance(doubles.chooser, FakeChooser)
    assert np.array_equal(doubles.captioner.batches[0][0], image[15:35, 20:60])
    assert np.array_equal(doubles.ranker.batches[0][0], image[20:30, 30:50])
    assert np.array_equal(doubles.chooser.crops[0], image[17:33, 25:55])
    assert np.array_equal(doubles.chooser.masks[0], masks[0][17:33, 25:55])


def test_a_single_candidate_skips_the_chooser(image: RGBImage) -> None:
    doubles = replace(
        stages(squares(60, 80, 20)),
        segmentors=(FakeSegmentor(labels=("car", "car")),),
        nouns=FakeNouns(("car",)),
    )
    result = Engine(doubles).annotate(image, SETTINGS)
    assert isinstance(doubles.chooser, FakeChooser)
    assert doubles.chooser.asked == []
    assert {a.class_proposals for a in result.annotations} == {("car",)}
    assert all(a.evidence.margin == 1.0 for a in result.annotations)


def test_top_k_bounds_what_the_chooser_is_asked(image: RGBImage) -> None:
    doubles = stages(squares(60, 80, 20))
    settings = replace(SETTINGS, labels=replace(SETTINGS.labels, top_k=2))
    result = Engine(doubles).annotate(image, settings)
    assert isinstance(doubles.chooser, FakeChooser)
    assert {len(labels) for labels in doubles.chooser.asked} == {2}
    assert {len(a.class_proposals) for a in result.annotations} == {2}


def test_no_noun_leaves_the_votes(image: RGBImage) -> None:
    doubles = replace(stages(squares(60, 80, 20)), nouns=FakeNouns(()))
    result = Engine(doubles).annotate(image, SETTINGS)
    assert set(result.annotations[0].class_proposals) == {"sky", "tree"}


def test_no_mask_is_an_empty_answer_and_asks_no_model(image: RGBImage) -> None:
    doubles = stages([])
    result = Engine(doubles).annotate(image, SETTINGS)
    assert (result.height, result.width, result.annotations) == (60, 80, ())
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert doubles.captioner.batches == []


def test_progress_counts_up_to_the_total_in_every_stage(image: RGBImage) -> None:
    reports: list[StageReport] = []
    result = Engine(stages(squares(60, 80, 20))).annotate(image, SETTINGS, reports.append)
    names = list(dict.fromkeys(report.stage for report in reports))
    assert names == ["sam", "segmentors", "captioner", "nouns", "ranker", "chooser"]
    assert list(result.stage_seconds) == names
    for name in names:
        counts = [report.done for report in reports if report.stage == name]
        assert counts == sorted(counts)
        assert counts[-1] == reports[[r.stage for r in reports].index(name)].total


def test_what_the_reporter_raises_ends_the_work_between_batches(image: RGBImage) -> None:
    doubles = stages(squares(60, 80, 20))

    def cancel(report: StageReport) -> None:
        if report.stage == "captioner":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Engine(doubles).annotate(image, SETTINGS, cancel)
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert len(doubles.captioner.batches) == 1


def test_without_a_captioner_names_are_voted_for(image: RGBImage) -> None:
    mute = replace(stages(squares(60, 80, 20)), captioner=None, nouns=None)
    for one in Engine(mute).annotate(image, SETTINGS).annotations:
        assert (one.evidence.caption, one.evidence.noun_phrases) == ("", ())
        assert {scored.label for scored in one.evidence.ranking} == {
            vote.label for vote in one.evidence.votes
        }
        assert one.class_name in one.class_proposals


def test_captions_that_nobody_reads_name_nothing(image: RGBImage) -> None:
    unread = replace(stages(squares(60, 80, 20)), nouns=None)
    for one in Engine(unread).annotate(image, SETTINGS).annotations:
        assert one.evidence.caption.startswith("a thing")
        assert len(one.evidence.ranking) == 2


def test_without_a_chooser_the_rankers_first_is_chosen(image: RGBImage) -> None:
    undecided = replace(stages(squares(60, 80, 20)), chooser=None)
    named = Engine(undecided).annotate(image, SETTINGS).annotations
    decided = Engine(stages(squares(60, 80, 20))).annotate(image, SETTINGS).annotations
    for one, other in zip(named, decided, strict=True):
        assert one.class_name == one.class_proposals[0] == one.evidence.ranking[0].label
        assert one.class_proposals == other.class_proposals
        assert one.class_name != other.class_name
        # Nobody gave shares of pixels, and the record says none.
        assert (one.evidence.shares, one.evidence.margin) == ((), None)


def test_without_a_chooser_the_first_class_of_a_vocabulary_is_chosen(image: RGBImage) -> None:
    undecided = replace(stages(squares(60, 80, 20)), chooser=None)
    vocabulary = parse_vocabulary("cat\na very long name of a class")
    own = replace(SETTINGS, vocabulary=vocabulary)
    own = replace(own, labels=replace(own.labels, unknown_below=0.0, least_of_best=0.0))
    for one in Engine(undecided).annotate(image, own).annotations:
        assert one.class_name == one.class_proposals[0] == "a very long name of a class"


def test_an_engine_needs_a_segmentor() -> None:
    complete = stages([])
    with pytest.raises(ValueError, match="at least one segmentor"):
        Stages(
            complete.proposers,
            (),
            complete.captioner,
            complete.nouns,
            complete.ranker,
            complete.chooser,
        )


class FakeConfidence:
    """Sure of some labels, and of others it can't say."""

    def of(self, annotation: Annotation) -> float | None:
        return {"sky": 0.9, "grass": 0.4}.get(annotation.class_name or "")


def test_a_confidence_is_said_of_every_name_in_every_mode(image: RGBImage) -> None:
    models = replace(stages(squares(60, 80, 20)), confidence=FakeConfidence())
    for settings in (SETTINGS, replace(SETTINGS, label_mode="closed-set", segmentor="coco")):
        annotations = Engine(models).annotate(image, settings).annotations
        said = {one.class_name: one.confidence for one in annotations}
        assert said == {name: {"sky": 0.9, "grass": 0.4}.get(name or "") for name in said}
        assert 0.9 in said.values()
    without = Engine(replace(models, confidence=None)).annotate(image, SETTINGS)
    assert {one.confidence for one in without.annotations} == {None}
