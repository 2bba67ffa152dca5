"""Pixels vote: the class most pixels of a mask have, and the label that wins most of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ssa.masks.run_lengths import area
from ssa.masks.trace import Trace
from ssa.pictures.canvas import Masks
from ssa.pictures.crops import crop, scaled_box
from ssa.types import RLE, BoolMask, BoxXYXY, LabelMap, MaskProposal, ScoredLabel, Vote

BoxedMask = tuple[BoxXYXY, BoolMask]


def votes_under(
    maps: Sequence[LabelMap], proposals: Sequence[MaskProposal], boxed_masks: Iterable[BoxedMask]
) -> list[tuple[Vote, ...]]:
    """For each mask its vote on each map; see ``majority``.

    ``boxed_masks`` are the masks as pixels in their own boxes; they are made only where a map can't count.
    """
    if not maps:
        return [()] * len(proposals)
    voters = Masks([_voter(one) for one in proposals])
    votes = [_counted(one, voters) for one in maps]
    uncounted = [(one, own) for one, own in zip(maps, votes, strict=True) if not one.count]
    for box, mask in boxed_masks if uncounted else ():
        for one, own in uncounted:
            own.append(majority(one, mask, box))
    return list(zip(*votes, strict=True))


def _counted(label_map: LabelMap, voters: Masks) -> list[Vote]:
    """Each mask's vote, by the map's own count; none where it can't count."""
    if label_map.count is None:
        return []
    return [_vote(label_map, row) for row in label_map.count(voters)]


def _voter(proposal: MaskProposal) -> RLE:
    """The mask or, if it is without a pixel, all of its box."""
    mask = proposal.rle
    if area(mask):
        return mask
    box = scaled_box(proposal.bbox_xywh, 1.0, mask.height, mask.width)
    return Trace.filling(box).rle(mask.height, mask.width)


def _vote(label_map: LabelMap, counts: NDArray[np.int64]) -> Vote:
    winner = int(np.argmax(counts))
    share = float(counts[winner] / counts.sum())
    return Vote(label_map.source, label_map.labels[winner], share)


def majority(label_map: LabelMap, mask: BoolMask, box_xyxy: BoxXYXY) -> Vote:
    """The vote of a mask's pixels for the name of their most frequent class; see ``most_frequent``."""
    winner, share = most_frequent(label_map, mask, box_xyxy)
    return Vote(label_map.source, label_map.labels[winner], share)


def most_frequent(label_map: LabelMap, mask: BoolMask, box_xyxy: BoxXYXY) -> tuple[int, float]:
    """The class id that most pixels of a mask have, and their share; of equals, the smallest id.

    ``box_xyxy`` lies in the label map and ``mask`` (h, w) in the frame of the box. A mask without a pixel
    lets the whole box vote: each mask gets some name. Raises ``ValueError`` where sizes differ or an id is
    not an index into the labels.
    """
    class_ids = crop(label_map.class_ids, box_xyxy)
    if mask.shape != class_ids.shape:
        raise ValueError(
            f"expected a mask of its box's size {class_ids.shape}; got {mask.shape} "
            f"for {box_xyxy} of a label map of {label_map.class_ids.shape}"
        )
    counts = _counts(class_ids, mask)
    if len(counts) > len(label_map.labels):
        raise ValueError(
            f"expected class ids below {len(label_map.labels)} in the {label_map.source} label map; "
            f"got {len(counts) - 1}"
        )
    winner = int(np.argmax(counts))
    return winner, float(counts[winner] / counts.sum())


def shares_of(counts: NDArray[np.int64], labels: Sequence[str]) -> tuple[ScoredLabel, ...]:
    """The share of a mask's pixels that each label won, best first; equals keep the labels' order.

    ``counts`` is (K,) for K labels, of which one at least won a pixel; the shares sum to 1.
    Raises ``ValueError`` where that doesn't hold.
    """
    if counts.shape != (len(labels),) or counts.sum() < 1:
        raise ValueError(f"expected one count a label, not all 0; got {counts} for {len(labels)}")
    shares = counts / counts.sum()
    scored = [ScoredLabel(label, float(share)) for label, share in zip(labels, shares, strict=True)]
    return tuple(sorted(scored, key=lambda one: -one.score))  # sorted() keeps the order of equals


def _counts(ids: NDArray[np.integer], mask: BoolMask) -> NDArray[np.int64]:
    """How often each id occurs inside the mask, or everywhere if the mask is empty."""
    inside = ids[mask]
    return np.bincount(inside if inside.size else ids.ravel())
