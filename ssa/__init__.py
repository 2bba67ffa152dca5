"""Semantic Segment Anything: a name for every region of a picture.

Importing this package loads no model library: start from ``ssa.loading`` (weights to engine) or
``ssa.engine`` (the steps themselves).
"""

__version__ = "0.1.0"
