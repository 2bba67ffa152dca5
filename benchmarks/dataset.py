"""A dataset of drawn scenes, annotated: one worker beside ``predict`` called once a picture.

    PYTHONPATH=.:scripts .venv/bin/python -m benchmarks.dataset [--scenes N] [--rounds N]

All in one process, by turns, the miniature's weights loaded before. Both sides read picture files and write
their results to files: ``predict`` a painted picture and the records, the worker records and a ledger.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from cog import Path as CogPath  # type: ignore[import-untyped]

import predict
from benchmarks.report import machine, versions
from evaluation.sa1b_layout import Layout, write_scenes
from ssa import sa1b_files
from ssa.dataset.output import opened
from ssa.dataset.protocols import Watch, Workers
from ssa.dataset.recipe import Recipe
from ssa.dataset.run import Task, run
from ssa.dataset.workers import Loaded, load
from ssa.loading import load_engine
from ssa.sources import Item, find_items
from ssa.weights import DEFAULT_ROOT

SEED = 5


class Silent:
    """A ``Watch`` that doesn't."""

    def listed(self, pictures: int, done: int) -> None:
        """Say nothing."""

    def group(self, pictures: int, masks: int, faults: object) -> None:
        """Say nothing."""

    def exporting(self, name: str) -> None:
        """Say nothing."""

    def ended(self) -> None:
        """Say nothing."""


def main() -> None:
    """Print pictures a second of both ways, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    recipe = Recipe.of(DEFAULT_ROOT, "tiny")
    worker = recipe.worker()
    print(f"{machine(torch.device('cpu'))}; {versions()}; {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory(prefix="ssa-benchmark-") as name:
        folder = Path(name)
        write_scenes(folder / "plain", options.scenes, SEED, Layout(masks=False))
        write_scenes(folder / "given", options.scenes, SEED, Layout())
        for what, alone in (("plain", _predicting()), ("given", _labelling(recipe))):
            items = _items(folder / what)
            _compare(what, items, alone, _annotating(recipe, worker), options.rounds)


def _compare(
    what: str,
    items: list[Item],
    alone: Callable[[list[Item]], None],
    together: Callable[[list[Item]], None],
    rounds: int,
) -> None:
    for way in (alone, together):
        way(items[:16])
    pairs = [(_rate(alone, items), _rate(together, items)) for _ in range(rounds)]
    singly, jointly = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    print(
        f"{what}: {singly:.2f} pictures/s one by one, {jointly:.2f} by a worker: "
        f"{jointly / singly:.2f} (rounds: {[f'{b / a:.2f}' for a, b in pairs]})"
    )


def _rate(way: Callable[[list[Item]], None], items: list[Item]) -> float:
    began = time.perf_counter()
    way(items)
    return len(items) / (time.perf_counter() - began)


def _items(folder: Path) -> list[Item]:
    found = find_items([folder], None, folder / "out")
    return [one for one in found if isinstance(one, Item)]


def _annotating(recipe: Recipe, worker: Workers) -> Callable[[list[Item]], None]:
    watch: Watch = Silent()

    def annotate(items: list[Item]) -> None:
        with tempfile.TemporaryDirectory() as out, opened(Path(out) / "out") as output:
            run(output, Task(items, recipe.identity(None)), worker, watch)

    return annotate


def _predicting() -> Callable[[list[Item]], None]:
    """``predict`` as Cog calls it, with every input left out but the picture."""
    os.environ["SSA_BUNDLE"] = "tiny"
    predictor = predict.Predictor()
    predictor.setup()
    logging.getLogger("ssa").setLevel(logging.WARNING)  # setup turns progress lines on
    predictor.record_metric = lambda *_: None
    inputs: dict[str, Any] = dict(predict.INPUTS)

    def predict_all(items: list[Item]) -> None:
        for item in items:
            predictor.predict(**inputs | {"image": CogPath(item.picture.path)})

    return predict_all


def _labelling(recipe: Recipe) -> Callable[[list[Item]], None]:
    """Given masks named picture by picture, for ``predict`` takes none."""
    engine = load_engine(DEFAULT_ROOT, "tiny").engine

    def label_all(items: list[Item]) -> None:
        with tempfile.TemporaryDirectory() as out:
            for item in items:
                loaded = load(item, recipe.settings)
                assert isinstance(loaded, Loaded), json.dumps(loaded.fault.message)
                (annotated,) = engine.annotate_all([loaded.picture], recipe.settings)
                data = sa1b_files.dumps(annotated, item.key, item.file_name, loaded.given)
                (Path(out) / f"{item.picture.path.stem}.json").write_bytes(data)

    return label_all


if __name__ == "__main__":
    main()
