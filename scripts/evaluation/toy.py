"""Scores a bundle, stage by stage and end to end, on drawn scenes that training never saw."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement import agreement_with_float32
from evaluation.metrics import (
    Tally,
    confusion_of,
    decoded,
    mean_iou,
    overlaps,
    print_mistakes_and_figures,
)
from evaluation.options import add_engine_options, load, write_figures
from evaluation.parts import MASK_ORIGINS, PartsEvaluation, print_parts
from ssa.cli.arguments import positive
from ssa.cli.bar import counted
from ssa.config import Settings
from ssa.engine import Engine
from ssa.labelling.choosing import Choosing, Work
from ssa.masks.proposal import proposal_of
from ssa.pictures.crops import crop
from ssa.pictures.regions import Regions
from ssa.progress import StageLog, keep_silent
from ssa.stages import Stages
from ssa.types import AnnotatedImage
from toyworld.kinds import KINDS
from toyworld.scenes import Scene
from toyworld.unseen import box, counts, right_names, scene_seed, scenes

FOUND_IOU = 0.7


class Evaluation:
    """Runs the engine and each of its models on scenes, and counts."""

    def __init__(self, stages: Stages, settings: Settings) -> None:
        self.stages, self.settings = stages, settings
        self.engine = Engine(stages)
        self.choosing = Choosing(stages.ranker, stages.chooser)
        self.tally = Tally()
        self.masks: list[int] = []
        self.kinds = tuple(KINDS)

    def see(self, scene: Scene, rng: np.random.Generator) -> AnnotatedImage:
        """Add one scene to the count; gives what the engine made of it."""
        annotated = self.engine.annotate(scene.image, self.settings)
        self.masks.append(len(annotated.annotations))
        self._masks_and_names(scene, annotated)
        for segmentor in self.stages.segmentors:
            label_map = segmentor.segment(scene.image)
            truth = scene.coco if label_map.source == "coco" else scene.ade20k
            self._count_pixels(label_map.source, truth, label_map.class_ids, label_map.labels)
        objects = [i for i, r in enumerate(scene.regions) if counts(r, "object")]
        if objects:
            self._captions(scene, objects)
            work = self._work(scene, objects)
            self._clip(scene, objects, work)
            self._clipseg(scene, objects, work, rng)
        return annotated

    def _masks_and_names(self, scene: Scene, annotated: AnnotatedImage) -> None:
        masks = decoded(annotated)
        for index, region in enumerate(scene.regions):
            if region.role == "stuff" or not counts(region, region.role):
                continue
            ious = overlaps(masks, region.mask)
            best = int(ious.argmax()) if len(ious) else 0
            found = bool(len(ious)) and bool(ious[best] >= FOUND_IOU)
            if region.role == "part":
                self.tally.add("part found", found)
                continue
            name = annotated.annotations[best].class_name if found else ""
            named = name in right_names(scene, index)
            self.tally.add("found", found)
            self.tally.add(f"found {region.kind}", found)
            self.tally.add("found and named", named)
            if found:
                self.tally.add("named", named)
                self.tally.add(f"named {region.kind}", named)
            if found and not named:
                self.tally.wrong[f"{region.kind} → {name}"] += 1

    def _count_pixels(
        self,
        source: str,
        truth: NDArray[np.uint8],
        predicted: NDArray[np.int16],
        labels: tuple[str, ...],
    ) -> None:
        n = len(labels)
        known = self.tally.confusion.setdefault(source, np.zeros((n, n), np.int64))
        known += confusion_of(truth, predicted, n)

    def _captions(self, scene: Scene, objects: list[int]) -> None:
        captioner, scale = self.stages.captioner, self.settings.labels.captioner_crop_scale
        if captioner is None:
            return
        crops = [crop(scene.image, box(scene.regions[i], scale)) for i in objects]
        for index, text in zip(objects, captioner.caption(crops), strict=True):
            names = (scene.regions[index].kind, *KINDS[scene.regions[index].kind].synonyms)
            self.tally.add("captioned", any(f" {name} " in f" {text} " for name in names))

    def _work(self, scene: Scene, objects: list[int]) -> Work:
        """The true masks of objects, for those stages that ask for regions."""
        regions = Regions(scene.image, [proposal_of(scene.regions[i].mask) for i in objects])
        return Work(regions, self.settings, StageLog(keep_silent))

    def _clip(self, scene: Scene, objects: list[int], work: Work) -> None:
        asked = [self.kinds] * len(objects)
        rankings = self.choosing.rank(range(len(objects)), asked, work)
        for index, ranking in zip(objects, rankings, strict=True):
            top = [scored.label for scored in ranking[:3]]
            self.tally.add("top 3", scene.regions[index].kind in top)
            self.tally.add("top 1", scene.regions[index].kind == top[0])

    def _clipseg(
        self, scene: Scene, objects: list[int], work: Work, rng: np.random.Generator
    ) -> None:
        """Each object's kind against two others: one that the scene holds too, and one at random."""
        if self.stages.chooser is None:
            return
        asked = [self._three(scene, i, rng) for i in objects]
        chosen = self.choosing.choose(range(len(objects)), asked, work)
        for index, shares in zip(objects, chosen, strict=True):
            self.tally.add("chosen", shares[0].label == scene.regions[index].kind)

    def _three(self, scene: Scene, index: int, rng: np.random.Generator) -> tuple[str, ...]:
        right = scene.regions[index].kind
        beside = [r.kind for r in scene.regions if r.kind != right and r.role != "part"]
        names = [right, str(rng.choice(beside))]
        names.append(str(rng.choice([k for k in self.kinds if k not in names])))
        return tuple(str(name) for name in rng.permutation(names))

    def report(self) -> dict[str, float]:
        """The figures by their JSON keys; shares from 0 to 1, ``masks.per_scene`` a count."""
        t = self.tally
        figures = {
            "masks.object_recall_70": t.rate("found"),
            "masks.part_recall_70": t.rate("part found"),
            "masks.per_scene": float(np.mean(self.masks)),
        }
        for source, confusion in t.confusion.items():
            figures[f"segmentors.{source}.miou"] = mean_iou(confusion)
        return figures | {
            "captions.names_object": t.rate("captioned"),
            "clip.top3_recall": t.rate("top 3"),
            "clip.top1": t.rate("top 1"),
            "clipseg.choice_accuracy": t.rate("chosen"),
            "engine.found": t.rate("found"),
            "engine.named_given_found": t.rate("named"),
            "engine.found_and_named": t.rate("found and named"),
        }


def print_report(evaluation: Evaluation, figures: dict[str, float]) -> None:
    """The synonyms that counted, the kinds one by one, the commonest mistakes, then the figures."""
    print("\nRight names beside the kind itself and the kind with its colour:")
    for kind in KINDS.values():
        if kind.synonyms:
            print(f"  {kind.name}: {', '.join(kind.synonyms)}")
    tally = evaluation.tally
    print("\nkind            objects   found   named of found")
    for name in (kind.name for kind in KINDS.values() if kind.role == "object"):
        found, named = tally.rate(f"found {name}"), tally.rate(f"named {name}")
        print(f"{name:14s} {tally.tries[f'found {name}']:8d} {found:7.2f} {named:16.2f}")
    print_mistakes_and_figures(tally, figures)


def add_command(commands: Any) -> None:
    """Add ``toy`` to the command line (argparse's subparsers)."""
    command = commands.add_parser("toy", help="drawn scenes, with exact truth")
    command.add_argument("--scenes", type=positive, default=200)
    command.add_argument("--seed", type=scene_seed, default=0)
    command.add_argument(
        "--parts", action="store_true", help="how parts are found and named, instead of all else"
    )
    command.add_argument(
        "--masks", choices=MASK_ORIGINS, default="semantic-sam", help="where parts' masks come from"
    )
    add_engine_options(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate all stages, or with ``--parts`` the naming of parts."""
    return run_parts(arguments) if arguments.parts else run_stages(arguments)


def run_parts(arguments: argparse.Namespace) -> int:
    """Evaluate parts and their wholes."""
    loaded = load(arguments)
    evaluation = PartsEvaluation(loaded.engine, loaded.settings, arguments.masks)
    bar = counted(scenes(arguments.scenes, arguments.seed), arguments.scenes, "scenes")
    for scene, _ in bar:
        evaluation.see(scene)
    figures = evaluation.report()
    print_parts(evaluation.tally, figures)
    write_figures(arguments.json, figures)
    return 0


def run_stages(arguments: argparse.Namespace) -> int:
    """Evaluate; of a number type other than float32, also how far it agrees with that."""
    loaded = load(arguments)
    evaluation = Evaluation(loaded.stages, loaded.settings)
    agreement = agreement_with_float32(loaded)
    bar = counted(scenes(arguments.scenes, arguments.seed), arguments.scenes, "scenes")
    for scene, rng in bar:
        annotated = evaluation.see(scene, rng)
        if agreement:
            agreement.see(scene.image, annotated)
    figures = evaluation.report() | (agreement.report() if agreement else {})
    print_report(evaluation, figures)
    write_figures(arguments.json, figures)
    return 0
