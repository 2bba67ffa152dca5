"""Pictures and the JSON beside them → items: which JSON holds masks, and whose they are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from typing import Literal

from ssa.errors import Fault
from ssa.json_fields import is_list
from ssa.sources.item import Blob, Item
from ssa.sources.names import MASKS_SUFFIX, is_picture, may_hold_masks, printable, safe_key

MaskOrigin = Literal["given", "sam", "semantic-sam", "phrases"] | None
"""Where masks come from: JSON, a model, or None: from JSON where there is some that holds masks."""

# JSON beside pictures is judged by the first few files that can be read, of some that are tried.
FILES_JUDGED, FILES_TRIED, LARGEST_JUDGED_BYTES = 8, 64, 1 << 26


@dataclass(frozen=True, slots=True)
class Place:
    """Files that may belong to one another: one folder's, without those of folders in it, or one tar's.

    ``names`` are paths inside the source, each once, of pictures and JSON (see ``wanted``). ``blob_of``
    gives a name's bytes or raises ``OSError``. Names of one ``stem_of`` belong together.
    """

    source: str
    names: Sequence[str]
    blob_of: Callable[[str], Blob]
    stem_of: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Group:
    """The pictures and the JSON of one stem."""

    stem: str
    pictures: list[str]
    json: list[str]


def wanted(name: str, masks: MaskOrigin) -> bool:
    """Whether a file of this name matters at all."""
    return is_picture(name) or (masks in (None, "given") and may_hold_masks(name))


def items_in(place: Place, masks: MaskOrigin) -> Iterator[Item | Fault]:
    """The items of a place in the order of their names, and what is wrong with it."""
    groups = _groups(place)
    if masks == "given" or (masks is None and _holds_masks(place, groups)):
        for group in groups():
            yield from _pair(place, group)
    else:
        for name in sorted(filter(is_picture, place.names)):
            yield _item(place, name)


def shows_masks(data: bytes) -> bool | None:
    """Whether JSON holds masks as SA-1B has them, None where it is no JSON.

    An object with ``annotations``, or a list of such records, one of which has run lengths as its
    ``segmentation``. (COCO's polygons are a list there, and belong to data sets of another layout.)
    """
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return None
    records = payload.get("annotations") if isinstance(payload, Mapping) else payload
    return is_list(records) and any(
        isinstance(record, Mapping) and isinstance(record.get("segmentation"), Mapping)
        for record in records
    )


def judged(blob_of: Callable[[], Blob]) -> bool | None:
    """``shows_masks`` of a blob, None too where it can't be read or is no annotation of one picture."""
    try:
        blob = blob_of()
        return shows_masks(blob.read()) if blob.size <= LARGEST_JUDGED_BYTES else None
    except (OSError, EOFError):
        return None


def fault(source: str, name: str, step: str, message: str) -> Fault:
    """What is wrong with a file of a source."""
    return Fault(printable(f"{source}/{name}"), step, message)


def reason(error: OSError) -> str:
    """What the system said, without the path."""
    return error.strerror or str(error)


def _groups(place: Place) -> Callable[[], Iterator[_Group]]:
    """The groups of a place in order, as often as asked for; only their names are held."""
    names = sorted(place.names)
    names.sort(key=place.stem_of)

    def groups() -> Iterator[_Group]:
        for stem, members in groupby(names, place.stem_of):
            together = list(members)
            pictures = [name for name in together if is_picture(name)]
            yield _Group(stem, pictures, [name for name in together if may_hold_masks(name)])

    return groups


def _holds_masks(place: Place, groups: Callable[[], Iterator[_Group]]) -> bool:
    candidates = (group.json[0] for group in groups() if group.pictures and group.json)
    tried = (judged(partial(place.blob_of, name)) for name in islice(candidates, FILES_TRIED))
    return any(islice((answer for answer in tried if answer is not None), FILES_JUDGED))


def _item(place: Place, picture: str, masks: str | None = None) -> Item | Fault:
    """The picture under its own name, with masks under theirs."""
    name = picture
    try:
        blob = place.blob_of(picture)
        if masks is None:
            return Item(safe_key(f"{place.source}/{picture}"), printable(picture), blob)
        name = masks
        key = safe_key(f"{place.source}/{os.path.splitext(masks)[0]}")
        return Item(key, printable(picture), blob, place.blob_of(masks))
    except OSError as error:
        return fault(place.source, name, "read", reason(error))


def _pair(place: Place, group: _Group) -> Iterator[Item | Fault]:
    """One picture with one JSON; what can't be told to belong together is left out, with a word each."""
    pictures, masks = _plainest(group.pictures, group.stem), _plainest(group.json, group.stem)
    if len(pictures) == len(masks) == 1:
        yield _item(place, pictures[0], masks[0])
        return
    for name in pictures or masks:
        yield fault(place.source, name, "pair", _unpaired(group.stem, pictures, masks))


def _plainest(names: list[str], stem: str) -> list[str]:
    """Of one sample's files those that are nothing but stem and suffix: "7.jpg" rather than "7.seg.jpg"."""
    return [name for name in names if os.path.splitext(name)[0] == stem] or names


def _unpaired(stem: str, pictures: list[str], masks: list[str]) -> str:
    if not masks:
        return f"expected JSON with masks beside the picture; got none named {_base(stem)}{MASKS_SUFFIX}"
    if not pictures:
        return f"expected a picture beside the JSON; got none named {_base(stem)}.jpg or the like"
    several = ", ".join(map(_base, [*pictures, *masks]))
    return f"expected one picture and one JSON of one name; got {several}; rename or remove one"


def _base(name: str) -> str:
    return printable(name.rpartition("/")[2])
