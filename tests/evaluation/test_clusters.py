"""The yardstick of groups: matching masks to truth, agreement with kinds, and what the report holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeEmbedder, FakeProposer, proposal
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import pair_confusion_matrix

from evaluation.clusters import (
    ROLES,
    Evaluation,
    contenders,
    print_report,
    print_sweep,
    repeated_scenes,
    true_regions,
)
from evaluation.partitions import Agreement, own_groups, rand_index
from ssa.config import ClusterSettings, MaskSettings
from ssa.types import BoolMask, ImageEmbedding
from toyworld.scenes import Region, Scene

OWN = ClusterSettings(eps=0.1)


def square(left: int, size: int = 10) -> BoolMask:
    mask = np.zeros((20, 100), np.bool_)
    mask[4 : 4 + size, left : left + size] = True
    return mask


def region(kind: str, mask: BoolMask, role: str = "object", visible: float = 1.0) -> Region:
    return Region(kind, role, None, mask, visible, None, None)


# --- agreement --------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-1, 3)), min_size=2, max_size=12))
def test_the_index_is_scikit_learns(pairs: list[tuple[str, int]]) -> None:
    kinds, groups = [kind for kind, _ in pairs], own_groups([group for _, group in pairs])
    found = rand_index(pair_confusion_matrix(kinds, groups))
    assert found == pytest.approx(adjusted_rand_score(kinds, groups))
    agreement = Agreement()
    agreement.add(kinds, [group for _, group in pairs])
    expected = normalized_mutual_info_score(kinds, groups)
    assert agreement.report()["nmi"] == pytest.approx(expected, abs=1e-9)


def test_noise_is_a_group_for_each_and_none_together() -> None:
    assert len(set(own_groups([-1, 0, -1, 0, -1]))) == 4
    agreement = Agreement()
    agreement.add(["dog", "cat"], [-1, -1])
    agreement.add(["dog", "dog"], [-1, -1])
    assert agreement.ari == [1, 0]


def test_scenes_count_alike_in_the_mean_and_by_their_pairs_when_pooled() -> None:
    agreement = Agreement()
    agreement.add(["dog", "dog", "cat"], [0, 0, 1])
    agreement.add(list("aabbccdd"), [0, 0, 0, 0, 1, 1, 2, 2])
    agreement.add(["alone"], [0])  # Has nothing to agree with.
    figures = agreement.report()
    second = adjusted_rand_score(list("aabbccdd"), [0, 0, 0, 0, 1, 1, 2, 2])
    assert figures["ari"] == pytest.approx((1 + second) / 2)
    assert second < figures["pooled_ari"] < figures["ari"]


def test_without_a_pair_nothing_is_known() -> None:
    assert np.isnan(list(Agreement().report().values())).all()


# --- matching ---------------------------------------------------------------------------------------


def test_each_mask_is_the_region_it_fits_best_and_each_region_one_mask() -> None:
    # 10 of 11 columns in common, then 9 of 11: both would do for the first region.
    first, second = region("dog", square(0)), region("cat", square(30))
    masks = [square(1, 9), square(0), square(60), square(30)]
    found = true_regions([proposal(mask) for mask in masks], [first, second])
    assert [one and one.kind for one in found] == [None, "dog", None, "cat"]


def test_a_poor_fit_is_no_match_and_nothing_is_no_trouble() -> None:
    half = region("dog", square(0, 14))  # Half as large again: 100 of 196 px in common.
    assert true_regions([proposal(square(0))], [half]) == [None]
    assert true_regions([], [half]) == []
    assert true_regions([proposal(square(0))], []) == [None]


# --- the whole --------------------------------------------------------------------------------------


def scene_of(*regions: Region) -> Scene:
    height, width = regions[0].mask.shape
    maps = np.zeros((height, width), np.uint8)
    return Scene(np.zeros((height, width, 3), np.uint8), regions, maps, maps)


def wide(left: int) -> BoolMask:
    """A mask of 19 x 20 px, large enough to be asked for."""
    mask = np.zeros((20, 100), np.bool_)
    mask[:, left : left + 19] = True
    return mask


def looks(*columns: tuple[float, float]) -> ImageEmbedding:
    features = np.array(columns, np.float32).T.reshape(2, 1, len(columns))
    return ImageEmbedding(features, (1.0, float(len(columns))))


def evaluated(embedding: ImageEmbedding | None, found: list[BoolMask]) -> Evaluation:
    kinds = ("dog", "dog", "cat", "cat")
    regions = [region(kind, wide(20 * i)) for i, kind in enumerate(kinds)]
    barely = region("bird", wide(80), visible=0.3)
    evaluation = Evaluation(FakeProposer(found, embedding=embedding), MaskSettings())
    evaluation.see(scene_of(*regions, barely))
    return evaluation


CLEAR = looks((1, 0), (1, 0.1), (0, 1), (0.1, 1), (1, 0))


def test_things_that_look_like_their_kind_score_one() -> None:
    evaluation = evaluated(CLEAR, [wide(0), wide(20), wide(40), wide(60)])
    figures = evaluation.report(OWN)
    assert figures["clusters.object_recall_70"] == 1
    for source in ("found", "true"):
        for compared in ROLES:
            assert figures[f"clusters.bundle.{source}.{compared}.ari"] == 1
    # No group has eight members: all are alone, which is as good as chance.
    assert figures["clusters.published.found.objects.ari"] == 0


def test_kinds_that_look_alike_score_as_chance_and_missed_ones_are_told() -> None:
    alike = looks((1, 0), (0, 1), (1, 0), (0, 1), (1, 1))
    evaluation = evaluated(alike, [wide(0), wide(20), wide(40)])
    figures = evaluation.report(OWN)
    assert figures["clusters.object_recall_70"] == 0.75
    assert figures["clusters.bundle.true.objects.ari"] < 0.1
    assert figures["clusters.bundle.found.objects.homogeneity"] < 1


def test_a_proposer_without_an_embedding_is_refused() -> None:
    with pytest.raises(ValueError, match="embedding"):
        evaluated(None, [wide(0)])


def test_each_eps_of_a_sweep_is_as_if_it_were_set() -> None:
    evaluation = evaluated(CLEAR, [wide(0), wide(20), wide(40), wide(60)])
    results = evaluation.agreement("found", OWN, (0.0001, 0.1, 2.1))
    indices = [result["objects"].ari[0] for result in results]
    for eps, index in zip((0.0001, 0.1, 2.1), indices, strict=True):
        (single,) = evaluation.agreement("found", replace(OWN, eps=eps))
        assert single["objects"].ari == [index]
    assert indices == [0, 1, 0]


def test_the_report_has_a_line_for_every_contender(capsys: pytest.CaptureFixture[str]) -> None:
    evaluation = evaluated(FakeEmbedder().embed_image(CLEAR.features), [wide(0)])
    print_report(evaluation.report(OWN))
    print_sweep(evaluation, OWN)
    printed = capsys.readouterr().out
    assert all(f"{name}.{source}" in printed for name in contenders(OWN) for source in ("found",))


def test_evaluation_scenes_differ_by_seed_and_repeat_by_it() -> None:
    first, second = repeated_scenes(2, seed=4)
    (again,), (other,) = repeated_scenes(1, seed=4), repeated_scenes(1, seed=5)
    assert again.image.tobytes() == first.image.tobytes()
    assert other.image.tobytes() != first.image.tobytes()
    assert second.image.tobytes() != first.image.tobytes()
