"""The engine's ways to find and to label: which model is asked, what comes out, with many masks or none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import (
    FakeCaptioner,
    FakeDenseRanker,
    FakeEmbedder,
    FakeProposer,
    squares,
    stages,
)

from ssa.config import LabelMode, LabelSettings, MaskSettings, SelectionSettings, Settings
from ssa.engine import Engine
from ssa.errors import InputError
from ssa.masks.proposal import proposal_of
from ssa.progress import StageReport
from ssa.types import AnnotatedImage, BoolMask, ImageEmbedding, RGBImage, TreeNode

MODES: tuple[LabelMode, ...] = ("open-vocabulary", "closed-set", "clusters", "none")
CLOSED = Settings(label_mode="closed-set")
CLUSTERS = Settings(label_mode="clusters")
BARE = Settings(label_mode="none")


@pytest.fixture
def image() -> RGBImage:
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def rectangle(top: int, left: int, bottom: int, right: int) -> BoolMask:
    mask = np.zeros((60, 80), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


# Two whole quarters (upper left, lower right), and in the first a part and a part of that.
NESTED = [
    rectangle(2, 2, 28, 38),
    rectangle(4, 4, 16, 20),
    rectangle(6, 6, 12, 12),
    rectangle(32, 42, 58, 78),
]
NODES = [TreeNode(None, 0), TreeNode(0, 1), TreeNode(1, 2), TreeNode(None, 0)]


def names(result: AnnotatedImage) -> list[str | None]:
    return [annotation.class_name for annotation in result.annotations]


# --- where masks come from --------------------------------------------------------------------------


def test_each_source_has_its_own_model_and_settings(image: RGBImage) -> None:
    doubles = stages(NESTED)
    settings = replace(
        BARE,
        masks={
            "sam": MaskSettings(points_per_side=7),
            "semantic-sam": MaskSettings(points_per_side=9, granularities=(3,)),
        },
    )
    plain = Engine(doubles).annotate(image, settings)
    semantic = Engine(doubles).annotate(image, replace(settings, mask_source="semantic-sam"))
    for source, proposer in doubles.proposers.items():
        assert isinstance(proposer, FakeProposer)
        assert proposer.asked == [settings.masks[source]]
    assert {one.proposal.granularity for one in plain.annotations} == {None}
    assert {one.proposal.granularity for one in semantic.annotations} == {3}
    assert (list(plain.stage_seconds), list(semantic.stage_seconds)) == (
        ["sam"],
        ["semantic_sam", "tree"],
    )


def test_a_source_that_was_not_loaded_is_refused(image: RGBImage) -> None:
    both = stages(NESTED)
    remedies = {"semantic-sam": "bring it with: a spell"}
    without = replace(both, proposers={"sam": both.proposers["sam"]}, remedies=remedies)
    with pytest.raises(InputError) as caught:
        Engine(without).annotate(image, Settings(mask_source="semantic-sam"))
    assert str(caught.value) == (
        "mask_source must be one whose weights are there (sam); got 'semantic-sam'; bring it with: a spell"
    )


def test_a_source_that_nobody_knows_is_refused(image: RGBImage) -> None:
    with pytest.raises(InputError, match=r"\(sam, semantic-sam\); got 'sam2'"):
        Engine(stages(NESTED)).annotate(image, Settings(mask_source="sam2"))


def test_masks_that_came_along_need_no_source(image: RGBImage) -> None:
    nobody = replace(stages(NESTED), proposers={})
    given = [proposal_of(mask) for mask in NESTED]
    result = Engine(nobody).label(image, given, Settings(label_mode="none"))
    assert [one.proposal for one in result.annotations] == given


# --- wholes and parts -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_every_way_to_label_can_have_the_tree(image: RGBImage, mode: LabelMode) -> None:
    settings = Settings(label_mode=mode, parts=True)
    result = Engine(stages(NESTED)).annotate(image, settings)
    assert [one.node for one in result.annotations] == NODES
    assert "tree" in result.stage_seconds


@pytest.mark.parametrize(
    ("parts", "source", "expected"),
    [
        (None, "sam", False),
        (None, "semantic-sam", True),
        (False, "semantic-sam", False),
        (True, "sam", True),
    ],
)
def test_parts_follow_the_source_unless_told(
    image: RGBImage, parts: bool | None, source: str, expected: bool
) -> None:
    settings = replace(BARE, parts=parts, mask_source=source)
    result = Engine(stages(NESTED)).annotate(image, settings)
    assert [one.node is not None for one in result.annotations] == [expected] * 4


# --- closed set -------------------------------------------------------------------------------------


def test_closed_set_gives_votes_and_the_painted_map(image: RGBImage) -> None:
    middle = rectangle(0, 30, 60, 45)  # two thirds of it in the left half
    doubles = stages([middle])
    result = Engine(doubles).annotate(image, CLOSED)
    (annotation,) = result.annotations
    assert (annotation.class_name, annotation.class_proposals) == ("tree", ("tree",))
    (vote,) = annotation.evidence.votes
    assert (vote.source, vote.label, vote.share) == ("ade20k", "tree", pytest.approx(2 / 3))
    assert result.label_map is not None
    expected = np.zeros((60, 80), bool)
    expected[:, 45:] = True
    assert np.array_equal(result.label_map.class_ids == 1, expected)
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert doubles.captioner.batches == []


def test_the_segmentor_is_chosen_by_name(image: RGBImage) -> None:
    result = Engine(stages(NESTED)).annotate(image, replace(CLOSED, segmentor="coco"))
    assert set(names(result)) == {"sky", "grass"}


def test_an_unknown_segmentor_is_refused_before_the_work(image: RGBImage) -> None:
    reports: list[StageReport] = []
    with pytest.raises(InputError, match=r"one of those loaded \(coco, ade20k\); got 'city'"):
        Engine(stages(NESTED)).annotate(image, replace(CLOSED, segmentor="city"), reports.append)
    assert reports == []
    with pytest.raises(InputError, match=r"\(none\); got 'ade20k'"):
        Engine(replace(stages(NESTED), closed_set={})).label(image, (), CLOSED)


# --- clusters ---------------------------------------------------------------------------------------

# Three masks within the upper left cell of the embedding, two in the lower right one, one alone.
ALIKE = [
    rectangle(0, 0, 8, 8),
    rectangle(32, 42, 40, 50),
    rectangle(10, 10, 18, 18),
    rectangle(2, 60, 10, 70),
    rectangle(20, 0, 28, 30),
    rectangle(45, 60, 58, 78),
]
EXPECTED = [0, 1, 0, -1, 0, 1]


def clusters_of(result: AnnotatedImage) -> list[int | None]:
    return [annotation.evidence.cluster_id for annotation in result.annotations]


def test_regions_that_look_alike_share_a_cluster(image: RGBImage) -> None:
    result = Engine(stages(ALIKE)).annotate(image, CLUSTERS)
    assert clusters_of(result) == EXPECTED
    labels = ["unclustered" if number == -1 else f"cluster {number}" for number in EXPECTED]
    assert names(result) == labels
    assert [one.class_proposals for one in result.annotations] == [(label,) for label in labels]
    assert list(result.stage_seconds) == ["sam", "clusters"]


def test_an_embedding_that_came_with_the_masks_is_not_made_again(image: RGBImage) -> None:
    doubles = stages(ALIKE)
    assert isinstance(doubles.embedder, FakeEmbedder)
    same = np.zeros((4, 2, 2), np.float32)
    same[0] = 1
    with_embedding = FakeProposer(ALIKE, embedding=ImageEmbedding(same, (2.0, 2.0)))
    plain = replace(CLUSTERS, clusters=replace(CLUSTERS.clusters, standardised=False))
    result = Engine(replace(doubles, proposers={"sam": with_embedding})).annotate(image, plain)
    assert clusters_of(result) == [0] * 6
    assert doubles.embedder.asked == 0
    found = [one.proposal for one in result.annotations]
    assert clusters_of(Engine(doubles).label(image, found, plain)) == EXPECTED
    assert doubles.embedder.asked == 1


def test_without_an_embedding_or_a_maker_of_one_grouping_is_refused(image: RGBImage) -> None:
    with pytest.raises(InputError, match="expected the picture's embedding"):
        Engine(replace(stages(ALIKE), embedder=None)).annotate(image, CLUSTERS)


def test_a_cluster_is_named_once_by_its_most_typical_members(image: RGBImage) -> None:
    doubles = stages(ALIKE)
    settings = replace(
        CLUSTERS, name_clusters=True, clusters=replace(CLUSTERS.clusters, representatives=2)
    )
    result = Engine(doubles).annotate(image, settings)
    assert clusters_of(result) == EXPECTED
    assert names(result) == ["sky", "field", "sky", "unclustered", "sky", "field"]
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert sum(map(len, doubles.captioner.batches)) == 4
    asked = [bool(one.evidence.caption) for one in result.annotations]
    assert sum(asked) == 4
    assert not asked[3]


# --- too little to work with ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("count", [0, 1])
def test_no_mask_and_one_mask_are_fine(
    image: RGBImage, mode: LabelMode, named: bool, count: int
) -> None:
    settings = Settings(label_mode=mode, parts=True, name_clusters=named)
    result = Engine(stages(squares(60, 80, 80)[:count])).annotate(image, settings)
    assert len(result.annotations) == count
    assert (result.label_map is not None) == (mode == "closed-set")
    assert [one.node for one in result.annotations] == [TreeNode(None, 0)] * count


def test_without_labels_no_model_but_the_first_is_asked(image: RGBImage) -> None:
    doubles = stages(NESTED)
    result = Engine(doubles).annotate(image, BARE)
    assert names(result) == [None] * 4
    assert list(result.stage_seconds) == ["sam"]
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert doubles.captioner.batches == []


@pytest.mark.parametrize("mode", MODES)
def test_more_than_a_thousand_masks_are_labelled_in_their_order(
    image: RGBImage, mode: LabelMode
) -> None:
    many = [*NESTED, *squares(60, 80, 2)]
    result = Engine(stages(many)).annotate(image, Settings(label_mode=mode, parts=True))
    assert [one.proposal.area_px for one in result.annotations] == [int(m.sum()) for m in many]
    nodes = [one.node for one in result.annotations]
    assert nodes[: len(NODES)] == NODES
    # Squares of the border lie in none of the rectangles; the others in the innermost around them.
    assert {node.parent for node in nodes if node is not None} == {None, 0, 1, 2, 3}


def test_masks_are_selected_before_anything_is_asked_of_them(image: RGBImage) -> None:
    models = stages(squares(60, 80, 20))
    few = replace(Settings(), selection=SelectionSettings(max_masks=5))
    assert len(Engine(models).annotate(image, few).annotations) == 5
    assert isinstance(models.captioner, FakeCaptioner)
    assert sum(map(len, models.captioner.batches)) == 5
    given = [proposal_of(mask) for mask in squares(60, 80, 20)]
    assert len(Engine(models).label(image, given, few).annotations) == 12


def test_without_overlaps_names_are_those_of_the_whole_masks(image: RGBImage) -> None:
    whole = np.ones((60, 80), np.bool_)
    masks = [whole, *squares(60, 80, 20)[:3], squares(60, 80, 20)[2]]
    apart = replace(Settings(), selection=SelectionSettings(overlaps=False), parts=True)
    named = Engine(stages(masks)).annotate(image, replace(apart, selection=SelectionSettings()))
    found = Engine(stages(masks)).annotate(image, apart)
    areas = [one.proposal.area_px for one in found.annotations]
    assert areas == [60 * 80 - 3 * 400, 400, 400, 400]  # of two equal masks one is left
    kept = [named.annotations[position] for position in (0, 1, 2, 4)]
    assert [one.class_name for one in found.annotations] == [one.class_name for one in kept]
    assert [one.node for one in found.annotations] == [
        TreeNode(None, 0), TreeNode(0, 1), TreeNode(0, 1), TreeNode(0, 1),
    ]  # fmt: skip
    given = [proposal_of(mask) for mask in masks]
    assert len(Engine(stages(masks)).label(image, given, apart).annotations) == len(masks)


@pytest.mark.parametrize(
    ("settings", "fetched"),
    [
        (Settings(), 0),
        (replace(Settings(), label_mode="none"), 0),
        (replace(Settings(), looks=True), 1),
        (CLUSTERS, 1),
    ],
)
def test_the_embedding_is_read_back_for_who_looks_at_it_alone(
    image: RGBImage, settings: Settings, fetched: int
) -> None:
    seen = ImageEmbedding(np.ones((4, 2, 2), np.float32), (2.0, 2.0))
    proposer = FakeProposer(ALIKE, embedding=seen)
    Engine(replace(stages(ALIKE), proposers={"sam": proposer})).annotate(image, settings)
    assert proposer.fetched == fetched


def test_regions_say_what_they_look_like_where_that_is_asked_for(image: RGBImage) -> None:
    masks = squares(60, 80, 20)
    seen = ImageEmbedding(
        np.random.default_rng(1).normal(size=(4, 3, 4)).astype(np.float32), (3.0, 4.0)
    )
    models = stages(masks)
    models = replace(models, proposers={"sam": FakeProposer(masks, embedding=seen)})
    plain = Engine(models).annotate(image, Settings()).annotations
    assert {one.evidence.embedding for one in plain} == {None}
    found = Engine(models).annotate(image, replace(Settings(), looks=True)).annotations
    looks = np.array([one.evidence.embedding for one in found])
    assert np.linalg.norm(looks, axis=1) == pytest.approx(1, abs=1e-3)
    assert len({tuple(one) for one in looks.tolist()}) == len(masks)
    assert [one.class_name for one in found] == [one.class_name for one in plain]
    # Of masks that came along nobody knows it.
    given = [proposal_of(mask) for mask in masks]
    named = Engine(models).label(image, given, replace(Settings(), looks=True)).annotations
    assert {one.evidence.embedding for one in named} == {None}


def test_the_label_bank_needs_a_dense_ranker(image: RGBImage) -> None:
    asked = replace(Settings(), labels=LabelSettings(bank_top_k=3))
    with pytest.raises(InputError, match="bank_top_k must be 0 without a dense ranker; got 3"):
        Engine(stages(NESTED)).annotate(image, asked)
    dense = replace(stages(NESTED), ranker=FakeDenseRanker())
    assert all(
        len(one.evidence.bank) == 3 for one in Engine(dense).annotate(image, asked).annotations
    )
