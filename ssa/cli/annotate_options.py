"""The options of ``ssa annotate``, in groups."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from ssa.cli.arguments import positive
from ssa.cli.engine_options import add_engine_options
from ssa.cli.format_options import add_format_options
from ssa.cli.given import add_input_options
from ssa.config import MASK_SOURCES

CLUSTERS = ("cluster_eps", "cluster_min_samples")
NAMES = ("unknown_below", "top_k", "bank_top_k", "rules")
MASKS = (
    *("points_per_side", "pred_iou_thresh", "stability_score_thresh"),
    *("crop_n_layers", "min_mask_region_area"),
    *("mask_nms_thresh", "max_masks"),
)
WORDS = {
    "labels": "what the labels are",
    "phrases": "names asked as phrases: verified, completed, or both",
    "parts": "a tree of wholes and parts",
    "name_clusters": "clusters: name each by a few of its members",
    "cluster_eps": "cosine distance up to which masks are alike",
    "cluster_min_samples": "how many alike masks begin a cluster",
    "unknown_below": "vocabulary: least share of CLIP's softmax, else unknown",
    "top_k": "proposals that the last step chooses from",
    "bank_top_k": "names of a bank that are candidates too, by a dense ranker",
    "rules": "names by our rules, or by those of the engine of 2023",
    "detail": "what every stage said, with each mask",
    "points_per_side": "prompt points along each side",
    "pred_iou_thresh": "least quality of a mask, by the model's own estimate",
    "stability_score_thresh": "least stability of a mask",
    "crop_n_layers": "layers of crops beside the whole picture",
    "min_mask_region_area": "fill holes and drop islands of fewer pixels",
    "mask_nms_thresh": "of masks whose IoU is more keep the best",
    "max_masks": "keep so many, the best",
    "granularity": "semantic-sam: all, or levels such as 1,3,5",
}
"""Each input in a few words; the ranges stand beside them by themselves."""


def add_options(options: argparse.ArgumentParser) -> None:
    """All options, in groups; what is left out is None, False or the default that the help names."""
    options.add_argument("inputs", nargs="+", type=Path, metavar="INPUT")
    options.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for all results"
    )
    options.add_argument(
        "--masks",
        type=_masks,
        metavar="{given,sam,semantic-sam,FILE.json}",
        help="label the masks in SA-1B's JSON files or in a COCO file, or find masks; left out, given ones "
        "where there are any",
    )
    add_format_options(options)
    options.add_argument(
        "--mix", action="store_true", help="go on though settings or weights changed"
    )
    options.add_argument(
        "--moved", action="store_true", help="inputs lie in other places than in earlier runs"
    )
    _add_engine(options.add_argument_group("the models"))
    _add_workers(options.add_argument_group("several processors, GPUs or machines, by Ray"))
    _add_labels(options.add_argument_group("the labels"))
    _add_masks(options.add_argument_group("masks that are found (left out, the bundle's own)"))


def _add_engine(group: argparse._ArgumentGroup) -> None:
    add_engine_options(group)
    group.add_argument(
        "--lanes",
        type=positive,
        help="groups of pictures in work at once; left out, by the device",
    )


def _add_workers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes with an engine each: 1 here, on a cluster as many as it has room for",
    )
    group.add_argument(
        "--ray", metavar="ADDRESS", help="a cluster: HOST:PORT of its head, or auto (docs/scale.md)"
    )
    group.add_argument(
        "--cpus-per-worker", type=positive, metavar="N", help="left out, its share of them"
    )
    group.add_argument(
        "--gpus-per-worker",
        type=_share,
        metavar="N",
        help="0.5 is two workers a GPU, 0 none; left out, 1 where there are GPUs",
    )


def _add_labels(group: argparse._ArgumentGroup) -> None:
    add_input_options(group, ("labels", "phrases", "parts", "name_clusters", *CLUSTERS), WORDS)
    group.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE",
        help="your own classes: one a line, `label: synonym, ...`",
    )
    add_input_options(group, (*NAMES, "detail"), WORDS)
    group.add_argument(
        "--looks",
        action="store_true",
        help="--detail, and what each region looks like: for `ssa review` to find others that look alike",
    )
    group.add_argument(
        "--confidence",
        type=Path,
        metavar="FILE",
        help="how likely names are right, as `ssa calibrate` fitted it for these weights",
    )


def _add_masks(group: argparse._ArgumentGroup) -> None:
    add_input_options(group, ("granularity", *MASKS), WORDS)
    group.add_argument(
        "--no-overlaps",
        dest="overlaps",
        action="store_const",
        const=False,
        help="each pixel in one mask, the smallest on it; after all have been named",
    )


def _masks(text: str) -> str | Path:
    """Where masks come from: a word, or the path of a COCO file."""
    if text in ("given", *MASK_SOURCES):
        return text
    if not text.lower().endswith(".json"):
        raise argparse.ArgumentTypeError(
            f"expected given, {', '.join(MASK_SOURCES)} or a COCO file (.json); got {text!r}"
        )
    return Path(text)


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf or not (number <= 1 or number.is_integer()):
        raise argparse.ArgumentTypeError(f"expected 0 to 1, or a whole number; got {text}")
    return number
