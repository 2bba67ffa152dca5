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
    kept = list(range(len(proposals)))
    if settings.mask_nms_thresh < 1:
        kept = _without_copies(proposals, settings.mask_nms_thresh)
    if settings.max_masks is not None:
        kept = _best_first(proposals, kept)[: settings.max_masks]
    return tuple(proposals[position] for position in sorted(kept))


def _without_copies(proposals: Sequence[MaskProposal], thresh: float) -> list[int]:
    """Greedy suppression by the IoU of masks: box suppression leaves copies whose boxes differ by a stain."""
    masks = [one.rle for one in proposals]
    alike = ious(masks, masks) > thresh
    kept = list[int]()
    suppressed = np.zeros(len(masks), np.bool_)
    for position in _best_first(proposals, range(len(masks))):
        if not suppressed[position]:
            kept.append(position)
            suppressed |= alike[position]
    return kept


def _best_first(proposals: Sequence[MaskProposal], positions: Sequence[int]) -> list[int]:
    """Positions by quality; of equals, the first first."""
    return sorted(positions, key=lambda position: -proposals[position].predicted_iou)
