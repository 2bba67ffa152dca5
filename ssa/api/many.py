"""Many pictures: decoded ahead, a few at a time through the engine, while who asked works on those before.

So a device doesn't wait for a decoder, nor for overlays to be saved. Only so much waits at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssa.ahead import FULL_PX, LANES_ON_A_GPU, map_ahead
from ssa.config import Settings
from ssa.engine import Engine
from ssa.errors import ImageError, SSAError
from ssa.pictures.decoding import checked_pixels, decode_image, image_pixels
from ssa.progress import Report, StageReport
from ssa.types import AnnotatedImage, Picture, RGBImage

AnyPicture = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]

TOGETHER = 4
"""Pictures that go through the engine at a time: enough that batches of crops are full."""

DECODERS = 2
"""Threads that read and decode files."""


def annotated(
    engine: Engine,
    pictures: Iterable[AnyPicture],
    settings: Settings,
    report: Report,
    device_type: str,
) -> Iterator[tuple[RGBImage, AnnotatedImage]]:
    """Each picture as pixels, with what the engine made of it, in order.

    What is wrong with a picture is raised in its turn, and so is what ``report`` raises. Who closes this
    waits for no more than a batch.
    """
    is_stopping, telling = Event(), Lock()

    def report_unless_stopping(stage: StageReport) -> None:
        if is_stopping.is_set():
            raise _Stopping
        try:
            with telling:
                report(stage)
        except Exception as error:
            raise _Stopping(error) from error

    decoded = map_ahead(
        partial(_decoded, settings=settings),
        (_held(one, settings) for one in pictures),
        DECODERS,
        ahead=DECODERS,
    )
    lanes = LANES_ON_A_GPU if device_type == "cuda" else 1
    groups = map_ahead(
        partial(_through, engine, settings, report_unless_stopping),
        _groups(decoded),
        lanes,
        ahead=lanes,
        end=is_stopping.set,
    )
    try:
        for images, found, fault in groups:
            yield from zip(images, found, strict=False)  # of those before a fault
            if fault is not None:
                raise fault
    except _Stopping as stopping:
        raise stopping.args[0] from None
    finally:
        groups.close()


def pixels(picture: AnyPicture, settings: Settings) -> RGBImage:
    """A picture of any kind as upright RGB; an array is copied, so that nobody changes it meanwhile."""
    if isinstance(picture, Image.Image):
        return image_pixels(picture, settings.image)
    if isinstance(picture, str | os.PathLike):
        return decode_image(Path(picture), settings.image)
    return checked_pixels(picture, settings.image)


class _Stopping(BaseException):
    """Ends the engine's work between two batches, with what a report raised if that is why."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Pictures that go through the engine together, and what is wrong with the one after them."""

    images: tuple[RGBImage, ...]
    fault: Exception | None = None


def _held(picture: AnyPicture, settings: Settings) -> Path | RGBImage | ImageError:
    """A file to be decoded later; of what others hold, and may change, the pixels as they are now."""
    if isinstance(picture, str | os.PathLike):
        return Path(picture)
    return _tried(picture, settings)


def _decoded(held: Path | RGBImage | ImageError, settings: Settings) -> RGBImage | ImageError:
    return _tried(held, settings) if isinstance(held, Path) else held


def _tried(picture: AnyPicture, settings: Settings) -> RGBImage | ImageError:
    try:
        return pixels(picture, settings)
    except ImageError as error:
        return error


def _groups(decoded: Iterable[RGBImage | ImageError]) -> Iterator[_Group]:
    """As many together as go together, large pictures fewer; the one with a fault is the last."""
    images: list[RGBImage] = []
    fault: Exception | None = None
    try:
        for one in decoded:
            if isinstance(one, ImageError):
                fault = one
                break
            images.append(one)
            if len(images) == TOGETHER or sum(each.size // 3 for each in images) >= FULL_PX:
                yield _Group(tuple(images))
                images = []
    except Exception as error:  # of whoever brings the pictures
        fault = error
    if images or fault:
        yield _Group(tuple(images), fault)


def _through(
    engine: Engine, settings: Settings, report: Report, group: _Group
) -> tuple[Sequence[RGBImage], list[AnnotatedImage], Exception | None]:
    """The pictures, what came of them up to the first with a fault, and that fault.

    Where the engine fails on all together, one by one tells whose trouble it is.
    """
    if not group.images:
        return (), [], group.fault
    try:
        together = [Picture(one) for one in group.images]
        return group.images, engine.annotate_all(together, settings, report), group.fault
    except SSAError as error:
        if len(group.images) == 1:
            return group.images, [], error
    found: list[AnnotatedImage] = []
    for image in group.images:
        try:
            found += engine.annotate_all([Picture(image)], settings, report)
        except SSAError as error:
            return group.images, found, error
    return group.images, found, group.fault
