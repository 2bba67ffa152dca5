"""What a caller may ask for. In: values by name, from whatever door; out: settings for the engine.

A new input is one entry of ``table``, the same words in ``predict.py`` and, where it is a setting, a line
in ``settings``. Values are checked by the table alone (``values``), alike at every door.
"""

from ssa.inputs.settings import CLUSTER_INPUTS, MASK_INPUTS, parse_granularity, settings_for
from ssa.inputs.table import INPUTS, OPTIONS, InputField
from ssa.inputs.values import checked_inputs, unknown_names

__all__ = [
    "CLUSTER_INPUTS",
    "INPUTS",
    "MASK_INPUTS",
    "OPTIONS",
    "InputField",
    "checked_inputs",
    "parse_granularity",
    "settings_for",
    "unknown_names",
]
