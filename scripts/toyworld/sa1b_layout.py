"""Writes drawn scenes in SA-1B's layout: pictures, and the masks of their true regions as JSON."""

from __future__ import annotations

import argparse
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ssa.cli.arguments import positive
from ssa.cli.bar import counted
from ssa.files import whole_file
from ssa.formats.sa1b import to_records
from ssa.masks.proposal import proposal_of
from ssa.types import AnnotatedImage, Annotation, BoolMask
from toyworld.scenes import Scene
from toyworld.unseen import SCENES_PER_SEED, right_names, scene_seed, scenes

JPEG_QUALITY = 95
# A picture has fewer regions, so that masks' ids are unique among all pictures.
IDS_PER_PICTURE = 1000

Write = Callable[[str, bytes], None]
"""Puts a file of this name and content where the data set goes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to write scenes: ``size_px`` wide, with their ``masks`` or without, in a folder or in a ``tar``.

    ``names`` adds to each mask the kind of thing that it is.
    """

    size_px: int = 256
    masks: bool = True
    tar: bool = False
    names: bool = False


def write_scenes(
    folder: Path, count: int, seed: int, layout: Layout, truth: Path | None = None
) -> None:
    """Write ``count`` scenes of ``seed`` into a folder, or as one tar ``sa_<seed>.tar`` in it.

    ``sa_<number>.jpg`` and ``sa_<number>.json`` beside it. A scene's number is the same at every size and
    occurs in no other seed; the same arguments give the same bytes. ``truth`` is a file of JSON lines to
    write too, one a scene: ``image`` ("sa_500001") and, in the order of masks, ``regions``; a region tells
    its kind, role and visible share, the position of its whole, and the ``names`` that are right.
    """
    with ExitStack() as open_files:
        write = open_files.enter_context(_target(folder, seed, layout.tar))
        rows = open_files.enter_context(whole_file(truth)) if truth else None
        for stem, scene in counted(_named(count, seed, layout.size_px), count, "scenes"):
            write(f"{stem}.jpg", _jpeg(scene))
            if layout.masks:
                write(f"{stem}.json", _compact(sa1b_of(scene, stem, layout.names)))
            if rows:
                rows.write(_compact({"image": stem, "regions": _truth(scene)}) + b"\n")


def sa1b_of(scene: Scene, stem: str, names: bool = False) -> dict[str, Any]:
    """A file of SA-1B for the scene ``stem`` ("sa_500001"): ``image`` and ``annotations``.

    With ``names``, records say what each thing is, as ours do.
    """
    height, width = scene.image.shape[:2]
    number = int(stem.removeprefix("sa_"))
    annotations = tuple(
        Annotation(
            proposal_of(region.mask, _innermost(region.mask)),
            class_name=region.kind if names else None,
            class_proposals=(region.kind,) if names else (),
        )
        for region in scene.regions
    )
    records = to_records(AnnotatedImage(height, width, annotations))
    image = {"image_id": number, "width": width, "height": height, "file_name": f"{stem}.jpg"}
    ids = range(number * IDS_PER_PICTURE, (number + 1) * IDS_PER_PICTURE)
    return {
        "image": image,
        "annotations": [{"id": ids[i], **record} for i, record in enumerate(records)],
    }


def _named(count: int, seed: int, size_px: int) -> Iterator[tuple[str, Scene]]:
    first = seed * SCENES_PER_SEED + 1
    for number, (scene, _) in enumerate(scenes(count, seed, size_px), start=first):
        yield f"sa_{number}", scene


def _innermost(mask: BoolMask) -> tuple[float, float]:
    """The pixel of a mask that is farthest from its edge and from the picture's, as x and y."""
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L1, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), mask.shape)
    return float(column), float(row)


def _truth(scene: Scene) -> list[dict[str, Any]]:
    return [
        {
            "kind": region.kind,
            "role": region.role,
            "visible": region.visible,
            "parent": region.parent,
            "names": sorted(right_names(scene, index)),
        }
        for index, region in enumerate(scene.regions)
    ]


def _jpeg(scene: Scene) -> bytes:
    file = BytesIO()
    Image.fromarray(scene.image).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _target(folder: Path, seed: int, tar: bool) -> AbstractContextManager[Write]:
    return _a_tar(folder / f"sa_{seed:06d}.tar") if tar else _a_folder(folder)


@contextmanager
def _a_folder(folder: Path) -> Iterator[Write]:
    folder.mkdir(parents=True, exist_ok=True)

    def write(name: str, data: bytes) -> None:
        (folder / name).write_bytes(data)

    yield write


@contextmanager
def _a_tar(path: Path) -> Iterator[Write]:
    """A tar as the data set is published: uncompressed, every name with ``./`` before it."""
    with whole_file(path) as file, tarfile.open(fileobj=file, mode="w") as tar:

        def write(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(data)
            tar.addfile(member, BytesIO(data))

        yield write


def main() -> None:
    """Write the scenes that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scenes", type=positive, default=500)
    parser.add_argument("--seed", type=scene_seed, default=0, help="other seeds, other scenes")
    parser.add_argument("--size", type=positive, default=256, help="width in pixels")
    parser.add_argument("--no-masks", action="store_true", help="pictures alone")
    parser.add_argument("--tar", action="store_true", help="one tar, sa_SEED.tar, in the folder")
    parser.add_argument(
        "--truth", type=Path, help="also write each region's right names: JSON lines"
    )
    parser.add_argument(
        "--names", action="store_true", help="the masks' names too, for `ssa score --truth`"
    )
    given = parser.parse_args()
    layout = Layout(given.size, not given.no_masks, given.tar, given.names)
    write_scenes(given.folder, given.scenes, given.seed, layout, given.truth)


if __name__ == "__main__":
    main()
