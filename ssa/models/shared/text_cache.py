"""Values worked out once per label and kept: what a text encoder says of "dog" never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class LabelCache(Generic[V]):
    """A bounded map from label to value; when full, the label unused for longest goes first.

    ``compute`` gives one value each, in order, for a list of exactly ``batch`` labels that have the same
    ``length_of``, on which the shape of its input may depend; a shorter list is filled up with its last
    label. For the last bits of what a model says depend on the shape of its input, and so a value is a
    function of its label alone, not of what was asked before or beside it. Several threads may ask at
    once; one at a time computes.
    """

    def __init__(
        self,
        compute: Callable[[list[str]], Sequence[V]],
        capacity: int,
        batch: int,
        length_of: Callable[[str], int] = lambda label: 0,
    ) -> None:
        if capacity < 1 or batch < 1:
            raise ValueError(f"capacity and batch must be at least 1; got {capacity} and {batch}")
        self._compute = compute
        self._capacity = capacity
        self._batch = batch
        self._length_of = length_of
        self._values: OrderedDict[str, V] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, labels: Sequence[str]) -> list[V]:
        """The values of ``labels`` in order; only labels not yet known are computed."""
        distinct = dict.fromkeys(labels)
        with self._lock:
            known = {label: self._values[label] for label in distinct if label in self._values}
            known |= self._computed([label for label in distinct if label not in known])
            self._remember(distinct, known)
        return [known[label] for label in labels]

    def _computed(self, labels: list[str]) -> dict[str, V]:
        found: dict[str, V] = {}
        for batch in self._batches(labels):
            found |= zip(batch, self._compute(batch), strict=True)
        return found

    def _batches(self, labels: list[str]) -> Iterator[list[str]]:
        alike: dict[int, list[str]] = {}
        for label in labels:
            alike.setdefault(self._length_of(label), []).append(label)
        for group in alike.values():
            for start in range(0, len(group), self._batch):
                batch = group[start : start + self._batch]
                yield batch + batch[-1:] * (self._batch - len(batch))

    def _remember(self, labels: dict[str, None], values: dict[str, V]) -> None:
        for label in labels:
            self._values[label] = values[label]
            self._values.move_to_end(label)
        while len(self._values) > self._capacity:
            self._values.popitem(last=False)
