"""Datasets of pictures and label maps, in the layouts and with the rules they are published with.

- ade20k: ``validation/NAME.jpg`` and ``validation/NAME.png``; 0 is ignored, other ids count from 1.
- cityscapes: ``CITY/NAME_leftImg8bit.png``; ``CITY/NAME_gtFine_labelTrainIds.png`` with 19 classes, or
  ``..._labelIds.png`` with the full list, of which these 19 count.
- foggy-driving: ``SPLIT/RECORD/NAME_leftImg8bit.png``; named as in Cityscapes, in ``gtFine`` or ``gtCoarse``.

Folders may be given from any level on. A pixel that doesn't count is ``IGNORED``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssa.errors import InputError
from ssa.labelling.labels import load_labels
from ssa.pictures.decoding import decode_image
from ssa.types import RGBImage

IGNORED = 255

CITYSCAPES = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign"),
    *("vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train"),
    *("motorcycle", "bicycle"),
)
# The id of each of these classes in Cityscapes' full list; all others are ignored.
_CITYSCAPES_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)

# Fine truth before coarse; the 19 classes as they are before the full list, which says the same.
_CITYSCAPES_TRUTHS = tuple(
    f"_gt{quality}_{ids}.png"
    for quality in ("Fine", "Coarse")
    for ids in ("labelTrainIds", "labelIds")
)
_PHOTOS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})

ClassIds = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with its truth; ``read`` gives both, or raises ``InputError``."""

    name: str
    read: Callable[[], tuple[RGBImage, ClassIds]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset's classes, and how to find its samples under two folders."""

    labels: tuple[str, ...]
    find: Callable[[Path, Path], list[Sample]]


def _ade20k(images: Path, truths: Path) -> list[Sample]:
    """Pictures and truths of one name, in equal folders below the two."""
    pictures = sorted(path for path in images.rglob("*") if path.suffix.lower() in _PHOTOS)
    pairs = [(path, truths / path.relative_to(images).with_suffix(".png")) for path in pictures]
    return [_sample(path, images, truth, _reduced) for path, truth in pairs]


def _cityscapes(images: Path, truths: Path) -> list[Sample]:
    """Pictures and truths whose names begin alike, in whatever folders."""
    ending = "_leftImg8bit.png"
    known = {path.name: path for path in sorted(truths.rglob("*.png"))}
    samples = []
    for picture in sorted(images.rglob(f"*{ending}")):
        stem = picture.name.removesuffix(ending)
        names = [stem + truth for truth in _CITYSCAPES_TRUTHS]
        truth = next((known[name] for name in names if name in known), truths / names[0])
        rule = _train_ids if truth.name.endswith("_labelTrainIds.png") else _from_full_list
        samples.append(_sample(picture, images, truth, rule))
    return samples


def _sample(
    picture: Path, images: Path, truth: Path, rule: Callable[[ClassIds], ClassIds]
) -> Sample:
    def read() -> tuple[RGBImage, ClassIds]:
        ids = rule(_read_ids(truth))
        image = decode_image(picture)
        if image.shape[:2] != ids.shape:
            raise InputError(
                f"expected truth of the picture's size {image.shape[:2]}; "
                f"{truth.name} has {ids.shape}"
            )
        return image, ids

    return Sample(picture.relative_to(images).as_posix(), read)


def _read_ids(path: Path) -> ClassIds:
    """The pixel values of a grey or palette PNG of 8 bits, (H, W)."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.mode not in ("L", "P"):
                raise InputError(
                    f"expected class ids of 8 bits a pixel; {path.name} is {picture.mode}"
                )
            return np.array(picture)
    except FileNotFoundError as error:
        raise InputError(f"expected truth in {path.name}; it is not there") from error
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"expected a PNG of class ids; {path.name} can't be read") from error


def _reduced(ids: ClassIds) -> ClassIds:
    """ADE20K's rule: 0 says "none of these", the classes follow from 1 on."""
    # 0 less 1 is 255, and a 255 that is there already stays ignored.
    return _checked(np.where(ids == IGNORED, IGNORED, ids - np.uint8(1)).astype(np.uint8), 150)


def _train_ids(ids: ClassIds) -> ClassIds:
    return _checked(ids, len(CITYSCAPES))


def _from_full_list(ids: ClassIds) -> ClassIds:
    table = np.full(256, IGNORED, np.uint8)
    table[list(_CITYSCAPES_IDS)] = np.arange(len(CITYSCAPES))
    return table[ids]


def _checked(ids: ClassIds, classes: int) -> ClassIds:
    wrong = (ids >= classes) & (ids != IGNORED)
    if wrong.any():
        raise InputError(f"expected truth below {classes}, or {IGNORED}; got {ids[wrong].max()}")
    return ids


DATASETS = {
    "ade20k": Dataset(load_labels("ade20k"), _ade20k),
    "cityscapes": Dataset(CITYSCAPES, _cityscapes),
    "foggy-driving": Dataset(CITYSCAPES, _cityscapes),
}


def check_classes(labels: Sequence[str], dataset: Sequence[str]) -> None:
    """Raise ``InputError`` unless a segmentor's classes are the dataset's, id by id.

    Lists of one dataset differ in a word here and there ("windowpane", "window"), so most names must be
    alike, in one of their synonyms ("bed, double bed").
    """
    if len(labels) != len(dataset):
        raise InputError(
            f"expected a segmentor of the dataset's {len(dataset)} classes; this one has {len(labels)}"
        )
    others = [i for i, pair in enumerate(zip(labels, dataset, strict=True)) if not _alike(*pair)]
    if len(others) > len(dataset) // 5:
        first = others[0]
        raise InputError(
            f"expected the dataset's classes; {len(others)} of {len(dataset)} have other names: "
            f"{first} is {labels[first]!r} and not {dataset[first]!r}"
        )


def _alike(label: str, other: str) -> bool:
    one, two = (
        {word.strip().lower() for word in text.replace(";", ",").split(",")}
        for text in (label, other)
    )
    return not one.isdisjoint(two)
