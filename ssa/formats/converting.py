"""What all formats do with a stream of examples: convert each, and go on where one can't be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ssa.errors import Fault
from ssa.formats.categories import Categories
from ssa.formats.example import Example, label_of

Converted = TypeVar("Converted")

# A picture "a" and a folder "a.png" of pictures would want one name for a file and a folder.
_NAME_CLASHES = (FileExistsError, NotADirectoryError, IsADirectoryError)
_CLASH = (
    "expected its file's name to be free; got a file where its folder should be, or a folder in its place; "
    "rename the picture or that folder"
)


def each_converted(
    examples: Iterable[Example],
    step: str,
    categories: Categories,
    convert: Callable[[Example], Converted],
    faults: list[Fault],
) -> Iterator[tuple[Example, Converted]]:
    """Each example and what ``convert`` makes of it, one at a time.

    An example with a mask of another size than its picture or a label that is no category, or on which
    ``convert`` raises ``ValueError`` or finds its file's name taken by a folder, is left out; ``faults``
    gets a row for it.
    """
    for example in examples:
        try:
            _check_sizes(example)
            _check_labels(example, categories)
            converted = convert(example)
        except ValueError as error:
            faults.append(Fault(example.key, step, str(error)))
        except _NAME_CLASHES:
            faults.append(Fault(example.key, step, _CLASH))
        else:
            yield example, converted


def in_order(examples: Iterable[Example]) -> Iterator[Example]:
    """The examples. Raises ``ValueError`` where one's key does not come after the last."""
    last = ""
    for example in examples:
        if example.key <= last:
            raise ValueError(f"expected keys in order; got {example.key!r} after {last!r}")
        last = example.key
        yield example


def _check_sizes(example: Example) -> None:
    for position, annotation in enumerate(example.annotations):
        rle = annotation.proposal.rle
        if (rle.height, rle.width) != (example.height, example.width):
            raise ValueError(
                f"expected masks of the picture's size, {example.height} × {example.width}; "
                f"got mask {position} of {rle.height} × {rle.width}; put its annotations right, or delete "
                "them to have it annotated again"
            )


def _check_labels(example: Example, categories: Categories) -> None:
    for label in map(label_of, example.annotations):
        if label not in categories:
            raise ValueError(
                f"expected labels that the run gave; got {label!r}; put the label back, or add it at the "
                "end of categories.json"
            )
