"""Crops and masks as what they are of, not as pixels: who has the picture elsewhere can cut them there.

What a model makes of a picture, or of masks, for its own use is kept with these, and goes with them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar, overload

from ssa.masks.run_lengths import decode_part
from ssa.pictures.crops import crop
from ssa.types import RLE, BoolMask, BoxXYXY, RGBImage

Made = TypeVar("Made")


class _Kept:
    """Values by key, each made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}
        self._lock = Lock()

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            made: Made = self._made[key]
            return made


class Canvas:
    """A picture, (H, W, 3) RGB uint8, and what models have made of it: a copy on their device, say."""

    def __init__(self, pixels: RGBImage) -> None:
        self.pixels = pixels
        self._kept = _Kept()

    @classmethod
    def of(cls, picture: RGBImage | Canvas) -> Canvas:
        """The picture's canvas: itself, or a new one that nobody else has."""
        return picture if isinstance(picture, Canvas) else cls(picture)

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 3)."""
        return self.pixels.shape

    def once(self, key: Hashable, make: Callable[[RGBImage], Made]) -> Made:
        """What ``make`` gives for the picture, made when it is first asked for and kept with the canvas."""
        return self._kept.once(key, lambda: make(self.pixels))


class Masks(Sequence[RLE]):
    """Masks of one picture, and what models have made of them: several may look at the same ones."""

    def __init__(self, rles: Sequence[RLE]) -> None:
        self._rles = tuple(rles)
        self._kept = _Kept()

    def __len__(self) -> int:
        return len(self._rles)

    @overload
    def __getitem__(self, index: int) -> RLE: ...

    @overload
    def __getitem__(self, index: slice) -> Masks: ...

    def __getitem__(self, index: int | slice) -> RLE | Masks:
        return Masks(self._rles[index]) if isinstance(index, slice) else self._rles[index]

    def once(self, key: Hashable, make: Callable[[Sequence[RLE]], Made]) -> Made:
        """What ``make`` gives for the masks, made when it is first asked for and kept with them."""
        return self._kept.once(key, lambda: make(self._rles))


@dataclass(frozen=True, slots=True)
class Crops(Sequence[RGBImage]):
    """Boxes of pictures, one each of ``canvases`` and ``boxes_xyxy``; an item is a crop's pixels, a view.

    ``about_xyxy`` are the boxes of what the crops are about, in the pictures' frames too; where nobody said,
    a crop is about all that it shows.
    """

    canvases: Sequence[Canvas]
    boxes_xyxy: Sequence[BoxXYXY]
    about_xyxy: Sequence[BoxXYXY] | None = None

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    @overload
    def __getitem__(self, index: int) -> RGBImage: ...

    @overload
    def __getitem__(self, index: slice) -> Crops: ...

    def __getitem__(self, index: int | slice) -> RGBImage | Crops:
        if isinstance(index, slice):
            about = None if self.about_xyxy is None else self.about_xyxy[index]
            return Crops(self.canvases[index], self.boxes_xyxy[index], about)
        return crop(self.canvases[index].pixels, self.boxes_xyxy[index])


@dataclass(frozen=True, slots=True)
class MaskParts(Sequence[BoolMask]):
    """What of each mask of ``rles`` lies in its box; an item is that as pixels, (h, w) bool."""

    rles: Sequence[RLE]
    boxes_xyxy: Sequence[BoxXYXY]

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    @overload
    def __getitem__(self, index: int) -> BoolMask: ...

    @overload
    def __getitem__(self, index: slice) -> MaskParts: ...

    def __getitem__(self, index: int | slice) -> BoolMask | MaskParts:
        if isinstance(index, slice):
            return MaskParts(self.rles[index], self.boxes_xyxy[index])
        return decode_part(self.rles[index], self.boxes_xyxy[index])
