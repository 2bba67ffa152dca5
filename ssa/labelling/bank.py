"""The label bank: everyday names of things, stuff and parts, which a dense ranker holds beside regions."""

from __future__ import annotations

from functools import cache

from ssa.errors import InputError
from ssa.labelling.candidates import tidy_labels
from ssa.labelling.labels import BANK_SETS, load_labels
from ssa.labelling.parts import listed_parts
from ssa.stages import DenseRanker


@cache
def label_bank() -> tuple[str, ...]:
    """Some 1,500 labels, each once: COCO's, ADE20K's and LVIS's, then the parts of everyday wholes."""
    known = (label for name in BANK_SETS for label in load_labels(name))
    return tidy_labels((*known, *listed_parts()))


def check_bank(most: int, ranker: DenseRanker | None) -> None:
    """Raise ``InputError`` where labels of the bank are asked for and nobody can compare them."""
    if most and ranker is None:
        raise InputError(
            f"bank_top_k must be 0 without a dense ranker; got {most}; leave it out, "
            "or use a bundle that has one as its clip or clipseg, such as a TIPSv2"
        )
