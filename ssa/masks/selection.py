"""Which of the masks that a model found are kept: no near-copies, and no more than are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ssa.config import SelectionSettings
from ssa.masks.overlaps import ious
from ssa.types import MaskProposal


def selected(
    proposals: Sequence[MaskProposal], settings: SelectionSettings
) -> tuple[MaskProposal, ...]:
    """The masks that stay, in their order; where two can't both, the one of the better ``predicted_iou``."""
    return tuple(proposals[position] for position in kept(proposals, settings))


def kept(proposals: Sequence[MaskProposal], settings: SelectionSettings) -> list[int]:
    """The positions of the masks that stay, ascending."""
    stay = list(range(len(proposals)))
    if settings.mask_nms_thresh < 1:
        stay = _without_copies(proposals, settings.mask_nms_thresh)
    if settings.max_masks is not None:
        stay = _best_first(proposals, stay)[: settings.max_masks]
    return sorted(stay)


def _without_copies(proposals: Sequence[MaskProposal], thresh: float) -> list[int]:
    """Greedy suppression by the IoU of masks: box suppression leaves copies whose boxes differ by a stain."""
    masks = [one.rle for one in proposals]
    alike = ious(masks, masks) > thresh
    stay = list[int]()
    suppressed = np.zeros(len(masks), np.bool_)
    for position in _best_first(proposals, range(len(masks))):
        if not suppressed[position]:
            stay.append(position)
            suppressed |= alike[position]
    return stay


def _best_first(proposals: Sequence[MaskProposal], positions: Sequence[int]) -> list[int]:
    """Positions by quality; of equals, the first first."""
    return sorted(positions, key=lambda position: -proposals[position].predicted_iou)
