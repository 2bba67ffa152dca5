"""A sheet's first rows are the same memory, keys and values too."""

from __future__ import annotations

import torch

from ssa.models.blip.sheet import Notes, Sheet

HEADS, WORDS, PATCHES, DEPTH = 2, 5, 3, 4


def blank(rows: int) -> Sheet:
    return Sheet(
        [Notes.on(torch.zeros(2, rows, HEADS, WORDS, DEPTH))],
        [Notes.on(torch.zeros(2, rows, HEADS, PATCHES, DEPTH))],
        torch.zeros(rows, WORDS, dtype=torch.int64),
        torch.zeros(rows, 1, dtype=torch.int64),
        torch.zeros(rows, 1, dtype=torch.bool),
        torch.zeros(1, dtype=torch.int64),
    )


def test_keys_and_values_are_the_notes_own_memory() -> None:
    notes = Notes.on(torch.zeros(2, 3, HEADS, WORDS, DEPTH))
    notes.both[0], notes.both[1] = 1, 2
    assert bool((notes.keys == 1).all())
    assert bool((notes.values == 2).all())


def test_what_is_written_on_the_first_rows_is_on_the_sheet() -> None:
    sheet = blank(4)
    part = sheet.first(3)
    assert (len(sheet), len(part)) == (4, 3)
    part.written[0].both[1].fill_(1)
    part.seen[0].keys.fill_(2)
    for own in (part.words, part.last, part.ended, part.step):
        own.fill_(1)
    assert sheet.written[0].values[:, 0, 0, 0].tolist() == [1, 1, 1, 0]
    assert sheet.seen[0].both[0, :, 0, 0, 0].tolist() == [2, 2, 2, 0]
    assert sheet.words[:, 0].tolist() == [1, 1, 1, 0]
    assert sheet.last.flatten().tolist() == [1, 1, 1, 0]
    assert sheet.ended.flatten().tolist() == [True, True, True, False]
    assert sheet.step.tolist() == [1]
