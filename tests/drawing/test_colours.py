"""Colours of labels: different in one picture, the same in every run."""

import itertools
import subprocess
import sys

import numpy as np

from ssa.drawing import colours
from ssa.drawing.colours import label_colours


def test_all_colours_can_be_told_apart() -> None:
    all_of_them = [colours._slot_colour(slot) for slot in range(colours._SLOTS)]
    pairs = itertools.combinations(all_of_them, 2)
    nearest = min(np.linalg.norm(np.subtract(one, other)) for one, other in pairs)
    assert nearest > 12


def test_labels_of_one_picture_have_different_colours() -> None:
    labels = [f"label {index}" for index in range(colours._SLOTS)]
    assert len(set(label_colours(labels).values())) == colours._SLOTS
    assert len(label_colours([*labels, "one more"])) == colours._SLOTS + 1


def test_a_colour_depends_neither_on_order_nor_on_the_run() -> None:
    labels = ["sky", "red car", "tree"]
    here = label_colours(labels)
    assert label_colours(reversed([*labels, *labels])) == here
    code = f"from ssa.drawing.colours import label_colours; print(label_colours({labels}))"
    other_run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert other_run.stdout.strip() == str(dict(sorted(here.items())))
