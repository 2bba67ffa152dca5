"""Label maps as they are published with ADE20K: a PNG a picture, 0 for none, classes from 1 on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssa.errors import InputError
from ssa.json_fields import FieldError, texts_of
from ssa.labelling.labels import LABEL_SETS, load_labels
from ssa.masks.run_lengths import encode
from ssa.score.regions import Region, TruePicture

IGNORED = (0, 255)
"""Ids that say "none of these"; 255 in maps of at most 254 classes."""

_MODES = ("L", "P", "I;16", "I")


def label_map_regions(path: Path, labels: Sequence[str]) -> TruePicture:
    """The regions of a label map: all pixels of a class are one; ``labels[0]`` is the name of id 1.

    Raises ``InputError`` for what is no such map, or has an id without a name.
    """
    ids = _ids_in(path)
    there = [number for number in np.unique(ids).tolist() if not _is_ignored(number, labels)]
    if there and there[-1] > len(labels):
        raise InputError(
            f"expected ids up to {len(labels)}, as many as there are names; {path.name} has {there[-1]}"
        )
    regions = (Region(encode(ids == number), labels[number - 1]) for number in there)
    return TruePicture((ids.shape[0], ids.shape[1]), tuple(regions))


def labels_beside(folder: Path) -> tuple[str, ...] | None:
    """The names in a folder's ``labels.txt`` or ``labels.json``; None where there is neither."""
    for name in ("labels.txt", "labels.json"):
        if (folder / name).is_file():
            return read_labels(folder / name)
    return None


def labels_called(name: str) -> tuple[str, ...]:
    """The names of one of our own sets (``coco``, ``ade20k``), or in a file. Raises ``InputError``."""
    return load_labels(name) if name in LABEL_SETS else read_labels(Path(name))


def read_labels(path: Path) -> tuple[str, ...]:
    """Names in the order of their ids: a line each, or a JSON list. Raises ``InputError``."""
    try:
        text = path.read_text("utf-8")
        names = texts_of(json.loads(text), "list") if path.suffix == ".json" else text.splitlines()
    except (OSError, ValueError, FieldError, RecursionError) as error:
        raise InputError(
            f"expected names of classes in {path.name}, a line each or a JSON list of them; it can't be read "
            f"so; or name one of {', '.join(LABEL_SETS)}"
        ) from error
    labels = [name.strip() for name in names]
    while labels and not labels[-1]:
        labels.pop()
    if "" in labels:
        raise InputError(
            f"expected a name for each class in {path.name}; got none for class {labels.index('') + 1}"
        )
    return tuple(labels)


def _is_ignored(number: int, labels: Sequence[str]) -> bool:
    return number == 0 or (number == IGNORED[1] and len(labels) < IGNORED[1])


def _ids_in(path: Path) -> NDArray[np.int64]:
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.mode in _MODES:
                return np.asarray(picture).astype(np.int64)
            mode = picture.mode
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"expected a PNG of class ids; {path.name} can't be read") from error
    raise InputError(f"expected one class id a pixel, grey or palette; {path.name} is {mode}")
