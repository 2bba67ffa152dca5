"""The legend: a row for each label with its colour, how often it occurs, and the numbers of its regions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ssa.drawing.colours import RGB
from ssa.drawing.names import Name, font, text_extent
from ssa.drawing.regions import Region
from ssa.types import RGBImage

PAPER = (250, 250, 248)
INK = (32, 32, 36)

MOST_ROWS = 120
MOST_LETTERS = 36
MOST_NUMBERS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One label: its colour, its text with the count, and the numbers that stand for it in the picture."""

    colour: RGB
    text: str


def with_legend(canvas: RGBImage, regions: list[Region], names: Mapping[int, Name]) -> RGBImage:
    """The picture (H, W, 3) with its legend beside or under it, whichever makes it less large."""
    rows = rows_of(regions, names)
    size_px = max(11, round(min(canvas.shape[:2]) / 42))
    step = round(1.7 * size_px)
    wide = max(text_extent(row.text, size_px)[0] for row in rows) + 3 * step
    height, width = canvas.shape[:2]
    beside = math.ceil(len(rows) / max(1, (height - step) // step)) * wide
    columns = max(1, width // wide)
    under = step * (math.ceil(len(rows) / columns) + 1)
    if beside * max(height, 3 * step) <= under * max(width, wide):
        high = max(height, 2 * step)
        sheet = Image.new("RGB", (width + beside, high), PAPER)
        corner, per_column = (width, 0), max(1, (high - step) // step)
    else:
        sheet = Image.new("RGB", (max(width, wide), height + under), PAPER)
        corner, per_column = (0, height), math.ceil(len(rows) / columns)
    sheet.paste(Image.fromarray(canvas), (0, 0))
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        column, line = divmod(number, per_column)
        left, top = corner[0] + column * wide + step // 2, corner[1] + line * step + step // 2
        draw.rectangle((left, top, left + step - 4, top + size_px), fill=row.colour)
        middle = (left + step + 4, top + size_px // 2)
        draw.text(middle, row.text, fill=INK, font=font(size_px), anchor="lm")
    return np.array(sheet)


def rows_of(regions: list[Region], names: Mapping[int, Name]) -> list[Row]:
    """The rows, the label of most pixels first, as its largest region is."""
    by_entry: dict[str, list[int]] = {}
    for position, region in enumerate(regions):
        by_entry.setdefault(region.entry, []).append(position)
    rows = [_row(entry, places, regions, names) for entry, places in by_entry.items()]
    if len(rows) <= MOST_ROWS:
        return rows
    return [*rows[: MOST_ROWS - 1], Row(PAPER, f"... and {len(rows) - MOST_ROWS + 1} more")]


def _row(entry: str, places: list[int], regions: list[Region], names: Mapping[int, Name]) -> Row:
    text = " ".join(entry.split())
    if len(text) > MOST_LETTERS:
        text = text[: MOST_LETTERS - 3] + "..."
    count = f" x {len(places)}" if len(places) > 1 else ""
    numbers = [str(one + 1) for one in places if one in names and names[one].is_number]
    more = ", ..." if len(numbers) > MOST_NUMBERS else ""
    told = f"  ({', '.join(numbers[:MOST_NUMBERS])}{more})" if numbers else ""
    return Row(regions[places[0]].colour, f"{text}{count}{told}")
