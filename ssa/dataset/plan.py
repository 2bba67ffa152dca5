"""From what was found to groups of work, the same in every run over the same inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from ssa.dataset.ledger import DONE, Known, Ledger
from ssa.errors import Fault, InputError
from ssa.sources import Item

GROUP = 16
"""Pictures that share batches: enough to fill them with small pictures, few enough to lose to a crash."""

_LEFT = "its annotations were left as they are: delete them to have it done again"


def plan(
    ledger: Ledger,
    found: Iterable[Item | Fault],
    is_written: Callable[[str], bool],
    moved: bool = False,
) -> None:
    """Put on record what is to be done.

    A picture keeps the group it had. One that is done is left alone, unless ``is_written`` says that its
    file is gone: then it is done again. A picture whose file has another size than when it was annotated,
    or that now comes with masks and did not, is a fault: what was said of it stays. Raises ``InputError``
    for one that lies elsewhere, unless all have ``moved``: it may be another picture of the same name.
    """
    ledger.list_anew(_grouped(ledger, found, is_written, moved))


def _grouped(
    ledger: Ledger,
    found: Iterable[Item | Fault],
    is_written: Callable[[str], bool],
    moved: bool,
) -> Iterator[tuple[int, Item] | Fault]:
    groups = _Groups(ledger.next_group)
    for one in found:
        if isinstance(one, Fault):
            yield one
            continue
        known = _done(ledger, one.key, is_written)
        if known is not None and not moved:
            _check_place(known, one)
        fault = _change(known, one)
        if fault is None and _done(ledger, _other_key(one), is_written) is not None:
            fault = _other_kind(one)
        yield fault or (groups.next_for(one), one)


def _done(ledger: Ledger, key: str, is_written: Callable[[str], bool]) -> Known | None:
    """What is known of a picture that is done; one whose file is gone is so no longer."""
    known = ledger.known(key)
    if known is None or known.state != DONE:
        return None
    if is_written(key):
        return known
    ledger.forget_result(key)
    return None


class _Groups:
    """Numbers of groups: sixteen pictures of one source each, fewer at its end."""

    def __init__(self, first: int) -> None:
        self._number, self._count, self._source = first - 1, GROUP, ""

    def next_for(self, item: Item) -> int:
        source = item.key.rpartition("/")[0].partition("/")[0]  # none for single pictures
        if self._count == GROUP or source != self._source:
            self._number, self._count, self._source = self._number + 1, 0, source
        self._count += 1
        return self._number


def _check_place(known: Known, item: Item) -> None:
    path = item.picture.path
    if path != known.path:
        raise InputError(
            f"{item.name} was annotated from {known.path}, and now is {path}; if the pictures were moved, "
            "say --moved; if these are others, give their folder another name or use another --out"
        )


def _change(known: Known | None, item: Item) -> Fault | None:
    """What is wrong with a picture that is done and whose file isn't the one it was."""
    sizes = (item.picture.size, item.masks.size if item.masks else None)
    if known is None or known.sizes == sizes:
        return None
    return Fault(
        item.name,
        "input",
        f"expected the file that was annotated, {known.sizes[0]:,} bytes; got {sizes[0]:,} bytes or other "
        f"masks; {_LEFT}",
    )


def _other_key(item: Item) -> str:
    """What a picture is called with masks if it has none, and without if it has some."""
    ending = PurePosixPath(item.file_name).suffix
    return item.key + ending if item.masks is not None else item.key.removesuffix(ending)


def _other_kind(item: Item) -> Fault:
    now, then = ("with", "without") if item.masks is not None else ("without", "with")
    said = f"expected the picture {then} given masks, as it was annotated; got it {now}; {_LEFT}"
    return Fault(item.name, "input", said)
