"""Pictures and their mask proposals, cut as the stages ask for them; nothing is kept decoded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from ssa.masks.run_lengths import decode_part
from ssa.pictures.canvas import Canvas, Crops, Made, MaskParts
from ssa.pictures.crops import cut_box, scaled_box
from ssa.types import BoolMask, BoxXYXY, MaskProposal, RGBImage


class Regions:
    """One picture's, (H, W, 3) RGB uint8; a region is known by its position among the ``proposals``.

    ``cut_boxes``, crops' boxes are the published engine's; else they are rounded outwards.
    """

    def __init__(
        self, image: RGBImage, proposals: Sequence[MaskProposal], cut_boxes: bool = False
    ) -> None:
        self.image = image
        self.proposals = proposals
        self._cut_boxes = cut_boxes
        self.canvas = Canvas(image)

    def __len__(self) -> int:
        return len(self.proposals)

    @property
    def pictures(self) -> tuple[Regions, ...]:
        """The regions picture by picture: here there is one."""
        return (self,)

    def only(self, indices: Sequence[int]) -> Regions:
        """Some of them, in this order."""
        some = Regions(self.image, [self.proposals[i] for i in indices], self._cut_boxes)
        some.canvas = self.canvas
        return some

    def by_picture(self, indices: Sequence[int]) -> list[tuple[Regions, list[int]]]:
        """The regions asked for, in stretches of one picture's: here all."""
        return [(self, [*indices])] if len(indices) else []

    def once(self, key: Hashable, make: Callable[[RGBImage], Made]) -> Made:
        """What ``make`` gives for the picture, made when it is first asked for; see ``Canvas``."""
        return self.canvas.once(key, make)

    def crops(self, indices: Sequence[int], scale: float) -> Crops:
        """The picture around each mask: its box, ``scale`` times as large about its centre.

        What it is about is the box itself.
        """
        boxes, about = ([self._crop_box(i, size) for i in indices] for size in (scale, 1.0))
        return Crops([self.canvas] * len(boxes), boxes, about)

    def masks(self, indices: Sequence[int], scale: float) -> MaskParts:
        """Each mask in the frame of its crop."""
        boxes = [self._crop_box(i, scale) for i in indices]
        return MaskParts([self.proposals[i].rle for i in indices], boxes)

    def boxed_masks(self) -> Iterator[tuple[BoxXYXY, BoolMask]]:
        """Each mask's own box, and the mask in the frame of it, one at a time."""
        for proposal in self.proposals:
            box_xyxy = scaled_box(proposal.bbox_xywh, 1.0, *self.image.shape[:2])
            yield box_xyxy, decode_part(proposal.rle, box_xyxy)

    def _crop_box(self, index: int, scale: float) -> BoxXYXY:
        scaled = cut_box if self._cut_boxes else scaled_box
        return scaled(self.proposals[index].bbox_xywh, scale, *self.image.shape[:2])


class ManyRegions:
    """Those of several pictures in a row, so that a batch may hold crops of more than one.

    A region is known by its position among all; ``starts`` are the positions of each picture's first.
    """

    def __init__(self, pictures: Sequence[Regions]) -> None:
        self.pictures = tuple(pictures)
        self.proposals = tuple(one for picture in pictures for one in picture.proposals)
        self.starts = tuple(accumulate((len(one) for one in pictures), initial=0))[:-1]

    def __len__(self) -> int:
        return len(self.proposals)

    def by_picture(self, indices: Sequence[int]) -> list[tuple[Regions, list[int]]]:
        """The regions asked for, in stretches of one picture's, by their positions there."""
        found: list[tuple[Regions, list[int]]] = []
        for picture, own in map(self._find, indices):
            if not found or found[-1][0] is not picture:
                found.append((picture, []))
            found[-1][1].append(own)
        return found

    def crops(self, indices: Sequence[int], scale: float) -> Crops:
        """The pictures around each mask, as in ``Regions``."""
        found = [picture.crops([own], scale) for picture, own in map(self._find, indices)]
        return Crops(
            *_joined(
                [one.canvases for one in found],
                [one.boxes_xyxy for one in found],
                [one.about_xyxy or () for one in found],
            )
        )

    def masks(self, indices: Sequence[int], scale: float) -> MaskParts:
        """Each mask in the frame of its crop."""
        found = [picture.masks([own], scale) for picture, own in map(self._find, indices)]
        return MaskParts(*_joined([one.rles for one in found], [one.boxes_xyxy for one in found]))

    def _find(self, index: int) -> tuple[Regions, int]:
        # Pictures without regions start where the next one does: the last of those is the one meant.
        number = bisect_right(self.starts, index) - 1
        return self.pictures[number], index - self.starts[number]


def _joined(*columns: Sequence[Sequence[Any]]) -> tuple[list[Any], ...]:
    return tuple([item for part in column for item in part] for column in columns)


AnyRegions = Regions | ManyRegions
