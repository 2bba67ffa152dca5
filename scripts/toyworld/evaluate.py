"""Scores a bundle, stage by stage and end to end, on drawn scenes that training never saw."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from ssa.config import Settings
from ssa.crops import crop, scaled_box
from ssa.device import DTYPES
from ssa.engine import Engine, Stages
from ssa.loading import LoadedEngine, load_engine
from ssa.masks import box_of, decode
from ssa.types import AnnotatedImage, BoxXYXY, RGBImage
from ssa.weights import DEFAULT_ROOT
from toyworld.kinds import KINDS
from toyworld.scenes import Region, Scene, draw_scene
from toyworld.seeds import evaluation_seed

FOUND_IOU, SAME_MASK_IOU = 0.7, 0.9
LEAST_OBJECT_PX, LEAST_PART_PX, LEAST_VISIBLE = 150, 60, 0.5
# Evaluations with different seeds share no scene up to this many.
SCENES_PER_SEED = 100_000


@dataclass(slots=True)
class Tally:
    """Counts that add up over scenes; ``rate`` of a name is its hits over its tries."""

    hits: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    confusion: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, hit: bool) -> None:
        """Count one try."""
        self.tries[name] += 1
        self.hits[name] += hit

    def rate(self, name: str) -> float:
        """Hits over tries; NaN without a try."""
        return self.hits[name] / self.tries[name] if self.tries[name] else float("nan")


class Evaluation:
    """Runs the engine and each of its models on scenes, and counts."""

    def __init__(self, stages: Stages, settings: Settings) -> None:
        self.stages, self.settings = stages, settings
        self.engine = Engine(stages)
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
            self._clip(scene, objects)
            self._clipseg(scene, objects, rng)
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
        pairs = np.bincount(truth.astype(np.int64).ravel() * n + predicted.ravel(), minlength=n * n)
        known = self.tally.confusion.setdefault(source, np.zeros((n, n), np.int64))
        known += pairs.reshape(n, n)

    def _captions(self, scene: Scene, objects: list[int]) -> None:
        scale = self.settings.labels.caption_crop_scale
        crops = [crop(scene.image, box(scene.regions[i], scale)) for i in objects]
        for index, text in zip(objects, self.stages.captioner.caption(crops), strict=True):
            names = (scene.regions[index].kind, *KINDS[scene.regions[index].kind].synonyms)
            self.tally.add("captioned", any(f" {name} " in f" {text} " for name in names))

    def _clip(self, scene: Scene, objects: list[int]) -> None:
        scale = self.settings.labels.clip_crop_scale
        crops = [crop(scene.image, box(scene.regions[i], scale)) for i in objects]
        rankings = self.stages.ranker.rank(crops, [self.kinds] * len(crops))
        for index, ranking in zip(objects, rankings, strict=True):
            top = [scored.label for scored in ranking[:3]]
            self.tally.add("top 3", scene.regions[index].kind in top)
            self.tally.add("top 1", scene.regions[index].kind == top[0])

    def _clipseg(self, scene: Scene, objects: list[int], rng: np.random.Generator) -> None:
        """Each object's kind against two others: one that the scene holds too, and one at random."""
        scale = self.settings.labels.clipseg_crop_scale
        boxes = [box(scene.regions[i], scale) for i in objects]
        asked = [self._three(scene, i, rng) for i in objects]
        chosen = self.stages.chooser.choose(
            [crop(scene.image, b) for b in boxes],
            [crop(scene.regions[i].mask, b) for i, b in zip(objects, boxes, strict=True)],
            asked,
        )
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


class Agreement:
    """Compares an engine with a reference, mask by mask, on the reference's masks.

    How sure the models are matters less than what they say: names are compared, scores are not.
    """

    def __init__(self, reference: Engine, tested: Engine, settings: Settings) -> None:
        self.reference, self.tested, self.settings = reference, tested, settings
        self.tally = Tally()

    def see(self, image: RGBImage, by_tested: AnnotatedImage) -> None:
        """Add one picture; ``by_tested`` is what the tested engine made of it, with masks of its own."""
        expected = self.reference.annotate(image, self.settings).annotations
        proposals = [annotation.proposal for annotation in expected]
        named = self.tested.label(image, proposals, self.settings).annotations
        for ours, theirs in zip(named, expected, strict=True):
            self.tally.add("name", ours.class_name == theirs.class_name)
            same = set(ours.class_proposals) == set(theirs.class_proposals)
            self.tally.add("proposals", same)
        found = decoded(by_tested)
        for proposal in proposals:
            ious = overlaps(found, decode(proposal.rle))
            self.tally.add("mask", bool(ious.max(initial=0) >= SAME_MASK_IOU))

    def report(self) -> dict[str, float]:
        """The figures by their JSON keys: shares, 0 to 1, of the reference's masks in all pictures."""
        return {
            "agreement.class_name": self.tally.rate("name"),
            "agreement.class_proposals": self.tally.rate("proposals"),
            "agreement.masks": self.tally.rate("mask"),
        }


def decoded(annotated: AnnotatedImage) -> NDArray[np.bool_]:
    """All masks of a picture, (N, H, W)."""
    return np.array([decode(a.proposal.rle) for a in annotated.annotations], np.bool_)


def counts(region: Region, role: str) -> bool:
    """Whether a region is large and visible enough to be asked for."""
    least = LEAST_OBJECT_PX if role == "object" else LEAST_PART_PX
    visible = region.visible >= LEAST_VISIBLE
    return region.role == role and visible and int(region.mask.sum()) > least


def right_names(scene: Scene, index: int) -> set[str]:
    """The names that count as right: the kind, its synonyms, and the kind with its colour."""
    region = scene.regions[index]
    names = {region.kind, *KINDS[region.kind].synonyms}
    return names if region.colour is None else names | {f"{region.colour} {region.kind}"}


def overlaps(masks: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """IoU of each of (N, H, W) masks with (H, W) truth, (N,)."""
    if not len(masks):
        return np.zeros(0)
    shared = (masks & truth).sum((1, 2))
    return np.asarray(shared / (masks | truth).sum((1, 2)), np.float64)


def box(region: Region, scale: float) -> BoxXYXY:
    """The region's box in the engine's manner, scaled."""
    return scaled_box(box_of(region.mask), scale, *region.mask.shape)


def mean_iou(confusion: NDArray[np.int64]) -> float:
    """Mean IoU over the classes that occur in the truth; rows are truth, columns predictions."""
    hits = np.diag(confusion)
    present = confusion.sum(1) > 0
    union = confusion.sum(0) + confusion.sum(1) - hits
    return float((hits[present] / union[present]).mean())


def scenes(count: int, seed: int) -> Iterator[tuple[Scene, np.random.Generator]]:
    """``count`` unseen scenes, square ones and wider ones, each with its own source of chance."""
    for index in range(count):
        number = seed * SCENES_PER_SEED + index
        height = 192 if index % 6 == 5 else 256
        yield draw_scene(evaluation_seed(number), height, 256), np.random.default_rng([71, number])


def print_report(evaluation: Evaluation, figures: dict[str, float]) -> None:
    """The synonyms that counted, the kinds one by one, the commonest mistakes, then the figures."""
    print("\nRight names beside the kind itself and the kind with its colour:")
    for kind in KINDS.values():
        if kind.synonyms:
            print(f"  {kind.name}: {', '.join(kind.synonyms)}")
    tally = evaluation.tally
    print("\nkind            objects   found   named of found")
    for kind in (k.name for k in KINDS.values() if k.role == "object"):
        found, named = tally.rate(f"found {kind}"), tally.rate(f"named {kind}")
        print(f"{kind:14s} {tally.tries[f'found {kind}']:8d} {found:7.2f} {named:16.2f}")
    print("\nMost frequent mistakes:")
    for mistake, count in tally.wrong.most_common(12):
        print(f"  {count:4d}  {mistake}")
    print()
    for key, value in figures.items():
        print(f"{key:28s} {value:.3f}")


def positive(text: str) -> int:
    """A number of at least one, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def agreement_with_float32(loaded: LoadedEngine) -> Agreement | None:
    """The comparison of an engine of another number type with float32 on the same device."""
    if loaded.placement.dtype == torch.float32:
        return None
    device = str(loaded.placement.device)
    reference = load_engine(DEFAULT_ROOT, loaded.bundle.name, device, "float32")
    return Agreement(reference.engine, loaded.engine, loaded.settings)


def parse_arguments() -> argparse.Namespace:
    """Command line of ``./scripts/evaluate``."""
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    toy = commands.add_parser("toy", help="drawn scenes, with exact truth")
    toy.add_argument("--scenes", type=positive, default=200)
    toy.add_argument("--seed", type=int, default=0)
    toy.add_argument("--json", type=Path, help="also write the figures to this file")
    toy.add_argument("--bundle", default=os.environ.get("SSA_BUNDLE") or "tiny")
    toy.add_argument("--device", help="cpu, cuda or cuda:1; by default CUDA if there is one")
    toy.add_argument(
        "--dtype",
        choices=DTYPES,
        help="by default bfloat16 on CUDA, else float32; any but float32 is also compared with it",
    )
    return parser.parse_args()


def main() -> None:
    """Evaluate as the command line says."""
    arguments = parse_arguments()
    loaded = load_engine(DEFAULT_ROOT, arguments.bundle, arguments.device, arguments.dtype)
    print(f"bundle {loaded.bundle.name}: {loaded.bundle.purpose}")
    print(f"on {loaded.placement.device} in {loaded.placement.dtype}")
    evaluation = Evaluation(loaded.stages, loaded.settings)
    agreement = agreement_with_float32(loaded)
    bar = tqdm(scenes(arguments.scenes, arguments.seed), total=arguments.scenes, desc="scenes")
    for scene, rng in bar:
        annotated = evaluation.see(scene, rng)
        if agreement:
            agreement.see(scene.image, annotated)
    figures = evaluation.report() | (agreement.report() if agreement else {})
    print_report(evaluation, figures)
    if arguments.json:
        known = {key: None if math.isnan(value) else value for key, value in figures.items()}
        arguments.json.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
