"""Where pictures come from: folders, SA-1B folders and tars, WebDataset shards, lists of files.

In: paths as a person names them. Out: ``Item``s (a key, and where the bytes of picture and masks are) and
faults, in groups that are read together. May be changed: what is found; a key once given stays a picture's
key.
"""

from ssa.sources.find import find_items
from ssa.sources.item import Blob, Item
from ssa.sources.names import safe_key
from ssa.sources.pairing import MaskOrigin

__all__ = ["Blob", "Item", "MaskOrigin", "find_items", "safe_key"]
