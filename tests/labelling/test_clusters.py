"""Groups of alike regions: numbered or named, by an embedding at hand or one that is made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ssa.config import ClusterSettings, Settings
from ssa.errors import InputError
from ssa.labelling.clusters import UNCLUSTERED, Grouping
from ssa.labelling.open_vocabulary import Naming
from ssa.pictures.regions import Regions
from ssa.progress import StageLog
from ssa.types import Annotation, ImageEmbedding
from tests.fakes import FakeEmbedder, proposal, squares, stages

SETTINGS = replace(
    Settings(), clusters=ClusterSettings(eps=0.1, min_samples=2, standardised=False, cohesive=False)
)


def four_squares() -> Regions:
    picture = np.zeros((40, 40, 3), np.uint8)
    return Regions(picture, [proposal(mask) for mask in squares(40, 40, 20)])


def embedding(*cells: int) -> ImageEmbedding:
    """Four cells, each of one kind."""
    vectors = np.eye(4, dtype=np.float32)[list(cells)]
    return ImageEmbedding(np.ascontiguousarray(vectors.T.reshape(4, 2, 2)), (2.0, 2.0))


def group(
    regions: Regions,
    seen: ImageEmbedding | None,
    settings: Settings = SETTINGS,
    embedder: FakeEmbedder | None = None,
) -> tuple[Annotation, ...]:
    grouping = Grouping(embedder, Naming(stages([])))
    fetch = None if seen is None else lambda: seen
    return grouping.group(regions, fetch, settings, StageLog(lambda _: None))


def test_alike_regions_share_a_number_and_the_others_have_none() -> None:
    found = group(four_squares(), embedding(0, 1, 0, 2))
    assert [one.class_name for one in found] == ["cluster 0", UNCLUSTERED, "cluster 0", UNCLUSTERED]
    assert [one.evidence.cluster_id for one in found] == [0, -1, 0, -1]
    assert [one.class_proposals for one in found] == [(str(one.class_name),) for one in found]


def test_each_region_keeps_what_it_looks_like_named_or_not() -> None:
    for settings in (SETTINGS, replace(SETTINGS, name_clusters=True)):
        first, alone, third, _ = group(four_squares(), embedding(0, 1, 0, 2), settings)
        seen = [one.evidence.embedding for one in (first, alone, third)]
        assert seen[0] == seen[2] != seen[1]
        assert np.linalg.norm(np.array(seen[1])) == pytest.approx(1, abs=1e-3)


def test_an_embedding_is_made_where_none_is_at_hand_and_only_there() -> None:
    embedder = FakeEmbedder()
    assert {one.class_name for one in group(four_squares(), None, embedder=embedder)} == {
        UNCLUSTERED
    }
    assert embedder.asked == 1
    group(four_squares(), embedding(0, 0, 1, 1), embedder=embedder)
    assert embedder.asked == 1


def test_without_embedding_and_embedder_the_way_out_is_told() -> None:
    with pytest.raises(InputError, match="group regions that SAM finds"):
        group(four_squares(), None)


def test_no_regions_are_no_groups() -> None:
    assert group(Regions(np.zeros((4, 4, 3), np.uint8), []), None) == ()


def test_a_named_group_keeps_its_number_and_the_rest_its_label() -> None:
    named = replace(SETTINGS, name_clusters=True)
    first, alone, third, _ = group(four_squares(), embedding(0, 1, 0, 2), named)
    assert first.class_name == third.class_name
    assert first.class_name not in ("cluster 0", UNCLUSTERED)
    assert first.class_proposals[0] == first.class_name
    assert (first.evidence.cluster_id, third.evidence.cluster_id) == (0, 0)
    assert first.evidence.caption  # it was asked, and keeps what was found out
    assert (alone.class_name, alone.evidence.caption) == (UNCLUSTERED, "")


def test_a_group_proposes_all_names_of_its_members_the_winner_first() -> None:
    named = replace(SETTINGS, name_clusters=True)
    of_group = group(four_squares(), embedding(0, 0, 0, 1), named)[:3]
    alone = Naming(stages([])).name(four_squares(), SETTINGS, StageLog(lambda _: None))[:3]
    names = [str(one.class_name) for one in alone]
    winner = max(names, key=names.count)
    assert len(set(names)) == 2
    assert {one.class_name for one in of_group} == {winner}
    assert {one.class_proposals for one in of_group} == {(winner, *(set(names) - {winner}))}
