"""From what was found to groups of work, the same in every run over the same inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ssa.dataset.ledger import DONE, Known, Ledger
from ssa.faults import Fault
from ssa.sources import Item

GROUP = 16
"""Pictures that share batches: enough to fill them with small pictures, few enough to lose to a crash."""


def plan(ledger: Ledger, found: Iterable[Item | Fault], is_written: Callable[[str], bool]) -> None:
    """Put on record what is to be done.

    A picture keeps the group it had. One that is done is left alone, unless ``is_written`` says that its
    file is gone: then it is done again. A picture whose file has another size than when it was annotated
    is a fault: what was said of it stays.
    """
    ledger.list_anew(_grouped(ledger, found, is_written))


def _grouped(
    ledger: Ledger, found: Iterable[Item | Fault], is_written: Callable[[str], bool]
) -> Iterator[tuple[int, Item] | Fault]:
    groups = _Groups(ledger.next_group)
    for one in found:
        if isinstance(one, Fault):
            yield one
            continue
        known = ledger.known(one.key)
        if known is not None and known.state == DONE:
            if not is_written(one.key):
                ledger.forget_result(one.key)
            elif (change := _change(known, one)) is not None:
                yield change
                continue
        yield groups.next_for(one), one


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


def _change(known: Known, item: Item) -> Fault | None:
    sizes = (item.picture.size, item.masks.size if item.masks else None)
    if known.sizes == sizes:
        return None
    return Fault(
        item.name,
        "input",
        f"expected the file that was annotated, {known.sizes[0]:,} bytes; got {sizes[0]:,} bytes or other "
        "masks; its annotations were left as they are: delete them to have it done again",
    )
