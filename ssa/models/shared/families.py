"""Which family a folder of weights is of, and a table of what loads each.

A stage asks for a capability and never for a name: a folder's own config says what it holds. Each capability
has its table in a file beside the adapters; a new family is a file there and a line in the table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar

from ssa.errors import WeightsError

Loader = TypeVar("Loader")


@dataclass(frozen=True, slots=True)
class Families(Generic[Loader]):
    """What loads a model of one capability, by the ``model_type`` of a folder's config.json.

    ``what`` is such a model in a word. ``usual`` is the family of a folder whose config names none, as that
    of published checkpoints: its adapter then says what is wrong with the folder, if anything is.
    ``others`` are families too many to be named, which ``others_are`` describes. ``told_by`` are files that
    tell a family whatever config.json says: some folders hold one model in two layouts.
    """

    what: str
    loaders: Mapping[str, Loader]
    usual: str
    others: Mapping[str, Loader] = field(default_factory=lambda: MappingProxyType({}))
    others_are: str = ""
    told_by: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def loader(self, folder: Path) -> Loader:
        """What loads the model in ``folder``. Raises ``WeightsError`` for a family without an adapter."""
        family = self.family(folder)
        for table in (self.loaders, self.others):
            if family in table:
                return table[family]
        known = ", ".join(self.loaders) + (f", or {self.others_are}" if self.others else "")
        raise WeightsError(
            f"{folder.name}: expected {self.what} of one of the families {known}; got {family!r}"
        )

    def family(self, folder: Path) -> str:
        """What the folder's config calls itself, or the usual one."""
        told = (family for name, family in self.told_by.items() if (folder / name).is_file())
        return next(told, None) or model_type(folder) or self.usual


def model_type(folder: Path) -> str | None:
    """What a folder's ``config.json`` calls its family; None where it names none, or can't be read.

    An adapter then says what is wrong with the folder.
    """
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    kind = config.get("model_type") if isinstance(config, dict) else None
    return kind if isinstance(kind, str) else None
