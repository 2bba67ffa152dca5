"""What a run has done, as formats take it: one annotated picture after another, read from its own file."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from ssa.dataset.amendments import AS_FOUND, Amendments
from ssa.dataset.ledger import Done
from ssa.dataset.output import OutputFolder
from ssa.errors import Fault, InputError
from ssa.files import link_whole, write_whole
from ssa.formats import sa1b_files
from ssa.formats.example import Example, Mark
from ssa.labelling.confidence import FILE, Confidence, read_confidence
from ssa.sources.item import Blob


class Examples:
    """All annotated pictures, read one by one as they are asked for; ``faults`` are files that can't be.

    They come as people left them (``amendments``), all or those with the given ``keys``; where a
    ``Confidence`` was fitted for the folder, with what that says of their names.
    """

    def __init__(
        self,
        output: OutputFolder,
        amendments: Amendments = AS_FOUND,
        keys: Container[str] | None = None,
    ) -> None:
        self._output, self._amendments, self._keys = output, amendments, keys
        self._confidence = read_confidence(output.root / FILE)
        self.faults: list[Fault] = []

    def __iter__(self) -> Iterator[Example]:
        for one in self._output.ledger.done():
            if self._keys is not None and one.key not in self._keys:
                continue
            try:
                found = example_in(self._output.annotation_file(one.key).read_bytes(), one)
                yield self._amendments.amended(judged(found, self._confidence))
            except (InputError, OSError) as error:
                self.faults.append(Fault(f"annotations/{one.key}.json", "export", _reason(error)))


def judged(example: Example, confidence: Confidence | None) -> Example:
    """The picture with what was fitted for its folder, if anything was, in the place of what the run said."""
    if confidence is None:
        return example
    annotations = (replace(one, confidence=confidence.of(one)) for one in example.annotations)
    return replace(example, annotations=tuple(annotations))


def place(picture: Blob, path: Path) -> None:
    """Put a picture at ``path``: a link to its file, or a copy where it lies in a tar.

    A file of its size that is there already stays. Raises ``ValueError`` where the picture is no longer where
    it was.
    """
    if path.is_file() and not path.is_symlink() and path.stat().st_size == picture.size:
        return
    try:
        if not picture.is_file:
            write_whole(path, _read(picture))
        elif picture.path.is_file():
            link_whole(path, picture.path)
        else:
            raise EOFError
    except EOFError as error:
        raise ValueError(
            "expected its picture where it was when it was listed; got none there; name its place as an "
            "input, with --moved"
        ) from error


def _read(picture: Blob) -> bytes:
    try:
        return picture.read()
    except OSError as error:
        raise EOFError from error


def _reason(error: InputError | OSError) -> str:
    if isinstance(error, InputError):
        return str(error)
    return f"can't be read: {error.strerror}; put it back, or annotate the picture again"


def example_in(data: bytes, done: Done) -> Example:
    """The annotated picture in the bytes of its file. Raises ``InputError`` where they aren't sound."""
    image, annotations, ids = sa1b_files.loads_with_ids(data)
    height, width = image.get("height"), image.get("width")
    if type(height) is not int or type(width) is not int:
        raise InputError("expected the picture's width and height in 'image'; got none")
    to_place = partial(place, done.picture)
    marks = tuple(map(Mark, ids))
    return Example(done.key, done.file_name, height, width, annotations, to_place, marks)
