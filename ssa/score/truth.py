"""What is true of pictures, from wherever it stands: opened as names, read a picture at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from ssa.errors import Fault, InputError
from ssa.formats import panoptic_reading
from ssa.formats.coco_reading import is_coco, read_coco
from ssa.formats.foreign import ForeignRegion, PictureNames
from ssa.formats.sa1b_reading import from_records
from ssa.json_fields import FieldError, integer_of, is_list, object_of
from ssa.score.label_maps import label_map_regions, labels_beside
from ssa.score.regions import Region, TruePicture, region_of
from ssa.types import Annotation

Read = Callable[[], TruePicture]


@dataclass(frozen=True, slots=True)
class Truth:
    """True pictures by the names that their file has for them; each is read when it is asked for.

    ``by_stem`` where names say nothing of a suffix: a label map "x.png" is of "x.jpg". ``faults`` are
    pictures that can't be read, as far as that is known before.
    """

    kind: str
    pictures: Mapping[str, Read]
    by_stem: bool = False
    faults: Sequence[Fault] = field(default=())

    def of(self, names: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        """The names of pictures that are ours, by our keys, and of those that are none or several of ours.

        ``names`` are our pictures' names with their keys.
        """
        known = PictureNames(_by_stems(names) if self.by_stem else names)
        found: dict[str, str] = {}
        left: list[str] = []
        for name in self.pictures:
            key = known.find(stem_of(name) if self.by_stem else name)
            if key is None or key in found:
                left.append(name)
            else:
                found[key] = name
        return found, left


_SUFFIXES = frozenset({".json", ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"})


def stem_of(name: str) -> str:
    """A picture's name without its suffix, and without that of a file about it: "a" of "a.jpg.json"."""
    suffix = PurePosixPath(name).suffix
    return stem_of(name.removesuffix(suffix)) if suffix.lower() in _SUFFIXES else name


def _by_stems(names: Mapping[str, str]) -> dict[str, str]:
    """Keys by their names' stems, but for stems that several have."""
    counts = Counter(map(stem_of, names))
    return {stem_of(name): key for name, key in names.items() if counts[stem_of(name)] == 1}


def open_truth(path: Path, labels: Sequence[str] | None = None) -> Truth:
    """The truth in a file or a folder: COCO instances or panoptic, SA-1B's JSON, or label maps.

    ``labels`` are the names of label maps' ids from 1 on; without them they are looked for in the folder.
    Raises ``InputError`` where it is none of these.
    """
    if path.is_dir():
        return _folder(path, labels)
    payload = json_in(path)
    if panoptic_reading.is_panoptic(payload):
        return _panoptic(payload, path)
    if is_coco(payload):
        return _coco(payload)
    raise InputError(
        "expected the truth as COCO instances or panoptic JSON, or a folder of SA-1B's JSON or of label "
        f"maps; got other JSON in {path.name}"
    )


def json_in(path: Path) -> object:
    """A file's JSON. Raises ``InputError`` where there is none."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"expected a file or a folder at {path}; got {error.strerror}; check the name"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected JSON in {path.name}; got something else") from error


def foreign_region(one: ForeignRegion, confidence: float | None = None) -> Region:
    """A region of another tool's file."""
    number = one.region if one.region is not None else one.number
    return Region(one.mask, one.label, number, one.score, confidence)


def _coco(payload: object) -> Truth:
    file = read_coco(without_crowds(payload))

    def reader(size: tuple[int, int] | None, regions: tuple[ForeignRegion, ...]) -> Read:
        # Ids of another file say nothing of ours.
        true = tuple(Region(one.mask, one.label) for one in regions)
        return lambda: TruePicture(size, true)

    pictures, faults = once([(one.name, one) for one in file.pictures])
    reads = {name: reader(one.size_hw, one.regions) for name, one in pictures.items()}
    return Truth("COCO instances", reads, faults=[*file.faults, *faults])


def once(named: Iterable[tuple[str, Any]]) -> tuple[dict[str, Any], list[Fault]]:
    """What has a name that nothing else of a file has, and a fault for each name of several."""
    pairs = [*named]
    counts = Counter(name for name, _ in pairs)
    why = "expected each picture once; got several of this name; they were left out"
    faults = [Fault(name, "read", why) for name, count in counts.items() if count > 1]
    return {name: one for name, one in pairs if counts[name] == 1}, faults


def without_crowds(payload: object) -> object:
    """COCO instances without annotations that stand for a crowd of things: no region is one of them."""
    if not isinstance(payload, Mapping) or not is_list(payload.get("annotations")):
        return payload
    kept = [
        row
        for row in payload["annotations"]
        if not (isinstance(row, Mapping) and row.get("iscrowd") == 1)
    ]
    return {**payload, "annotations": kept}


def _panoptic(payload: object, path: Path) -> Truth:
    found = panoptic_reading.read_panoptic(payload, panoptic_reading.pictures_beside(path))

    def reader(one: panoptic_reading.PanopticPicture) -> Read:
        def read() -> TruePicture:
            size, regions = one.read()
            return TruePicture(size, tuple(Region(mask, label) for mask, label in regions))

        return read

    pictures, faults = once([(one.name, one) for one in found])
    reads = {name: reader(one) for name, one in pictures.items()}
    return Truth("COCO panoptic", reads, faults=faults)


def _folder(folder: Path, labels: Sequence[str] | None) -> Truth:
    if (folder / "panoptic.json").is_file():
        return open_truth(folder / "panoptic.json")
    maps = sorted(folder.rglob("*.png"))
    names = labels if labels is not None else labels_beside(folder)
    if maps and names is not None:
        return _label_maps(folder, maps, names)
    files = sorted(path for path in folder.rglob("*.json") if not path.name.startswith("."))
    if files:
        return _sa1b(folder, files)
    if maps:
        raise InputError(
            f"expected the names of the label maps' ids; got none in {folder.name}; put them into labels.txt "
            "there, a line a class from id 1 on, or name a list with --labels"
        )
    raise InputError(
        f"expected a folder of SA-1B's JSON or of label maps (PNG); got neither in {folder}; check the name"
    )


def _label_maps(folder: Path, maps: Sequence[Path], labels: Sequence[str]) -> Truth:
    def reader(path: Path) -> Read:
        return lambda: label_map_regions(path, labels)

    pictures = {path.relative_to(folder).as_posix(): reader(path) for path in maps}
    return Truth("label maps", pictures, by_stem=True)


def _sa1b(folder: Path, files: Sequence[Path]) -> Truth:
    def reader(path: Path) -> Read:
        return lambda: sa1b_picture(json_in(path))

    pictures = {path.relative_to(folder).as_posix(): reader(path) for path in files}
    return Truth("SA-1B's JSON", pictures, by_stem=True)


def sa1b_picture(payload: object) -> TruePicture:
    """A picture's regions from a file in the manner of SA-1B; masks without names are true masks.

    Raises ``InputError`` for another.
    """
    found = from_records(payload)
    try:
        image = object_of(object_of(payload, "image").get("image"), "image")
        size = integer_of(image.get("height"), "height"), integer_of(image.get("width"), "width")
    except FieldError:
        size = None
    regions = (
        region_of(one, place) if isinstance(one, Annotation) else Region(one.rle)
        for place, one in enumerate(found)
    )
    # Their places say nothing of what another file calls its regions.
    return TruePicture(size, tuple(replace(one, id=None) for one in regions))
