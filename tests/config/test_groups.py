"""The published settings of groups are one choice, ours another."""

from __future__ import annotations

from dataclasses import asdict

from ssa.config import PUBLISHED_CLUSTERS, ClusterSettings


def test_the_published_clusters_undo_every_choice_of_ours() -> None:
    published, ours = asdict(PUBLISHED_CLUSTERS), asdict(ClusterSettings())
    assert [name for name in ours if published[name] == ours[name]] == ["representatives"]
