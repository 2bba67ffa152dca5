"""Which regions of a file are which of ours: by id where it survived, else by how much they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ssa.formats.foreign import ForeignRegion
from ssa.masks.overlaps import ious
from ssa.review.replay import RegionNow

SAME = 0.9
"""With this IoU two masks are of one region, whatever it is called."""

ID_HOLDS = 0.5
"""With less, an id counts for nothing: the file may be of an earlier run, which had another region there."""

Pairs = list[tuple[int, int]]


def matched(
    regions: Sequence[RegionNow],
    others: Sequence[ForeignRegion],
    is_called: Callable[[RegionNow, ForeignRegion], bool],
) -> Pairs:
    """Positions of regions with those of the file's regions that are the same; each is in one pair at most.

    Masks are of one picture. Of several that would do the ones with the greatest IoU go together, of equals
    those that ``is_called`` says have the same name, then those that weren't rejected.
    """
    shared = ious([one.mask for one in regions], [one.mask for one in others])
    pairs = _by_id(regions, others, shared >= ID_HOLDS)
    ours, theirs = {one for one, _ in pairs}, {other for _, other in pairs}
    likely = [
        (
            -shared[i, j],
            not is_called(regions[i], others[j]),
            regions[i].reviewed == "rejected",
            int(i),
            int(j),
        )
        for i, j in np.argwhere(shared >= SAME)
    ]
    for *_, i, j in sorted(likely):
        if i not in ours and j not in theirs:
            pairs.append((i, j))
            ours.add(i)
            theirs.add(j)
    return pairs


def _by_id(
    regions: Sequence[RegionNow], others: Sequence[ForeignRegion], holds: NDArray[np.bool_]
) -> Pairs:
    places = {str(one.id): i for i, one in enumerate(regions)}
    found: dict[int, int] = {}
    for j, other in enumerate(others):
        i = None if other.region is None else places.get(other.region)
        # A copy of a region may have kept its id.
        if i is not None and holds[i, j]:
            found.setdefault(i, j)
    return list(found.items())
