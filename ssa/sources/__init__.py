"""Where pictures come from: folders, SA-1B folders and tars, WebDataset shards, lists of files."""

from ssa.sources.find import find_items
from ssa.sources.item import Blob, Item
from ssa.sources.names import safe_key
from ssa.sources.pairing import MaskSource

__all__ = ["Blob", "Item", "MaskSource", "find_items", "safe_key"]
