"""A bundle's own settings, as its entry in the manifest has them: what isn't as usual, by section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from ssa.config import Settings

Section = TypeVar("Section")

SECTIONS = ("labels", "batches", "clusters", "tree", "image", "phrases")
"""What a bundle may set, beside ``masks`` of each mask source."""

CALLERS_OWN = ("use",)
"""What callers ask for, each time anew: no bundle sets it."""


def bundle_settings(raw: Mapping[str, Any]) -> Settings:
    """The settings of one entry. Raises ``ValueError`` for a name that no section or setting has."""
    usual = Settings()
    unknown = set(raw) - {"masks", *SECTIONS}
    if unknown:
        raise ValueError(
            f"settings know {', '.join(('masks', *SECTIONS))}; got {', '.join(sorted(unknown))}"
        )
    sections = {
        name: _changed(name, getattr(usual, name), raw[name]) for name in SECTIONS if name in raw
    }
    masks = dict(usual.masks)
    for source, changes in raw.get("masks", {}).items():
        if source not in masks:
            raise ValueError(f"masks are of {', '.join(masks)}; got {source!r}")
        masks[source] = _changed(f"masks of {source}", masks[source], changes)
    return replace(usual, masks=masks, **sections)


def _changed(name: str, section: Section, changes: Mapping[str, Any]) -> Section:
    """The section with the changes, each a number or a truth value as the default is one."""
    names = [one.name for one in fields(section)]  # type: ignore[arg-type]
    known = {one: getattr(section, one) for one in names if one not in CALLERS_OWN}
    for key, value in changes.items():
        if key not in known:
            raise ValueError(f"{name} know {', '.join(known)}; got {key!r}")
        usual = known[key]
        fits = (
            isinstance(value, int | float)
            if isinstance(usual, float)
            else type(value) is type(usual)
        )
        if not fits or (isinstance(value, bool) and not isinstance(usual, bool)):
            raise ValueError(f"{name}: {key} is like {usual!r}; got {value!r}")
    return replace(section, **changes)  # type: ignore[type-var]
