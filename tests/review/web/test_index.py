"""What is kept of a region, and what it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from review_scenes import desk_of, regions, write_results

from ssa.review.amending import Amended
from ssa.review.history import History
from ssa.review.web.index import ROW, disagreement, embedding_of
from ssa.types import Evidence, Vote


def test_a_region_is_known_by_what_decisions_call_it(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()])
    with desk_of(out) as desk:
        _, now = desk.now(0)
        for place, region in enumerate(now.regions):
            assert desk.index.ref(0, place) == region.ref("photos/0.jpg")


def test_embeddings_come_back_as_they_were(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions(), regions()])
    with desk_of(out) as desk:
        assert np.array_equal(desk.index.embeddings()[:4], np.eye(8, dtype=np.float16)[:4])
        desk.refresh()
        assert desk.index.embeddings().shape == (8, 8)


def test_without_embeddings_there_are_none(tmp_path: Path) -> None:
    bare = [replace(one, evidence=Evidence(), confidence=None) for one in regions()]
    out = write_results(tmp_path / "out", [bare, regions()])
    with desk_of(out) as desk:
        first = desk.index.rows[0].values
        assert (first["embedding"] == -1).all()
        assert np.isnan(first["confidence"]).all()
        assert len(desk.index.embeddings()) == 4


def test_a_picture_may_have_more_regions_than_at_the_draw(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()[:2]])
    with desk_of(out) as desk:
        more = replace(desk.now(0)[0], annotations=regions(), marks=())
        desk.index.take(0, more, Amended(History()).now(more))
        assert desk.index.rows[0].values["turn"].tolist()[2:] == [-1, -1]


def test_a_row_is_small() -> None:
    assert ROW.itemsize <= 48


def test_votes_disagree_as_far_as_the_second_is_sure() -> None:
    one = regions()[0]
    votes = (Vote("a", "cat", 0.9), Vote("b", "dog", 0.4))
    assert disagreement(replace(one, evidence=Evidence(votes=votes))) == 0.4
    assert disagreement(replace(one, evidence=Evidence(votes=votes[:1]))) == 0
    assert disagreement(replace(one, evidence=Evidence())) == 0
    assert embedding_of(replace(one, evidence=Evidence())) is None
