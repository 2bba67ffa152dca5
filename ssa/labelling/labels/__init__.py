"""The sets of labels, as data: ``coco.json`` and ``ade20k.json``, each a list in class id order, and others.

``coco`` holds the 133 panoptic classes of COCO with their everyday names ("tree", not "tree-merged"),
so a name can stand for two ids ("wall"); ``ade20k`` holds the 150 classes of ADE20K's scene parsing.
``lvis`` holds the names of LVIS's 1,203 categories (Gupta et al. 2019), without the senses in brackets
("bat" for "bat (animal)"), so that five fall together with others: names alone, no ids.

In: a set's name. Out: its labels, a tuple by class id. May be changed: a further set is a further file;
the order in a file is what models answer with, and stays.
"""

from __future__ import annotations

import json
from importlib.resources import files

LABEL_SETS = ("coco", "ade20k")
BANK_SETS = (*LABEL_SETS, "lvis")
"""Those of the label bank."""


def load_labels(name: str) -> tuple[str, ...]:
    """The labels of the set ``name``, so that ``labels[class_id]`` is a class's name.

    Raises ``ValueError`` for a name that is not in ``BANK_SETS``.
    """
    if name not in BANK_SETS:
        raise ValueError(f"the label set must be one of {', '.join(BANK_SETS)}; got {name!r}")
    return tuple(json.loads(files(__package__).joinpath(f"{name}.json").read_text("utf-8")))
