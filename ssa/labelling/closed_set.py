"""The closed-set system: a segmentor's label map, sharpened by the outlines of masks.

After the Semantic Segment Anything project (2023): each mask takes the class that most of its pixels have
in a semantic segmentor's map, and is painted over that map in one piece, from large to small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ssa.labelling.voting import most_frequent
from ssa.masks.painting import painting_order
from ssa.masks.run_lengths import decode_part
from ssa.pictures.crops import crop, scaled_box
from ssa.types import LabelMap, MaskProposal, Vote


def vote_and_paint(
    label_map: LabelMap, proposals: Sequence[MaskProposal]
) -> tuple[LabelMap, tuple[Vote, ...]]:
    """The label map with every mask painted in its majority class, and the votes in the masks' order.

    All masks vote on the map as it came. Smaller masks lie on larger ones; of equal areas the later lies
    on top, as in the overlay. Where no mask is, the segmentor's class stays. Raises ``ValueError`` for a
    mask of another size than the map.
    """
    height, width = label_map.class_ids.shape
    painted = label_map.class_ids.copy()
    votes: dict[int, Vote] = {}
    for index in painting_order([one.area_px for one in proposals]):
        proposal = proposals[index]
        _check_size(proposal, height, width)
        box_xyxy = scaled_box(proposal.bbox_xywh, 1.0, height, width)
        mask = decode_part(proposal.rle, box_xyxy)
        class_id, share = most_frequent(label_map, mask, box_xyxy)
        votes[index] = Vote(label_map.source, label_map.labels[class_id], share)
        crop(painted, box_xyxy)[mask] = class_id
    in_order = tuple(votes[index] for index in range(len(proposals)))
    return replace(label_map, class_ids=painted, count=None), in_order


def _check_size(proposal: MaskProposal, height: int, width: int) -> None:
    size_hw = proposal.rle.height, proposal.rle.width
    if size_hw != (height, width):
        raise ValueError(f"expected masks of the label map's size {(height, width)}; got {size_hw}")
