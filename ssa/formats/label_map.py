"""A label map for others to read: a PNG of class ids, and JSON with one region a class.

The PNG is what datasets hold as truth: each pixel's value is its class id. The JSON has one record for
each class that occurs, by class id, with COCO's compressed run lengths; boxes are [left, top, width,
height], a mask's width and height as in ``ssa.masks.run_lengths``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssa.drawing.colours import RGB, hexadecimal, label_colour
from ssa.masks import run_lengths as masks
from ssa.types import LabelMap

Record = dict[str, Any]


def encode_png(label_map: LabelMap) -> bytes:
    """The class ids as a PNG: 8 bits a pixel and a palette for up to 256 classes, else 16 bits of grey.

    Raises ``ValueError`` where an id is not an index into the labels.
    """
    return encode_ids(label_map.class_ids, [label_colour(label) for label in label_map.labels])


def encode_ids(ids: NDArray[np.signedinteger], colours: Sequence[RGB]) -> bytes:
    """Ids (H, W) as such a PNG; each is the position of its colour. Raises ``ValueError`` for any other id.

    Whoever reads samples, as Pillow does, reads ids; whoever looks at the picture sees the colours. (OpenCV
    turns a palette into colours.)
    """
    count = len(colours)
    if ids.size and not 0 <= ids.min() <= ids.max() < count:
        raise ValueError(
            f"expected class ids from 0 to {count - 1}; got {ids.min()} to {ids.max()}"
        )
    with_palette = count <= 256
    image = Image.fromarray(ids.astype(np.uint8 if with_palette else np.uint16))
    if with_palette:
        image.putpalette([sample for colour in colours for sample in colour])
    buffer = io.BytesIO()
    # Else a short palette would bring fewer bits a pixel, which some readers don't take.
    image.save(buffer, format="PNG", **({"bits": 8} if with_palette else {}))
    return buffer.getvalue()


def class_records(label_map: LabelMap) -> list[Record]:
    """One record for each class that occurs: class_id, class_name, color, area, bbox and segmentation."""
    return [_record(label_map, int(class_id)) for class_id in np.unique(label_map.class_ids)]


def dumps(label_map: LabelMap) -> bytes:
    """The records as JSON, ASCII with escapes; equal label maps give equal bytes."""
    return json.dumps(class_records(label_map), separators=(",", ":")).encode("ascii")


def _record(label_map: LabelMap, class_id: int) -> Record:
    mask = label_map.class_ids == class_id
    rle = masks.encode(mask)
    return {
        "class_id": class_id,
        "class_name": label_map.labels[class_id],
        "color": hexadecimal(label_colour(label_map.labels[class_id])),
        "area": int(np.count_nonzero(mask)),
        "bbox": [int(value) for value in masks.box_of(mask)],
        "segmentation": {"size": [rle.height, rle.width], "counts": rle.counts},
    }
