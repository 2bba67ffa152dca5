"""The files of one annotated picture, the same bytes from every door."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from ssa.drawing.overlay import draw_overlay
from ssa.files import write_whole
from ssa.formats import label_map as label_map_files
from ssa.formats import sa1b
from ssa.types import AnnotatedImage, RGBImage

OVERLAY = "overlay.png"
ANNOTATIONS = "annotations.json"
LABEL_MAP = "label_map.png"
CLASSES = "classes.json"
NAMES = (OVERLAY, ANNOTATIONS, LABEL_MAP, CLASSES)


def write_files(
    folder: Path,
    picture: RGBImage,
    annotated: AnnotatedImage,
    *,
    json: bool = True,
    detail: bool = False,
    legend: bool = False,
    doubtful_below: float | None = None,
) -> dict[str, Path]:
    """Write a picture's files into ``folder``, each whole or not at all; their paths by name.

    They are ``overlay.png`` and ``annotations.json`` and, of a closed set, ``label_map.png`` and
    ``classes.json``; without ``json`` the PNGs alone. ``detail`` is for the annotations, ``legend`` and
    ``doubtful_below`` are for the overlay. A missing folder is made, files of before are replaced; those
    that this picture has none of are removed, for they'd tell of another picture.
    """
    contents = {OVERLAY: encode_png(draw_overlay(picture, annotated, legend, doubtful_below))}
    if json:
        contents[ANNOTATIONS] = sa1b.dumps(annotated, detail)
    if annotated.label_map is not None:
        contents[LABEL_MAP] = label_map_files.encode_png(annotated.label_map)
        if json:
            contents[CLASSES] = label_map_files.dumps(annotated.label_map)
    for name, content in contents.items():
        write_whole(folder / name, content)
    for name in NAMES:
        if name not in contents:
            (folder / name).unlink(missing_ok=True)
    return {name: folder / name for name in contents}


def encode_png(picture: RGBImage) -> bytes:
    """A picture (H, W, 3) RGB uint8 as the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()
