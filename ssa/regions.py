"""A picture and its mask proposals, cut as the stages ask for them; nothing is kept decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ssa.crops import crop, scaled_box
from ssa.masks import decode_part
from ssa.types import BoolMask, BoxXYXY, MaskProposal, RGBImage


class Regions:
    """``image`` is (H, W, 3) RGB uint8; a region is known by its position among the ``proposals``."""

    def __init__(self, image: RGBImage, proposals: Sequence[MaskProposal]) -> None:
        self.image = image
        self.proposals = proposals

    def __len__(self) -> int:
        return len(self.proposals)

    def crops(self, indices: Sequence[int], scale: float) -> list[RGBImage]:
        """The picture around each mask: its box, ``scale`` times as large about its centre."""
        return [crop(self.image, self._box(i, scale)) for i in indices]

    def masks(self, indices: Sequence[int], scale: float) -> list[BoolMask]:
        """Each mask in the frame of its crop."""
        return [decode_part(self.proposals[i].rle, self._box(i, scale)) for i in indices]

    def boxed_masks(self) -> Iterator[tuple[BoxXYXY, BoolMask]]:
        """Each mask's own box, and the mask in the frame of it, one at a time."""
        for index, proposal in enumerate(self.proposals):
            box_xyxy = self._box(index, 1.0)
            yield box_xyxy, decode_part(proposal.rle, box_xyxy)

    def _box(self, index: int, scale: float) -> BoxXYXY:
        height, width = self.image.shape[:2]
        return scaled_box(self.proposals[index].bbox_xywh, scale, height, width)
