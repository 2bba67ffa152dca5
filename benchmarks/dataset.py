"""A dataset of drawn scenes, annotated: one worker beside ``predict`` once a picture, served and in process.

    PYTHONPATH=.:scripts .venv/bin/python -m benchmarks.dataset [--scenes N] [--rounds N]

By turns, the miniature's weights loaded before. All read picture files and write their results to files:
``predict`` a painted picture and the records, the worker records and a ledger. Where masks are given, which
``predict`` doesn't take, the worker stands beside the engine called once a picture.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

import predict
from benchmarks.report import machine, versions
from ssa.cli.cog_client import data_uri, successful_output, write_files
from ssa.cli.cog_server import Answer, CogServer
from ssa.dataset.engine_spec import EngineSpec
from ssa.dataset.output import opened
from ssa.dataset.protocols import Watch, Workers
from ssa.dataset.run import Task, run
from ssa.dataset.workers import Loaded, load
from ssa.formats import sa1b_files
from ssa.loading import load_engine
from ssa.sources import Item, find_items
from ssa.weights import SHIPPED_ROOT
from ssa.weights.places import MODEL_FOLDER as ROOT
from toyworld.sa1b_layout import Layout, write_scenes

SEED = 5
CONFLICT = 409

Way = Callable[[list[Item]], None]
"""Annotates pictures and leaves files."""


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
    """Print pictures a second of each way, and the worker's over theirs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    spec = EngineSpec.of(SHIPPED_ROOT, "tiny")
    worker = spec.worker()
    print(f"{machine(torch.device('cpu'))}; {versions()}; {torch.get_num_threads()} threads")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ssa-benchmark-")))
        server = stack.enter_context(CogServer(ROOT, {"SSA_BUNDLE": "tiny"}))
        server.wait_until_ready()
        together = _annotating(spec, worker)
        write_scenes(folder / "plain", options.scenes, SEED, Layout(masks=False))
        ways = {"served": _asking(server), "predict": _predicting(), "worker": together}
        _compare("masks found", _items(folder / "plain"), ways, options.rounds)
        write_scenes(folder / "given", options.scenes, SEED, Layout())
        ways = {"label": _labelling(spec), "worker": together}
        _compare("masks given", _items(folder / "given"), ways, options.rounds)


def _compare(what: str, items: list[Item], ways: dict[str, Way], rounds: int) -> None:
    """The last of the ways beside the others, by turns."""
    for way in ways.values():
        way(items[:16])
    rates = {name: list[float]() for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(_rate(way, items))
    last = list(rates)[-1]
    for name, own in rates.items():
        ratios = [b / a for a, b in zip(own, rates[last], strict=True)]
        print(
            f"{what}, {name}: {statistics.median(own):.2f} pictures/s; {last} over it: "
            f"{statistics.median(ratios):.2f} (rounds: {', '.join(f'{one:.2f}' for one in ratios)})"
        )


def _rate(way: Way, items: list[Item]) -> float:
    began = time.perf_counter()
    way(items)
    return len(items) / (time.perf_counter() - began)


def _items(folder: Path) -> list[Item]:
    found = find_items([folder], None, folder / "out")
    return [one for one in found if isinstance(one, Item)]


def _annotating(spec: EngineSpec, worker: Workers) -> Way:
    watch: Watch = Silent()

    def annotate(items: list[Item]) -> None:
        with tempfile.TemporaryDirectory() as out, opened(Path(out) / "out") as output:
            run(output, Task(items, spec.identity(None)), worker, watch)

    return annotate


def _predicting() -> Way:
    """``predict`` as Cog calls it, with every input left out but the picture."""
    os.environ["SSA_BUNDLE"] = "tiny"
    predictor = predict.Predictor()
    predictor.setup()
    logging.getLogger("ssa").setLevel(logging.WARNING)  # setup turns progress lines on
    predictor.record_metric = lambda *_: None

    def predict_all(items: list[Item]) -> None:
        for item in items:
            predictor.predict(image=item.picture.path)

    return predict_all


def _asking(server: CogServer) -> Way:
    """The model as it is served: a picture goes there and its results come back over HTTP, on loopback."""

    def ask_all(items: list[Item]) -> None:
        with tempfile.TemporaryDirectory() as out:
            for item in items:
                inputs = {"image": data_uri(item.picture.path)}
                # The server may say 409 for a moment after an answer, and clients try again.
                while (answer := _ask(server, inputs)).status == CONFLICT:
                    pass
                write_files(successful_output(answer.body), Path(out) / item.picture.path.stem)

    return ask_all


def _ask(server: CogServer, inputs: dict[str, Any]) -> Answer:
    return server.request("POST", "/predictions", {"input": inputs})


def _labelling(spec: EngineSpec) -> Way:
    """Given masks named picture by picture, for ``predict`` takes none."""
    engine = load_engine(SHIPPED_ROOT, "tiny").engine

    def label_all(items: list[Item]) -> None:
        with tempfile.TemporaryDirectory() as out:
            for item in items:
                loaded = load(item, spec.settings)
                assert isinstance(loaded, Loaded)
                (annotated,) = engine.annotate_all([loaded.picture], spec.settings)
                data = sa1b_files.dumps(annotated, item.key, item.file_name, loaded.given)
                (Path(out) / f"{item.picture.path.stem}.json").write_bytes(data)

    return label_all


if __name__ == "__main__":
    main()
