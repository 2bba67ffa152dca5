"""One worker: reads and decodes ahead, sends pictures through the engine together, encodes the answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

from ssa.ahead import FULL_PX, map_ahead, nothing
from ssa.config import Settings
from ssa.dataset.outcomes import Annotated, Failed, Group, GroupDone, Outcome
from ssa.dataset.protocols import Annotator
from ssa.errors import Fault, ImageError, InputError, OutOfMemory
from ssa.formats import sa1b_files
from ssa.formats.example import label_of
from ssa.formats.sa1b_files import GivenMasks
from ssa.labelling.aliases import NO_ALIASES, Aliases
from ssa.pictures.decoding import decode_image
from ssa.progress import StageReport
from ssa.sources import Item
from ssa.types import AnnotatedImage, Picture

logger = logging.getLogger(__name__)

DECODERS = 4
"""Threads that read and decode. One keeps up with a CPU; four do with a GPU and pictures of 2 megapixels."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A picture in memory, with the masks it came with."""

    item: Item
    picture: Picture
    given: GivenMasks | None


@dataclass(frozen=True, slots=True)
class Part:
    """Some pictures of a group, decoded, and those of it that could not be read; ``is_last`` ends it."""

    group: int
    entries: tuple[Loaded | Failed, ...]
    is_last: bool


class Worker:
    """Annotates groups of pictures with one engine, ``lanes`` of them at a time.

    Lanes keep a processor busy where one thread doesn't: while one lane waits for the models the other cuts
    crops and writes JSON. ``begin`` is called once in each lane's thread. Labels are called as ``aliases``
    say.
    """

    def __init__(
        self,
        engine: Annotator,
        settings: Settings,
        detail: bool = False,
        lanes: int = 1,
        begin: Callable[[], None] = nothing,
        aliases: Aliases = NO_ALIASES,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._detail = detail
        self._lanes = lanes
        self._begin = begin
        self._aliases = aliases
        self._is_stopping = Event()

    def run(self, groups: Iterable[Group]) -> Iterator[GroupDone]:
        """Each group and what came of it, in order; reads some pictures ahead of what was asked for.

        Who stops asking (closes it, or fails meanwhile) waits for no more than a batch of each lane.
        """
        self._is_stopping.clear()
        loaded = map_ahead(self._load, _entries(groups), DECODERS, ahead=DECODERS)
        finished = map_ahead(
            self._annotate,
            _parts(loaded),
            self._lanes,
            ahead=self._lanes + 1,  # one more is read while all lanes work
            begin=self._begin,
            end=self._is_stopping.set,
        )
        outcomes: list[Outcome] = []
        for part, found in finished:
            outcomes += found
            if part.is_last:
                yield GroupDone(part.group, outcomes)
                outcomes = []

    def _load(self, entry: _Entry) -> tuple[_Entry, Loaded | Failed]:
        return entry, load(entry.item, self._settings)

    def _annotate(self, part: Part) -> tuple[Part, list[Outcome]]:
        loaded = [one for one in part.entries if isinstance(one, Loaded)]
        results = iter(self._through_engine(loaded))
        outcomes = [
            one if isinstance(one, Failed) else self._encoded(one, next(results))
            for one in part.entries
        ]
        # The pictures are let go: what waits to be taken is only what came of them.
        return replace(part, entries=()), outcomes

    def _through_engine(self, loaded: Sequence[Loaded]) -> Sequence[AnnotatedImage | Failed]:
        """All together; where that fails, one by one, so that one picture's trouble is its own."""
        if not loaded:
            return []
        try:
            pictures = [one.picture for one in loaded]
            return self._engine.annotate_all(pictures, self._settings, self._check_stopping)
        except Exception as error:
            if len(loaded) > 1:
                return [found for one in loaded for found in self._through_engine([one])]
            return [_failed(loaded[0].item, "annotate", error)]

    def _check_stopping(self, _: StageReport) -> None:
        if self._is_stopping.is_set():
            raise _Stopping

    def _encoded(self, loaded: Loaded, annotated: AnnotatedImage | Failed) -> Outcome:
        if isinstance(annotated, Failed):
            return annotated
        item = loaded.item
        called = tuple(map(self._aliases.renamed, annotated.annotations))
        annotated = replace(annotated, annotations=called)
        try:
            document = sa1b_files.dumps(
                annotated, item.key, item.file_name, loaded.given, self._detail
            )
        except ValueError as error:  # a number that JSON has not, in a field that came with a mask
            return _failed(item, "encode", error)
        labels = tuple(dict.fromkeys(map(label_of, annotated.annotations)))
        return Annotated(item.key, document, labels, len(annotated.annotations))


class _Stopping(BaseException):
    """Ends a lane's work between two batches; no error of a picture's."""


def load(item: Item, settings: Settings) -> Loaded | Failed:
    """Read and decode one picture and, where it comes with them, its masks."""
    step = "read"
    try:
        data = item.picture.read()
        masks = item.masks.read() if item.masks is not None else None
        step = "decode"
        image = decode_image(data, settings.image)
        step = "masks"
        if masks is None:
            return Loaded(item, Picture(image), None)
        given = sa1b_files.parse_masks(masks)
        _check_sizes(image.shape[:2], given)
        return Loaded(item, Picture(image, given.proposals), given)
    except (OSError, EOFError, InputError, MemoryError) as error:
        return _failed(item, step, error)


def _check_sizes(size_hw: tuple[int, ...], given: GivenMasks) -> None:
    """Raise ``InputError`` where masks, or what their file says of the picture, are of another size."""
    stated = given.stated_size_hw
    if stated is not None and stated != size_hw:
        raise _other_size(size_hw, stated, "its 'image'")
    for number, one in enumerate(given.proposals):
        if (one.rle.height, one.rle.width) != size_hw:
            raise _other_size(size_hw, (one.rle.height, one.rle.width), f"record {number}")


def _other_size(size_hw: tuple[int, ...], got_hw: tuple[int, ...], where: str) -> InputError:
    return InputError(
        f"expected masks of the picture's size, {size_hw[1]} × {size_hw[0]}; got "
        f"{got_hw[1]} × {got_hw[0]} in {where}; they belong to another picture"
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A picture on its way, and whether its group ends with it."""

    group: int
    item: Item
    is_last: bool


def _entries(groups: Iterable[Group]) -> Iterator[_Entry]:
    for group in groups:
        for place, item in enumerate(group.items, start=1):
            yield _Entry(group.number, item, place == len(group.items))


def _parts(loaded: Iterable[tuple[_Entry, Loaded | Failed]]) -> Iterator[Part]:
    """Groups as they were, those of very large pictures in pieces; the next picture isn't waited for."""
    entries: list[Loaded | Failed] = []
    pixels = 0
    for entry, one in loaded:
        entries.append(one)
        pixels += one.picture.image.size // 3 if isinstance(one, Loaded) else 0
        if entry.is_last or pixels >= FULL_PX:
            yield Part(entry.group, tuple(entries), entry.is_last)
            entries, pixels = [], 0


def _failed(item: Item, step: str, error: Exception) -> Failed:
    return Failed(item.key, Fault(item.name, step, _reason(error)))


def _reason(error: Exception) -> str:
    """One line on what went wrong; where nobody foresaw it, the log has the rest."""
    if isinstance(error, InputError | ImageError | OutOfMemory | EOFError):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, MemoryError):
        return "not enough memory for this picture"
    logger.warning("unexpected error", exc_info=error)
    return f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:200]}"
