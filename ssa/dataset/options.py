"""The command line of ``scripts/annotate``, as data: what may be asked for, and in which words."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from ssa.config import LabelMode
from ssa.dataset.export import EXPORTERS, SA1B
from ssa.weights import default_root


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be given, and its range; the same as the Cog model's input of this name."""

    name: str
    kind: type[int] | type[float]
    least: float
    most: float
    help: str | None = None
    default: int | None = None

    def parse(self, text: str) -> float:
        """The number in ``text``."""
        try:
            number = self.kind(text)
        except ValueError:
            number = math.nan
        if not self.least <= number <= self.most:
            noun = "a whole number" if self.kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"expected {noun} from {self.least} to {self.most}; got {text!r}"
            )
        return number


CLUSTERS = (
    Number("cluster-eps", float, 0.0001, 2, "cosine distance up to which masks are alike"),
    Number("cluster-min-samples", int, 1, 1000, "how many alike masks begin a cluster"),
)
NAMES = (
    Number("unknown-below", float, 0, 1, "vocabulary: least share of CLIP's softmax, else unknown"),
    Number("top-k", int, 1, 10, "proposals that the last step chooses from (3)", 3),
)
MASKS = (
    Number("points-per-side", int, 1, 128),
    Number("pred-iou-thresh", float, 0, 1),
    Number("stability-score-thresh", float, 0, 1),
    Number("crop-n-layers", int, 0, 3),
    Number("min-mask-region-area", int, 0, 100_000_000),
)


def parser() -> argparse.ArgumentParser:
    """All options, in groups; what is left out is None, False or the default that the help names."""
    options = argparse.ArgumentParser(
        prog="annotate",
        description="Annotate every picture of folders, SA-1B folders and tars, WebDataset shards and lists "
        "of files. A run that was stopped goes on when it is called again.",
    )
    options.add_argument("inputs", nargs="+", type=Path, metavar="INPUT")
    options.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for all results"
    )
    options.add_argument(
        "--masks",
        choices=["given", "sam", "semantic-sam"],
        help="label the masks in SA-1B's JSON files, or find masks; left out, given ones where there are any",
    )
    options.add_argument(
        "--format",
        default=SA1B,
        help=f"what to write, with commas between: {', '.join((SA1B, *EXPORTERS))}; {SA1B} is always written",
    )
    options.add_argument(
        "--mix", action="store_true", help="go on though settings or weights changed"
    )
    options.add_argument(
        "--categories",
        type=Path,
        metavar="FILE",
        help="categories.json of an earlier run: ids go on from it",
    )
    options.add_argument(
        "--moved", action="store_true", help="inputs lie in other places than in earlier runs"
    )
    options.add_argument(
        "--picture-prefix",
        default="",
        metavar="URL",
        help="label-studio: what comes before a picture's name where it is served",
    )
    _add_engine(options.add_argument_group("the models"))
    _add_workers(options.add_argument_group("several processors, GPUs or machines, by Ray"))
    _add_labels(options.add_argument_group("the labels"))
    _add_masks(options.add_argument_group("masks that are found (left out, the bundle's own)"))
    return options


def _add_engine(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--bundle", help="the weights: base, light or tiny; left out, the best there is"
    )
    group.add_argument(
        "--root", type=Path, default=default_root(), help="folder that holds the bundles"
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
        "--segmentor",
        type=Path,
        metavar="FOLDER",
        help="closed-set: coco, ade20k, or the folder of any segmentor that transformers loads",
    )
    group.add_argument("--name-clusters", action="store_true")
    _add_numbers(group, CLUSTERS)
    group.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE",
        help="your own classes: one a line, `label: synonym, ...`",
    )
    _add_numbers(group, NAMES)
    group.add_argument(
        "--detail", action="store_true", help="what every stage said, with each mask"
    )


def _add_masks(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--granularity", help="semantic-sam: all, or levels such as 1,3,5")
    _add_numbers(group, MASKS)


def _add_numbers(group: argparse._ArgumentGroup, numbers: tuple[Number, ...]) -> None:
    for one in numbers:
        group.add_argument(
            f"--{one.name}", type=one.parse, default=one.default, metavar="N", help=one.help
        )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more; got {text!r}")
    return int(text)


def _share(text: str) -> float:
    number = float(text)
    if number < 0 or not (number <= 1 or number.is_integer()):
        raise argparse.ArgumentTypeError(f"expected 0 to 1, or a whole number; got {text}")
    return number
