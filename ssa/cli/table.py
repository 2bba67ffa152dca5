"""The table of what was found in a picture, one line a mask, made of the records of its JSON."""

from __future__ import annotations

from typing import Any

from ssa.labelling.vocabulary import UNKNOWN

ROWS = 40

Record = dict[str, Any]


def table(records: list[Record], unknown_below: float | None = None) -> list[str]:
    """Label, share of the picture, mask quality, and the proposals; the largest masks first.

    Where masks are wholes and parts, parts stand below their whole, set in. ``unknown_below`` is the limit of
    a vocabulary: then each proposal shows its score, where the records say it.
    """
    if not records:
        return ["no masks found"]
    rows = in_order(records)
    width = max(5, *(len(label_of(record)) for record in rows))
    lines = [f"{'label':<{width}}  {'area':>6}  {'quality':>7}  proposals"]
    lines += [_row(record, width, unknown_below) for record in rows[:ROWS]]
    hidden = len(records) - ROWS
    rest = "more" if "level" in records[0] else "smaller ones"
    return [*lines, f"... and {hidden} {rest}"] if hidden > 0 else lines


def in_order(records: list[Record]) -> list[Record]:
    """The records, the largest first, each followed by its parts in the same order."""
    parts: dict[int | None, list[Record]] = {}
    for record in sorted(records, key=lambda record: -record["area"]):
        parts.setdefault(record.get("parent_id"), []).append(record)
    waiting = parts.get(None, [])[::-1]
    found = []
    while waiting:
        record = waiting.pop()
        found.append(record)
        waiting += parts.get(record.get("id", -1), [])[::-1]
    return found


def label_of(record: Record) -> str:
    """The label, set in by its level; a dash where no label was asked for."""
    return "  " * int(record.get("level", 0)) + str(record.get("class_name", "-"))


def _row(record: Record, width: int, unknown_below: float | None) -> str:
    """One mask's line; ``quality`` is the model's own estimate of the mask's IoU."""
    height, breadth = record["segmentation"]["size"]
    share = record["area"] / (height * breadth)
    line = (
        f"{label_of(record):<{width}}  {share:>6.1%}  {record['predicted_iou']:>7.2f}  "
        f"{_proposals(record, unknown_below)}"
    )
    return line.rstrip()


def _proposals(record: Record, unknown_below: float | None) -> str:
    scores = {one["label"]: one["score"] for one in record.get("detail", {}).get("clip", [])}
    if unknown_below is None or not scores:
        return ", ".join(record.get("class_proposals", []))
    shown = ", ".join(
        f"{label} {scores[label]:.3f}" if label in scores else label
        for label in record["class_proposals"]
    )
    if record.get("class_name") != UNKNOWN:
        return shown
    # The classes' shares together are held against the limit; of a long vocabulary the best are told.
    return f"{shown} (all classes {sum(scores.values()):.3f}, needed {unknown_below:g})"
