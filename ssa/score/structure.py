"""Parts and groups: whether parts are found, named and attached, and alike regions together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from ssa.labelling.clustering import NOISE
from ssa.score.regions import Pair, Region
from ssa.score.relations import Level, level_of

Sums = dict[str, tuple[float, float]]
"""Figures of a picture: what is summed, and over how many; a figure of all pictures is sum over sum."""


def part_sums(pair: Pair, matches: Mapping[int, int]) -> Sums:
    """Of the true regions with a whole above them: found, found and named, and of those found attached right.

    ``matches`` are positions of true regions with found ones. Named is the same name or a synonym. Attached
    right: the whole above the found one is what the true whole was found as. Nothing where no found region's
    place among wholes and parts is known.
    """
    parts = [place for place, one in enumerate(pair.true) if one.parent is not None]
    if not parts:
        return {}
    found = [place for place in parts if place in matches]
    named = [place for place in found if _is_named(pair.found[matches[place]], pair.true[place])]
    sums: Sums = {
        "parts.found": (len(found), len(parts)),
        "parts.named": (len(named), len(parts)),
    }
    if any(one.has_place for one in pair.found):
        right = sum(_is_attached(pair, place, matches) for place in found)
        sums["parts.attached"] = (right, len(parts))
        sums["parts.attached_of_found"] = (right, len(found))
    return sums


def cluster_sums(pair: Pair, matches: Mapping[int, int]) -> Sums:
    """ARI and NMI of the groups of matched regions, in pictures that have two or more with a group in both.

    A region that is in no group counts as one of its own.
    """
    both = [
        (pair.true[true].cluster, pair.found[found].cluster)
        for true, found in sorted(matches.items())
    ]
    known = [(true, found) for true, found in both if true is not None and found is not None]
    if len(known) < 2:
        return {}
    true, found = (_own_groups(groups) for groups in zip(*known, strict=True))
    return {
        "clusters.ari": (float(adjusted_rand_score(true, found)), 1),
        "clusters.nmi": (float(normalized_mutual_info_score(true, found)), 1),
    }


def _is_named(found: Region, true: Region) -> bool:
    return true.label is not None and level_of(found.label, true.label) <= Level.SYNONYM


def _is_attached(pair: Pair, place: int, matches: Mapping[int, int]) -> bool:
    whole = pair.true[place].parent
    above = pair.found[matches[place]].parent
    return whole is not None and above is not None and matches.get(whole) == above


def _own_groups(groups: Sequence[int]) -> list[int]:
    return [-2 - row if group == NOISE else group for row, group in enumerate(groups)]
