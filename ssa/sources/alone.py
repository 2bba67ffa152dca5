"""Pictures that are named one by one, as inputs and in lists."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from ssa.errors import Fault
from ssa.sources.item import Blob, Item
from ssa.sources.names import MASKS_SUFFIX, printable, safe_key
from ssa.sources.pairing import MaskOrigin, judged, reason


class PicturesAlone:
    """Makes items of single pictures; JSON beside one may hold its masks.

    Where ``masks`` leaves that open, the first JSON of each folder that can be read speaks for the rest.
    """

    def __init__(self, masks: MaskOrigin) -> None:
        self._masks = masks
        self._holds_masks: dict[Path, bool] = {}

    def item(self, path: Path, name: str, file_name: str) -> Item | Fault:
        """The picture at ``path``. Its key is made of ``name``, suffix and all, with masks or without."""
        key, file_name = safe_key(name), printable(file_name)
        try:
            picture = Blob.of_file(path)
        except OSError as error:
            return Fault(printable(name), "read", reason(error))
        beside = path.with_name(os.path.splitext(path.name)[0] + MASKS_SUFFIX)
        if not self._counts(beside):
            return Item(key, file_name, picture)
        try:
            return Item(key, file_name, picture, Blob.of_file(beside))
        except OSError as error:
            expected = f"expected masks beside it in {printable(beside.name)}; got: {reason(error)}"
            return Fault(printable(name), "pair", expected)

    def _counts(self, beside: Path) -> bool:
        """Whether masks are to come from this JSON."""
        if self._masks is not None:
            return self._masks == "given"
        if not os.path.isfile(beside):
            return False
        if (known := self._holds_masks.get(beside.parent)) is not None:
            return known
        if (answer := judged(partial(Blob.of_file, beside))) is None:
            return False
        return self._holds_masks.setdefault(beside.parent, answer)
