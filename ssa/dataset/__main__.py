"""``python -m ssa.dataset INPUT... --out DIR``: what ``scripts/annotate`` calls."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from tqdm.contrib.logging import logging_redirect_tqdm

from ssa.config import LabelMode
from ssa.dataset.bar import Bar
from ssa.dataset.export import EXPORTERS, SA1B, parse_formats
from ssa.dataset.output import opened
from ssa.dataset.protocols import Workers
from ssa.dataset.ray_cluster import Places
from ssa.dataset.ray_workers import RayWorkers
from ssa.dataset.recipe import LocalWorkers, Recipe
from ssa.dataset.run import Summary, Task, run
from ssa.errors import InputError, SSAError
from ssa.formats.categories import Categories
from ssa.inputs import MASK_INPUTS, settings_for
from ssa.sources import find_items
from ssa.vocabulary import UNKNOWN
from ssa.weights import DEFAULT_ROOT

INPUTS = (
    *("labels", "parts", "segmentor", "name_clusters", "top_k", "granularity"),
    *("cluster_eps", "cluster_min_samples", "vocabulary", "unknown_below"),
    *MASK_INPUTS,
)
"""What ``ssa.inputs.settings_for`` reads."""

STOPPED = 130
"""The exit code of a run that was interrupted, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """One run. The exit code is 0 if every file went well, 1 if some did not, 2 if the run could not be."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("ssa").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        summary = _run(options)
    except SSAError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on from here", file=sys.stderr)
        return STOPPED
    print(_told(summary, options.out))
    return 1 if summary.faults else 0


def _run(options: argparse.Namespace) -> Summary:
    formats = parse_formats(options.format)
    recipe = _recipe(options)
    first = Categories.load(options.categories) if options.categories else Categories()
    if recipe.settings.vocabulary is not None:
        first = first.extended(
            [*(one.label for one in recipe.settings.vocabulary.classes), UNKNOWN]
        )
    found = find_items(options.inputs, options.masks, options.out)
    task = Task(found, recipe.identity(options.masks), formats, first, options.mix)
    with opened(options.out) as output, logging_redirect_tqdm():
        return run(output, task, _workers(options, recipe), Bar())


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = Recipe.of(
        options.root,
        options.bundle,
        options.segmentor,
        device=options.device,
        dtype=options.dtype,
        detail=options.detail,
        lanes=options.lanes,
    )
    recipe = replace(recipe, settings=settings_for(recipe.settings, _inputs(options)))
    recipe.check()
    return recipe


def _inputs(options: argparse.Namespace) -> dict[str, Any]:
    """The options that the Cog model has as inputs, by the names that they have there."""
    semantic = options.masks == "semantic-sam"
    inputs: dict[str, Any] = dict.fromkeys(INPUTS)
    inputs |= {name: value for name, value in vars(options).items() if name in INPUTS}
    inputs["mask_source"] = "semantic-sam" if semantic else "sam"
    if options.vocabulary is not None:
        inputs["vocabulary"] = _read_text(options.vocabulary)
    inputs["segmentor"] = None  # the one that was given is in the recipe's settings
    return inputs


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected a text file in UTF-8; got {path.name}, which can't be read as one; save it anew"
        ) from error


def _workers(options: argparse.Namespace, recipe: Recipe) -> Workers:
    """Ray's where there are to be several; on a cluster a single one too."""
    if options.ray is None and options.workers in (None, 1):
        return LocalWorkers(recipe)
    places = Places(options.workers, options.cpus_per_worker, options.gpus_per_worker)
    if places.gpus == 0:
        recipe = replace(recipe, device=recipe.device or "cpu")
    return RayWorkers(recipe, options.ray, places)


def _told(summary: Summary, out: Path) -> str:
    lines = [
        f"{summary.done:,} of {summary.pictures:,} pictures annotated, {summary.new:,} of them now; "
        f"{summary.masks:,} masks; in {out}"
    ]
    if summary.faults:
        lines.append(f"{summary.faults:,} errors: see {out / 'errors.jsonl'}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="annotate",
        description="Annotate every picture of folders, SA-1B folders and tars, WebDataset shards and lists "
        "of files. A run that was stopped goes on when it is called again.",
    )
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for all results"
    )
    parser.add_argument(
        "--masks",
        choices=["given", "sam", "semantic-sam"],
        help="label the masks in SA-1B's JSON files, or find masks; left out, given ones where there are any",
    )
    parser.add_argument(
        "--format",
        default=SA1B,
        help=f"what to write, with commas between: {', '.join((SA1B, *EXPORTERS))}; {SA1B} is always written",
    )
    parser.add_argument(
        "--mix", action="store_true", help="go on though settings or weights changed"
    )
    parser.add_argument(
        "--categories",
        type=Path,
        metavar="FILE",
        help="categories.json of an earlier run: ids go on from it",
    )
    _add_engine(parser.add_argument_group("the models"))
    _add_workers(parser.add_argument_group("several processors, GPUs or machines, by Ray"))
    _add_labels(parser.add_argument_group("the labels"))
    _add_masks(parser.add_argument_group("masks that are found (left out, the bundle's own)"))
    return parser


def _add_engine(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--bundle", help="the weights: base, light or tiny; left out, the best there is"
    )
    group.add_argument(
        "--root", type=Path, default=DEFAULT_ROOT, help="folder that holds the bundles"
    )
    group.add_argument("--device", help="cpu, cuda, cuda:1; left out, CUDA where there is one")
    group.add_argument("--dtype", choices=["float32", "bfloat16", "float16"])
    group.add_argument(
        "--lanes",
        type=_positive,
        help="groups of pictures in work at once; left out, by the device",
    )


def _add_workers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        help="processes with an engine each: 1 here, on a cluster as many as it has room for",
    )
    group.add_argument(
        "--ray", metavar="ADDRESS", help="a cluster: HOST:PORT of its head, or auto (docs/scale.md)"
    )
    group.add_argument(
        "--cpus-per-worker", type=_positive, metavar="N", help="left out, its share of them"
    )
    group.add_argument(
        "--gpus-per-worker",
        type=_share,
        metavar="N",
        help="0.5 is two workers a GPU, 0 none; left out, 1 where there are GPUs",
    )


def _add_labels(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--labels", choices=get_args(LabelMode), default="open-vocabulary")
    group.add_argument(
        "--parts", action=argparse.BooleanOptionalAction, help="a tree of wholes and parts"
    )
    group.add_argument(
        "--segmentor", type=Path, metavar="FOLDER", help="closed-set: any of transformers"
    )
    group.add_argument("--name-clusters", action="store_true")
    group.add_argument("--cluster-eps", type=float)
    group.add_argument("--cluster-min-samples", type=_positive)
    group.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE",
        help="your own classes: one a line, `label: synonym, ...`",
    )
    group.add_argument(
        "--unknown-below",
        type=float,
        help="vocabulary: least share of CLIP's softmax, else unknown",
    )
    group.add_argument("--top-k", type=_positive, default=3, help="proposals a mask")
    group.add_argument(
        "--detail", action="store_true", help="what every stage said, with each mask"
    )


def _add_masks(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--granularity", help="semantic-sam: all, or levels such as 1,3,5")
    for name in MASK_INPUTS:
        kind = float if name.endswith("thresh") else int
        group.add_argument(f"--{name.replace('_', '-')}", type=kind)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more; got {number}")
    return number


def _share(text: str) -> float:
    number = float(text)
    if number < 0 or not (number <= 1 or number.is_integer()):
        raise argparse.ArgumentTypeError(f"expected 0 to 1, or a whole number; got {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
