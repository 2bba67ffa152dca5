"""From one JSON a picture to the formats that tools read: made when all is done, in the order of keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ssa.dataset.amendments import AS_FOUND, Amendments
from ssa.dataset.examples import Examples
from ssa.dataset.output import OutputFolder
from ssa.dataset.speakers import made_by
from ssa.errors import Fault, InputError
from ssa.formats.categories import Categories
from ssa.formats.example import Example
from ssa.formats.options import AS_USUAL, FormatOptions
from ssa.formats.table import EXPORTED, Format, check_options

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written beside ``annotations/``.

    ``numbers`` are categories whose numbers are taken already, ``labels`` those that come next whether they
    occur or not. ``options`` are those of all formats but whose annotations they are, which is on record;
    ``amendments`` are what people made of these. Raises ``InputError`` for an option that none of the formats
    heeds.
    """

    formats: tuple[str, ...] = ()
    numbers: Categories = field(default_factory=Categories)
    labels: tuple[str, ...] = ()
    options: FormatOptions = AS_USUAL
    amendments: Amendments = AS_FOUND

    def __post_init__(self) -> None:
        check_options(self.formats, self.options)


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
    wanted = replace(wanted, options=replace(wanted.options, made_by=made_by(output.ledger)))
    faults = []
    for one in EXPORTED:
        if one.name in wanted.formats and not _is_current(output, one, wanted):
            tell(one.name)
            faults += _export(output, one, categories, wanted)
    return faults


def outdated(output: OutputFolder) -> tuple[str, ...]:
    """Formats that were written before and lack pictures that were done since."""
    if not output.categories_file.is_file():
        return ()
    facts = ((one.name, output.ledger.fact(f"export {one.name}")) for one in EXPORTED)
    return tuple(name for name, made_of in facts if made_of not in (None, _state(output)))


def _numbers_so_far(output: OutputFolder) -> Categories:
    path = output.categories_file
    return Categories.load(path) if path.is_file() else Categories()


def _number_labels(output: OutputFolder, wanted: Wanted) -> Categories:
    before = _numbers_so_far(output)
    met = dict.fromkeys(label for one in output.ledger.done() for label in one.labels)
    labels = wanted.amendments.labels((*wanted.labels, *met))
    categories = before.extended((*wanted.numbers.names, *labels))
    if not output.categories_file.is_file() or len(categories) != len(before):
        categories.save(output.categories_file)
    return categories


def _export(
    output: OutputFolder, one: Format, categories: Categories, wanted: Wanted
) -> list[Fault]:
    # A run that dies from here on leaves files of two manners.
    output.ledger.remember(f"manner {one.name}", "")
    examples, folder = Examples(output, wanted.amendments), output.root / one.folder
    taken = (_chosen(each, one, wanted.options) for each in examples)
    left_out = one.load()(taken, folder, categories, wanted.options)
    for name in one.former:
        (folder / name).unlink(missing_ok=True)
    if not examples.faults and not left_out:
        output.ledger.remember(f"export {one.name}", _state(output))
        output.ledger.remember(f"manner {one.name}", _manner(one, wanted))
    return examples.faults + left_out


def _chosen(example: Example, one: Format, options: FormatOptions) -> Example:
    """The picture with the regions that this format is to have."""
    if "rejected" in one.options and not options.rejected:
        example = example.without_rejected()
    if "least_confidence" in one.options and options.least_confidence is not None:
        example = example.without_doubtful(options.least_confidence)
    return example


def _is_current(output: OutputFolder, one: Format, wanted: Wanted) -> bool:
    made_of = output.ledger.fact(f"export {one.name}")
    manner = output.ledger.fact(f"manner {one.name}")
    is_there = (output.root / one.folder).is_dir()
    return is_there and (made_of, manner) == (_state(output), _manner(one, wanted))


def _manner(one: Format, wanted: Wanted) -> str:
    """What beside the annotations a format's files depend on. Earlier versions noted less, or nothing."""
    heeded = one.heeded(wanted.options)
    said = {"made_by": wanted.options.made_by, "amended": wanted.amendments.digest, **heeded}
    return json.dumps(said, sort_keys=True)


def _state(output: OutputFolder) -> str:
    """What a format is made of: equal as long as no picture was done since and labels keep their numbers."""
    numbers = hashlib.sha256(output.categories_file.read_bytes()).hexdigest()
    return json.dumps([output.ledger.revision, numbers])
