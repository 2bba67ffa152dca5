"""Scores the closed-set system: a segmentor's label maps, and the same with masks painted on them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from evaluation.datasets import DATASETS, IGNORED, ClassIds, Sample, check_classes
from evaluation.metrics import PixelScores, confusion_of
from evaluation.options import add_engine_options, load, write_figures
from ssa.cli.arguments import positive
from ssa.cli.bar import counted
from ssa.config import MaskSettings, check_mask_source
from ssa.errors import InputError, SSAError
from ssa.labelling.closed_set import vote_and_paint
from ssa.labelling.labels import load_labels
from ssa.loading import LoadedEngine
from ssa.models.shared.class_scores import best_class, label_map
from ssa.pictures.canvas import Canvas
from ssa.stages import MaskProposer, Segmentor
from ssa.types import LabelMap, RGBImage
from toyworld.scenes import Scene
from toyworld.unseen import scene_seed, scenes

DRAWN = "drawn"
ALONE, WITH_MASKS = "segmentor", "with masks"


class Coarse:
    """A segmentor whose class scores are averaged to a few cells before its label map is made.

    ``scores`` gives each class's scores on a grid over a picture, (C, h, w); ``cells`` lie along the
    picture's longer side, as nearly square as whole numbers allow.
    """

    def __init__(
        self, scores: Callable[[RGBImage], Tensor], labels: tuple[str, ...], cells: int
    ) -> None:
        self._scores, self._labels, self._cells = scores, labels, cells

    def segment(
        self, image: RGBImage | Canvas, *, coarse: bool = False, plain: bool = False
    ) -> LabelMap:
        """The best class of each pixel after enlarging the averaged scores bilinearly."""
        size_hw = image.shape[:2]
        rows, columns = (max(1, round(side * self._cells / max(size_hw))) for side in size_hw)
        scores = functional.adaptive_avg_pool2d(
            self._scores(Canvas.of(image).pixels), (rows, columns)
        )
        best = best_class(scores, size_hw)
        return label_map("coarse", self._labels, best, size_hw, in_bulk=False)


class Evaluation:
    """Labels pictures with and without masks and counts pixels."""

    def __init__(
        self, segmentor: Segmentor, proposer: MaskProposer, masks: MaskSettings, classes: int
    ) -> None:
        self._segmentor, self._proposer, self._masks = segmentor, proposer, masks
        self._classes = classes
        self.confusions = {
            way: np.zeros((classes, classes), np.int64) for way in (ALONE, WITH_MASKS)
        }
        self.masks: list[int] = []

    def see(self, image: RGBImage, truth: ClassIds) -> LabelMap:
        """Add one picture; gives its label map with masks. Raises what the models raise."""
        alone = self._segmentor.segment(image)
        proposals = self._proposer.propose(image, self._masks, lambda done, total: None).proposals
        painted, _ = vote_and_paint(alone, proposals)
        for way, found in ((ALONE, alone), (WITH_MASKS, painted)):
            self.confusions[way] += confusion_of(truth, found.class_ids, self._classes, IGNORED)
        self.masks.append(len(proposals))
        return painted

    def scores(self) -> dict[str, PixelScores]:
        """The scores of each way over all pictures so far."""
        return {way: PixelScores.of(confusion) for way, confusion in self.confusions.items()}

    def report(self) -> dict[str, float]:
        """The figures by their JSON keys; shares from 0 to 1."""
        figures: dict[str, float] = {"pictures": len(self.masks)}
        if self.masks:
            figures["masks.per_picture"] = float(np.mean(self.masks))
        for way, scores in self.scores().items():
            key = way.replace(" ", "_")
            figures[f"{key}.miou"] = scores.miou
            figures[f"{key}.aacc"] = scores.aacc
            figures[f"{key}.macc"] = scores.macc
        return figures


def evaluate(evaluation: Evaluation, samples: Iterator[Sample], total: int) -> int:
    """Add all samples; each that fails is told in a line. Gives the number of those."""
    failed = 0
    for sample in counted(samples, total, "pictures"):
        try:
            evaluation.see(*sample.read())
        except SSAError as error:
            failed += 1
            tqdm.write(f"{sample.name}: {error}", file=sys.stderr)
    return failed


def drawn_samples(count: int, seed: int) -> Iterator[Sample]:
    """Unseen scenes, their truth in ADE20K's classes."""
    for number, (scene, _) in enumerate(scenes(count, seed)):
        yield Sample(f"scene {number}", partial(_picture_and_truth, scene))


def _picture_and_truth(scene: Scene) -> tuple[RGBImage, ClassIds]:
    return scene.image, scene.ade20k


def find_samples(arguments: argparse.Namespace) -> tuple[Iterator[Sample], int, tuple[str, ...]]:
    """The samples, how many these are, and the names of their classes."""
    if arguments.dataset == DRAWN:
        count = arguments.limit or 200
        return drawn_samples(count, arguments.seed), count, load_labels("ade20k")
    for option in ("images", "truth"):
        folder: Path | None = getattr(arguments, option)
        if folder is None or not folder.is_dir():
            raise InputError(f"expected --{option} FOLDER for {arguments.dataset}; got {folder}")
    dataset = DATASETS[arguments.dataset]
    samples = dataset.find(arguments.images, arguments.truth)[: arguments.limit]
    if not samples:
        raise InputError(
            f"expected pictures of {arguments.dataset} in {arguments.images}; found none"
        )
    return iter(samples), len(samples), dataset.labels


def build(
    arguments: argparse.Namespace, loaded: LoadedEngine, labels: tuple[str, ...]
) -> Evaluation:
    """The evaluation that the options ask for."""
    stages, settings = loaded.stages, loaded.settings
    segmentor: Any = stages.closed_set[settings.segmentor]
    check_classes(classes_of(segmentor), labels)
    if arguments.coarse:
        segmentor = Coarse(segmentor.scores, labels, arguments.coarse)
    source = arguments.masks
    check_mask_source(source, stages.proposers, stages.remedies)
    return Evaluation(segmentor, stages.proposers[source], settings.masks[source], len(labels))


def classes_of(segmentor: Segmentor) -> tuple[str, ...]:
    """The names of a segmentor's classes, by asking it for a label map."""
    return segmentor.segment(np.zeros((64, 64, 3), np.uint8)).labels


def print_report(evaluation: Evaluation, labels: tuple[str, ...]) -> None:
    """Each class that occurs, then the figures."""
    scores = evaluation.scores()
    ious = [scores[way].ious for way in (ALONE, WITH_MASKS)]
    print(f"\n{'IoU of a class':24s} {ALONE:>10s} {WITH_MASKS:>10s}")
    for name, *pair in zip(labels, *ious, strict=True):
        if not np.isnan(pair).all():
            print(f"{name:24s} {pair[0]:10.3f} {pair[1]:10.3f}")
    print()
    for key, value in evaluation.report().items():
        print(f"{key:24s} {value:.4g}")


def add_command(commands: Any) -> None:
    """Add ``closed-set`` to the command line (argparse's subparsers)."""
    command = commands.add_parser(
        "closed-set", help="label maps of a closed set, with and without masks"
    )
    command.add_argument("--dataset", choices=(*DATASETS, DRAWN), required=True)
    command.add_argument("--images", type=Path, help="the folder of pictures")
    command.add_argument("--truth", type=Path, help="the folder of their truth")
    command.add_argument("--limit", type=positive, help="only the first so many; drawn: 200")
    command.add_argument("--seed", type=scene_seed, default=0, help="which scenes, for drawn")
    command.add_argument("--segmentor", type=Path, help="a folder; else the bundle's for ADE20K")
    command.add_argument("--masks", choices=("sam", "semantic-sam"), default="sam")
    command.add_argument(
        "--coarse",
        type=positive,
        metavar="CELLS",
        help="average class scores to so many cells a side",
    )
    add_engine_options(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate; 1 when some pictures failed."""
    samples, total, labels = find_samples(arguments)
    loaded = load(arguments)
    evaluation = build(arguments, loaded, labels)
    failed = evaluate(evaluation, samples, total)
    print_report(evaluation, labels)
    write_figures(arguments.json, evaluation.report() | {"failed": failed})
    if failed:
        print(f"\n{failed} of {total} pictures failed", file=sys.stderr)
    return 1 if failed else 0
