"""What makes two runs the same: settings and weights. Results of different ones don't mix unasked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ssa.dataset.ledger import Ledger
from ssa.errors import InputError

_MOST_SHOWN = 5


class Identity:
    """Everything that an annotation depends on beside its picture, as plain values by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.text = json.dumps(_flat(values), sort_keys=True)

    @property
    def digest(self) -> str:
        """A short text that stands for all of it."""
        return digest_of(self.text)

    def check(self, ledger: Ledger) -> None:
        """Raise ``InputError`` where the ledger has results of another identity."""
        before = ledger.fact("identity")
        if before is not None and before != self.text:
            raise InputError(
                f"--out holds annotations made otherwise ({_difference(before, self.text)}); use another "
                "--out, the settings of before, or --mix to keep those and do the rest in the new way"
            )


def digest_of(text: str) -> str:
    """The ``digest`` of the identity with this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted names: differences are then told by name."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _difference(before: str, now: str) -> str:
    old, new = json.loads(before), json.loads(now)
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    shown = [f"{name} was {_short(old.get(name))}, is {_short(new.get(name))}" for name in names]
    more = [f"and {len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
    return "; ".join(shown[:_MOST_SHOWN] + more)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
