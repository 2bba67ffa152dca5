"""Made-up folders in the layouts of published datasets, with the truth in the dataset's own classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Ids = NDArray[np.uint8]
Layout = tuple[Path, Path, dict[str, Ids]]
"""The folders of pictures and of truth, and by picture what its truth means: 255 is ignored."""

HEIGHT, WIDTH = 24, 32
# Train id → id in Cityscapes' full list, from its own page of labels.
FULL_IDS = dict(
    zip(
        range(19),
        (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33),
        strict=True,
    )
)


def _pictures(classes: int) -> Iterator[tuple[NDArray[np.uint8], Ids]]:
    rng = np.random.default_rng(5)
    while True:
        blocks = rng.integers(0, classes, (6, 8))
        ids = blocks.repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8)
        ids[rng.random(ids.shape) < 0.1] = 255
        yield rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8), ids


def _save(pixels: NDArray[np.uint8], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def ade20k(root: Path) -> Layout:
    """images/validation and annotations/validation, as ADEChallengeData2016 unpacks."""
    meaning: dict[str, Ids] = {}
    for number, (picture, ids) in zip(range(1, 4), _pictures(150), strict=False):
        name = f"validation/ADE_val_{number:08d}"
        _save(picture, root / "images" / f"{name}.jpg")
        _save(
            np.where(ids == 255, 0, ids + 1).astype(np.uint8), root / "annotations" / f"{name}.png"
        )
        meaning[f"{name}.jpg"] = ids
    return root / "images", root / "annotations", meaning


def _full(ids: Ids) -> Ids:
    """In Cityscapes' full list; what is ignored becomes one of the ids that it has besides."""
    besides = np.resize(np.array([0, 1, 4, 6, 10, 14, 18, 29, 30, 255], np.uint8), ids.shape)
    return np.where(ids == 255, besides, np.vectorize(FULL_IDS.get)(np.minimum(ids, 18))).astype(
        np.uint8
    )


def cityscapes(root: Path) -> Layout:
    """leftImg8bit/val/CITY and gtFine/val/CITY; some truth prepared in 19 classes, all in the full list."""
    meaning: dict[str, Ids] = {}
    places = [("lindau", True), ("lindau", False), ("munster", True), ("munster", False)]
    for number, ((city, prepared), (picture, ids)) in enumerate(
        zip(places, _pictures(19), strict=False)
    ):
        name = f"{city}/{city}_{number:06d}_000019"
        _save(picture, root / "leftImg8bit/val" / f"{name}_leftImg8bit.png")
        truth = root / "gtFine/val" / name
        _save(_full(ids), truth.with_name(f"{truth.name}_gtFine_labelIds.png"))
        _save(picture, truth.with_name(f"{truth.name}_gtFine_color.png"))
        if prepared:
            _save(ids, truth.with_name(f"{truth.name}_gtFine_labelTrainIds.png"))
        meaning[f"val/{name}_leftImg8bit.png"] = ids
    return root / "leftImg8bit", root / "gtFine", meaning


def foggy_driving(root: Path) -> Layout:
    """Fine truth for test and coarse for test_extra, by record, all below one folder."""
    meaning: dict[str, Ids] = {}
    places = [("test", "gtFine", "public"), ("test_extra", "gtCoarse", "web")]
    for (split, truth, record), (picture, ids) in zip(places, _pictures(19), strict=False):
        for suffix, values in (("labelIds", _full(ids)), ("labelTrainIds", ids)):
            name = f"{split}/{record}/{record}_a1_b2"
            _save(values, root / truth / f"{name}_{truth}_{suffix}.png")
        _save(picture, root / "leftImg8bit" / f"{name}_leftImg8bit.png")
        meaning[f"{name}_leftImg8bit.png"] = ids
    return root / "leftImg8bit", root, meaning


LAYOUTS: dict[str, Callable[[Path], Layout]] = {
    "ade20k": ade20k,
    "cityscapes": cityscapes,
    "foggy-driving": foggy_driving,
}
