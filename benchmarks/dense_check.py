"""What names cost a picture and a mask: one look by a dense ranker beside a crop a mask, at published sizes.

``python -m benchmarks.dense_check [--device cuda --dtype bf16]``; random weights, drawn masks, labels known.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.dense_weights import write_tipsv2
from benchmarks.drawn_masks import draw_masks
from benchmarks.random_weights import Sizes, write_clipseg, write_open_clip
from benchmarks.real_sizes import CLIP_VIT_L_14, VIT_B_16
from ssa.config import LabelSettings
from ssa.device import Placement, choose_placement
from ssa.models.clip import OpenClipRanker
from ssa.models.clipseg import ClipSegChooser
from ssa.models.tipsv2 import load_tipsv2
from ssa.pictures.regions import Regions

TIPSV2_L_14_VISION: Sizes = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
TIPSV2_L_14_TEXT: Sizes = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16}

HEIGHT, WIDTH = 1024, 1536
LABELS = ("wheel", "window", "tree", "road", "sky")
CROPS_AT_ONCE = {"clip": 32, "clipseg": 8}


def measure(placement: Placement, counts: Sequence[int], repeats: int, chooser_masks: int) -> None:
    """Print a line for each thing measured."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    proposals = draw_masks(max(counts), HEIGHT, WIDTH)
    with tempfile.TemporaryDirectory() as folder:
        _dense(Path(folder) / "tipsv2", image, proposals, placement, counts, repeats)
        _crops(Path(folder), image, proposals, placement, counts, repeats, chooser_masks)


def _dense(folder, image, proposals, placement, counts, repeats):  # type: ignore[no-untyped-def]
    write_tipsv2(folder, TIPSV2_L_14_VISION, TIPSV2_L_14_TEXT)
    ranker = load_tipsv2(folder, placement)
    view = ranker.look(image)
    _say("TIPSv2 L/14, 448 px, a look", _seconds(lambda: ranker.look(image), repeats, placement))
    _say("  5 labels, once each", _seconds(lambda: ranker.rank(view, *_asked(proposals, 1)), 1, placement))
    for count in counts:
        asked = _asked(proposals, count)
        ranking = _seconds(lambda: ranker.rank(view, *asked), 3 * repeats, placement)
        choosing = _seconds(lambda: ranker.choose(view, *asked), 3 * repeats, placement)
        _say(f"  ranking {count} masks", ranking, count)
        _say(f"  deciding {count} masks by pixels", choosing, count)


def _crops(folder, image, proposals, placement, counts, repeats, chooser_masks):  # type: ignore[no-untyped-def]
    write_open_clip(folder / "clip", CLIP_VIT_L_14)
    ranker, settings = OpenClipRanker.load(folder / "clip", placement), LabelSettings()
    regions = Regions(image, proposals)

    def rank(count: int) -> None:
        for first in range(0, count, CROPS_AT_ONCE["clip"]):
            some = range(first, min(count, first + CROPS_AT_ONCE["clip"]))
            ranker.rank(regions.crops(some, settings.ranker_crop_scale), [LABELS] * len(some))

    rank(1)
    for count in counts:
        _say(f"CLIP L/14, ranking {count} crops", _seconds(lambda: rank(count), repeats, placement), count)
    write_clipseg(folder / "clipseg", {"reduce_dim": 64, "vision_config": VIT_B_16}, refined=True)
    chooser = ClipSegChooser.load(folder / "clipseg", placement, settings.chooser_side_px)

    def choose(count: int) -> None:
        for first in range(0, count, CROPS_AT_ONCE["clipseg"]):
            some = range(first, min(count, first + CROPS_AT_ONCE["clipseg"]))
            scale = settings.chooser_crop_scale
            asked = [LABELS[: settings.top_k]] * len(some)
            chooser.choose(regions.crops(some, scale), regions.masks(some, scale), asked)

    choose(1)
    taken = _seconds(lambda: choose(chooser_masks), repeats, placement)
    _say(f"CLIPSeg, deciding {chooser_masks} crops", taken, chooser_masks)


def _asked(proposals, count):  # type: ignore[no-untyped-def]
    return [one.rle for one in proposals[:count]], [LABELS] * count


def _seconds(work: Callable[[], object], repeats: int, placement: Placement) -> float:
    """The median."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        if placement.device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _say(what: str, seconds: float, count: int = 1) -> None:
    each = f"{seconds / count * 1e3:12.3f} ms each" if count > 1 else ""
    print(f"{what:40}{seconds:12.4f} s{each}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--masks", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--chooser-masks", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    measure(
        choose_placement(given.device, given.dtype), given.masks, given.repeats, given.chooser_masks
    )
