"""Colours of labels: one a label in every picture and every run, and apart from most others."""

import itertools
import subprocess
import sys

import numpy as np

from ssa.drawing.colours import SLOTS, are_alike, hexadecimal, label_colour, slot_colour


def test_all_colours_are_different() -> None:
    pairs = itertools.combinations([slot_colour(slot) for slot in range(SLOTS)], 2)
    nearest = min(np.linalg.norm(np.subtract(one, other)) for one, other in pairs)
    assert nearest > 10


def test_labels_spread_over_all_colours() -> None:
    labels = [f"label {index}" for index in range(SLOTS * 12)]
    assert {label_colour(label) for label in labels} == {slot_colour(slot) for slot in range(SLOTS)}


def test_a_colour_depends_on_the_label_alone() -> None:
    labels = ["sky", "red car", "tree", "虎", "\ud800"]
    here = [label_colour(label) for label in labels]
    code = (
        f"from ssa.drawing.colours import label_colour; print([label_colour(x) for x in {labels}])"
    )
    other_run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert other_run.stdout.strip() == str(here)


def test_alike_is_what_the_eye_takes_for_the_same() -> None:
    assert are_alike((200, 40, 40), (200, 40, 40))
    assert are_alike((200, 40, 40), (206, 46, 36))
    assert not are_alike((200, 40, 40), (40, 200, 40))
    assert not are_alike(slot_colour(0), slot_colour(3 * 5))  # a sixth of the hues apart
    every = [slot_colour(slot) for slot in range(SLOTS)]
    alike = [are_alike(one, other) for one, other in itertools.combinations(every, 2)]
    assert 0.02 < np.mean(alike) < 0.1


def test_hexadecimal_is_what_html_reads() -> None:
    assert hexadecimal((0, 10, 255)) == "#000aff"
