"""From one JSON a picture to the formats that tools read: made when all is done, in the order of keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from ssa.dataset.output import OutputFolder
from ssa.errors import Fault, InputError
from ssa.formats import sa1b_files
from ssa.formats.categories import Categories
from ssa.formats.coco import write_coco, write_coco_polygons
from ssa.formats.example import Example, Exporter
from ssa.formats.label_studio import write_label_studio
from ssa.formats.panoptic import write_panoptic
from ssa.formats.parquet import check_pyarrow, write_parquet
from ssa.formats.semantic_png import write_semantic_png
from ssa.formats.yolo import write_yolo

SA1B = "sa1b"
"""The format that is always there: ``annotations/``, of which the others are made."""

EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {
        "coco": write_coco,
        "coco-polygons": write_coco_polygons,
        "panoptic": write_panoptic,
        "semantic-png": write_semantic_png,
        "yolo": write_yolo,
        "parquet": write_parquet,
        "label-studio": write_label_studio,
    }
)

Told = Callable[[str], None]


def parse_formats(text: str) -> tuple[str, ...]:
    """The formats that ``text`` names, with commas between.

    Raises ``InputError`` for one that is none, or that needs a library which isn't there.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in (SA1B, *EXPORTERS):
            raise InputError(
                f"--format must be of {', '.join((SA1B, *EXPORTERS))}, with commas between; got {name!r}"
            )
    if "parquet" in names:
        check_pyarrow()
    return names


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written beside ``annotations/``.

    ``numbers`` are categories whose numbers are taken already, ``labels`` those that come next whether they
    occur or not. ``picture_prefix`` comes before a picture's name where Label Studio is to find it.
    """

    formats: tuple[str, ...] = ()
    numbers: Categories = field(default_factory=Categories)
    labels: tuple[str, ...] = ()
    picture_prefix: str = ""


def check_numbers(output: OutputFolder, wanted: Wanted) -> None:
    """Raise ``InputError`` where the numbers to begin with contradict those that the folder has."""
    pairs = zip(_numbers_so_far(output).names, wanted.numbers.names, strict=False)
    for number, (here, there) in enumerate(pairs, start=1):
        if here != there:
            raise InputError(
                f"--categories must agree with the categories.json in --out; category {number} is "
                f"{here!r} there and {there!r} in the file; leave it out, or use another --out"
            )


def export(output: OutputFolder, wanted: Wanted, tell: Told) -> list[Fault]:
    """Number all labels and write each format that isn't up to date. What had to be left out of them."""
    categories = _number_labels(output, wanted)
    faults = []
    for name in wanted.formats:
        if name != SA1B and not _is_current(output, name):
            tell(name)
            faults += _export(output, name, categories, wanted)
    return faults


def outdated(output: OutputFolder) -> tuple[str, ...]:
    """Formats that were written before and lack pictures that were done since."""
    if not output.categories_file.is_file():
        return ()
    facts = ((name, output.ledger.fact(f"export {name}")) for name in EXPORTERS)
    return tuple(name for name, made_of in facts if made_of not in (None, _state(output)))


def _numbers_so_far(output: OutputFolder) -> Categories:
    path = output.categories_file
    return Categories.load(path) if path.is_file() else Categories()


def _number_labels(output: OutputFolder, wanted: Wanted) -> Categories:
    before = _numbers_so_far(output)
    met = dict.fromkeys(label for *_, own in output.ledger.done() for label in own)
    categories = before.extended((*wanted.numbers.names, *wanted.labels, *met))
    if not output.categories_file.is_file() or len(categories) != len(before):
        categories.save(output.categories_file)
    return categories


def _export(output: OutputFolder, name: str, categories: Categories, wanted: Wanted) -> list[Fault]:
    write = EXPORTERS[name]
    if name == "label-studio":
        write = partial(write_label_studio, prefix=wanted.picture_prefix)
    examples = Examples(output)
    left_out = write(examples, output.root / name, categories)
    if not examples.faults and not left_out:
        output.ledger.remember(f"export {name}", _state(output))
    return examples.faults + left_out


def _is_current(output: OutputFolder, name: str) -> bool:
    made = output.ledger.fact(f"export {name}") == _state(output)
    return made and (output.root / name).is_dir()


def _state(output: OutputFolder) -> str:
    """What a format is made of: equal as long as no picture was done since and labels keep their numbers."""
    numbers = hashlib.sha256(output.categories_file.read_bytes()).hexdigest()
    return json.dumps([output.ledger.revision, numbers])


class Examples:
    """All annotated pictures, read one by one as they are asked for; ``faults`` are files that can't be."""

    def __init__(self, output: OutputFolder) -> None:
        self._output = output
        self.faults: list[Fault] = []

    def __iter__(self) -> Iterator[Example]:
        for key, file_name, _ in self._output.ledger.done():
            try:
                yield _example(self._output.annotation_file(key).read_bytes(), key, file_name)
            except (InputError, OSError) as error:
                self.faults.append(Fault(f"annotations/{key}.json", "export", _reason(error)))


def _reason(error: InputError | OSError) -> str:
    if isinstance(error, InputError):
        return str(error)
    return f"can't be read: {error.strerror}; put it back, or annotate the picture again"


def _example(data: bytes, key: str, file_name: str) -> Example:
    image, annotations = sa1b_files.loads(data)
    height, width = image.get("height"), image.get("width")
    if type(height) is not int or type(width) is not int:
        raise InputError("expected the picture's width and height in 'image'; got none")
    return Example(key, file_name, height, width, annotations)
