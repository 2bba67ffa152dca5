"""Values worked out once per label and kept: what a text encoder says of "dog" never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

V = TypeVar("V")


class LabelCache(Generic[V]):
    """A bounded map from label to value; when full, the label unused for longest goes first.

    ``compute`` takes a list of distinct labels and returns one value each, in order; it is called at
    most once per ``get``. Not safe for several threads at once.
    """

    def __init__(self, compute: Callable[[list[str]], Sequence[V]], capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1; got {capacity}")
        self._compute = compute
        self._capacity = capacity
        self._values: OrderedDict[str, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, labels: Sequence[str]) -> list[V]:
        """The values of ``labels`` in order; only labels not yet known are computed."""
        distinct = dict.fromkeys(labels)
        known = {label: self._values[label] for label in distinct if label in self._values}
        new = [label for label in distinct if label not in known]
        if new:
            known.update(zip(new, self._compute(new), strict=True))
        self._remember(distinct, known)
        return [known[label] for label in labels]

    def _remember(self, labels: dict[str, None], values: dict[str, V]) -> None:
        for label in labels:
            self._values[label] = values[label]
            self._values.move_to_end(label)
        while len(self._values) > self._capacity:
            self._values.popitem(last=False)
