"""Pictures whose masks come in one COCO file: each gets its own, as SA-1B has them, in a file of a run's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ssa.errors import Fault, InputError
from ssa.files import write_whole
from ssa.formats import sa1b
from ssa.formats.coco_reading import coco_file
from ssa.formats.foreign import ForeignFile, ForeignPicture, PictureNames
from ssa.masks.proposal import proposal_of
from ssa.masks.run_lengths import decode
from ssa.sources.item import Blob, Item
from ssa.types import AnnotatedImage, Annotation

_PAIR = "pair"


def read_masks(path: Path) -> ForeignFile:
    """The COCO file at ``path``. Raises ``InputError`` where there is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"--masks must be given, sam, semantic-sam or a COCO file; got {path}: {error.strerror}"
        ) from error
    return coco_file(data)


def with_coco_masks(
    found: Iterable[Item | Fault], file: ForeignFile, folder: Path
) -> Iterator[Item | Fault]:
    """The items that the file has masks for, each with these, and a fault for every other.

    A picture is the file's by as much of the end of its path as tells it from others; one that the file has
    without a region is annotated without any. ``folder`` gets a file a picture, ``<key>.json``, where it
    isn't there already; other processes may read it there. Last come the file's pictures that nothing was
    found for.
    """
    pictures = {one.name: one for one in file.pictures}
    names, waiting = PictureNames({name: name for name in pictures}), dict(pictures)
    for item in found:
        if isinstance(item, Fault):
            yield item
            continue
        name = names.find(item.name)
        picture = None if name is None else waiting.pop(name, None)
        if picture is not None:
            yield replace(item, masks=_written(picture, folder / f"{item.key}.json"))
        elif name is not None:
            yield Fault(item.name, _PAIR, f"expected one picture for {name}; got another before")
        else:
            yield Fault(
                item.name, _PAIR, "expected its masks in the COCO file; got none of its name"
            )
    yield from file.faults
    for name in waiting:
        yield Fault(name, _PAIR, "expected a picture for its masks; got none of its name")


def _written(picture: ForeignPicture, path: Path) -> Blob:
    data = _document(picture)
    if not path.is_file() or path.read_bytes() != data:
        write_whole(path, data)
    return Blob.of_file(Path(os.path.abspath(path)))


def _document(picture: ForeignPicture) -> bytes:
    """A file of SA-1B; a record's ``id`` is the file's own, and its estimate of the mask the file's score."""
    height, width = picture.size_hw or (0, 0)
    annotations = tuple(
        Annotation(replace(proposal_of(decode(one.mask)), predicted_iou=one.score), None)
        for one in picture.regions
    )
    records = sa1b.to_records(AnnotatedImage(height, width, annotations))
    for record, region in zip(records, picture.regions, strict=True):
        if region.number is not None:
            record["id"] = region.number
    image = {"width": width, "height": height, "file_name": picture.name}
    return json.dumps({"image": image, "annotations": records}).encode("ascii")
