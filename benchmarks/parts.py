"""What each part costs at its published size: memory, and seconds and operations a picture and an item.

``python -m benchmarks.parts [NAME ...] --json FILE``; random weights. An item is a point that a mask model
answers, a crop that is captioned, or a mask whose labels are ranked or decided by pixels; labels are known
by then, for they are asked about again and again. Captions are as long as they may be. Figures are written
to FILE as they come, and a part that fails leaves the others theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.drawn_masks import draw_masks
from benchmarks.measure import PeakMemory, now, operations_counted
from benchmarks.part_sizes import LABELS, PARTS, Part
from ssa.cli.arguments import writable_file
from ssa.config import LabelSettings
from ssa.device import Placement, choose_placement
from ssa.labelling.labels import load_labels
from ssa.models.roles import load_captioner, load_proposer
from ssa.models.tables.choosers import CHOOSERS
from ssa.models.tables.rankers import RANKERS
from ssa.models.tables.segmentors import load_segmentor
from ssa.models.weight import weight_bytes
from ssa.pictures.regions import Regions
from ssa.stages import DenseRanker

HEIGHT, WIDTH = 1024, 1536

Figures = dict[str, float]
Work = Callable[[], object]


class Workload:
    """One drawn picture and its masks, and how each role works on them."""

    def __init__(self, placement: Placement, count: int, settings: LabelSettings) -> None:
        rng = np.random.default_rng(0)
        small = rng.integers(0, 255, (16, 24, 3), dtype=np.uint8)
        self.image = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        self.regions = Regions(self.image, draw_masks(count, HEIGHT, WIDTH))
        self.points = rng.uniform((0, 0), (WIDTH, HEIGHT), (count, 2))
        self.count, self._placement, self._settings = count, placement, settings

    def of(self, role: str, folder: Path) -> tuple[object, Work | None, Work | None]:
        """The model in a folder, its work on the picture, and that on the items; None where it has none."""
        model, asked = self._load(role, folder), [LABELS] * self.count
        every, settings = range(self.count), self._settings
        rles = [one.rle for one in self.regions.proposals]
        if role == "sam":
            seen = model.embed(self.image)
            return model, lambda: model.embed(self.image), lambda: model.decode(seen, self.points)
        if role.endswith("_segmentor"):
            return model, lambda: model.segment(self.image, coarse=True), None
        if isinstance(model, DenseRanker):
            view = model.look(self.image)
            return model, lambda: model.look(self.image), lambda: model.rank(view, rles, asked)
        if role == "captions":
            crops = self.regions.crops(every, settings.captioner_crop_scale)
            return model, None, lambda: model.caption(crops)
        if role == "clip":
            crops = self.regions.crops(every, settings.ranker_crop_scale)
            return model, None, lambda: model.rank(crops, asked)
        scale, best = settings.chooser_crop_scale, [LABELS[: settings.top_k]] * self.count
        crops, masks = self.regions.crops(every, scale), self.regions.masks(every, scale)
        return model, None, lambda: model.choose(crops, masks, best)

    def _load(self, role: str, folder: Path) -> Any:
        placement = self._placement
        if role == "sam":
            return load_proposer(folder, placement)
        if role.endswith("_segmentor"):
            source = role.removesuffix("_segmentor")
            return load_segmentor(folder, placement, source, load_labels(source))
        if role == "captions":
            return load_captioner(folder, placement, self._settings.caption_max_tokens)
        table: Any = RANKERS if role == "clip" else CHOOSERS
        return table.loader(folder)(folder, placement, self._settings)


def measure(part: Part, placement: Placement, count: int, repeats: int) -> Figures:
    """A part's figures: weights in MB, peak memory over them, seconds and 10⁹ operations."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / part.role
        folder.mkdir()
        part.write(folder)
        model, on_picture, on_items = Workload(placement, count, part.settings).of(
            part.role, folder
        )
        figures: Figures = {"weights_mb": weight_bytes([model]) / 1e6}
        for what, work, items in (("picture", on_picture, 1), ("item", on_items, count)):
            if work is not None:
                figures |= _figures(what, work, items, placement, repeats)
    return figures


def _figures(what: str, work: Work, items: int, placement: Placement, repeats: int) -> Figures:
    if what == "item":
        work()  # labels are read once, at first
    memory = PeakMemory(placement.device)
    memory.start()
    with operations_counted() as counter:
        work()
    peak = memory.read()
    seconds = []
    for _ in range(repeats):
        began = now(placement.device)
        work()
        seconds.append(now(placement.device) - began)
    return {
        f"{what}_peak_mb": peak / 1e6,
        f"{what}_seconds": statistics.median(seconds) / items,
        f"{what}_gflop": counter.get_total_flops() / items / 1e9,
    }


def main(argv: Sequence[str] | None = None, parts: Mapping[str, Part] = PARTS) -> int:
    """Measure the ``parts`` named, or all; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="benchmarks.parts", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"default: all of {', '.join(parts)}")
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    parser.add_argument("--items", type=int, default=8, help="points, crops or masks at once")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=writable_file, help="write the figures to this file")
    given = parser.parse_args(argv)
    if unknown := set(given.name) - set(parts):
        parser.error(f"expected names among {', '.join(parts)}; got {', '.join(sorted(unknown))}")
    placement = choose_placement(given.device, given.dtype)
    found: dict[str, Figures | str] = {}
    for name in given.name or parts:
        try:
            found[name] = measure(parts[name], placement, given.items, given.repeats)
        except Exception as error:  # the others are measured all the same
            found[name] = f"{type(error).__name__}: {error}"
        print(name, found[name], flush=True)
        if given.json:
            _write(given.json, {"machine": _machine(placement), "parts": found})
    return int(any(isinstance(one, str) for one in found.values()))


def _machine(placement: Placement) -> dict[str, Any]:
    return {"device": str(placement), "cpus": os.cpu_count()}


def _write(path: Path, what: object) -> None:
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(json.dumps(what, indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, path)


if __name__ == "__main__":
    raise SystemExit(main())
