"""Scores label-free grouping: are the repeated things of drawn scenes grouped by their kinds.

A scene holds two to four kinds, two to five things of each, of any colour. All of its masks are grouped; then
those count that are a true region (IoU of 0.7 or more, the best pairs first, each mask and each region
once). The adjusted Rand index compares their groups with their kinds; a mask that is in no group counts as
a group of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation.metrics import overlaps
from evaluation.options import add_engine_options, load, write_figures
from evaluation.partitions import Agreement
from ssa.cli.arguments import positive
from ssa.cli.bar import counted
from ssa.config import PUBLISHED_CLUSTERS, ClusterSettings, MaskSettings
from ssa.labelling.clustering import cluster, mask_embeddings
from ssa.masks.proposal import proposal_of
from ssa.masks.run_lengths import decode
from ssa.stages import MaskProposer
from ssa.types import ImageEmbedding, MaskProposal
from toyworld.repeats import repeat
from toyworld.scenes import Region, Scene, draw_scene
from toyworld.seeds import evaluation_seed
from toyworld.unseen import SCENES_PER_SEED, counts, scene_seed

SAME_IOU = 0.7
SWEPT_EPS = (0.15, 0.2, 0.25, 0.3, 0.34, 0.38, 0.42, 0.46, 0.48, 0.5, 0.55, 0.6)
# What is compared: the masks of objects, and all that are a true region, parts and backgrounds too.
ROLES = {"objects": {"object"}, "all": {"object", "part", "stuff"}}


def contenders(own: ClusterSettings) -> dict[str, ClusterSettings]:
    """The bundle's own settings, its choices undone one by one, and the published ones.

    Each has the eps that ``--sweep`` shows to suit it, but for the published as published.
    """
    return {
        "bundle": own,
        "chains": replace(own, cohesive=False, eps=0.38),
        "touched": replace(own, weighting="touched", eps=0.55),
        "raw": replace(own, standardised=False, eps=0.3),
        "raw_touched": replace(PUBLISHED_CLUSTERS, eps=0.2, min_samples=2),
        "published": PUBLISHED_CLUSTERS,
    }


@dataclass(frozen=True, slots=True)
class Masks:
    """A picture's masks, each with the true region that it is (None for none), and its embedding."""

    proposals: Sequence[MaskProposal]
    regions: Sequence[Region | None]
    embedding: ImageEmbedding

    def compare(
        self, chosen: ClusterSettings, eps: Sequence[float], results: Sequence[dict[str, Agreement]]
    ) -> None:
        """Group the masks with each eps, and add how well that agrees with their kinds."""
        looks = mask_embeddings(self.embedding, self.proposals, chosen)
        for value, result in zip(eps, results, strict=True):
            groups = cluster(looks, replace(chosen, eps=value))
            for name, roles in ROLES.items():
                pairs = zip(self.regions, groups, strict=True)
                known = [(r.kind, group) for r, group in pairs if r and r.role in roles]
                result[name].add([kind for kind, _ in known], [group for _, group in known])


class Evaluation:
    """Gathers the masks of scenes, those that a model finds and the true ones, and groups them."""

    def __init__(self, proposer: MaskProposer, settings: MaskSettings) -> None:
        self._proposer, self._settings = proposer, settings
        self._seen: dict[str, list[Masks]] = {"found": [], "true": []}

    def see(self, scene: Scene) -> None:
        """Add one scene."""
        wanted = [region for region in scene.regions if counts(region, region.role)]
        found = self._proposer.propose(scene.image, self._settings, lambda *_: None)
        if found.fetch_embedding is None:
            raise ValueError("expected a mask model that gives its embedding of the picture")
        embedding = found.fetch_embedding()
        regions = true_regions(found.proposals, wanted)
        self._seen["found"].append(Masks(found.proposals, regions, embedding))
        true = [proposal_of(region.mask) for region in wanted]
        self._seen["true"].append(Masks(true, wanted, embedding))

    def agreement(
        self, source: str, chosen: ClusterSettings, eps: Sequence[float] = ()
    ) -> list[dict[str, Agreement]]:
        """How well groups of the masks "found" or "true" agree with their kinds, by what is compared.

        One result an eps; without any, the one of the settings.
        """
        values = tuple(eps) or (chosen.eps,)
        results = [{name: Agreement() for name in ROLES} for _ in values]
        for masks in self._seen[source]:
            masks.compare(chosen, values, results)
        return results

    def recall(self) -> float:
        """The share of the true objects that have a mask."""
        found, true = (
            sum(r is not None and r.role == "object" for masks in seen for r in masks.regions)
            for seen in self._seen.values()
        )
        return found / true if true else float("nan")

    def report(self, own: ClusterSettings) -> dict[str, float]:
        """The figures by their JSON keys: contender, source of the masks, what is compared, score."""
        figures = {"clusters.object_recall_70": self.recall()}
        for name, chosen in contenders(own).items():
            for source in self._seen:
                (agreements,) = self.agreement(source, chosen)
                for compared, agreement in agreements.items():
                    for score, value in agreement.report().items():
                        figures[f"clusters.{name}.{source}.{compared}.{score}"] = value
        return figures


def true_regions(
    proposals: Sequence[MaskProposal], regions: Sequence[Region]
) -> list[Region | None]:
    """The region that each mask is: pairs of IoU 0.7 or more, the best first, each of both once."""
    found: list[Region | None] = [None] * len(proposals)
    masks = np.array([decode(proposal.rle) for proposal in proposals], np.bool_)
    ious = np.array([overlaps(masks, region.mask) for region in regions])
    ious = ious.reshape(len(regions), len(proposals))
    while ious.size and ious.max() >= SAME_IOU:
        region, mask = divmod(int(ious.argmax()), len(proposals))
        found[mask] = regions[region]
        ious[region], ious[:, mask] = 0, 0
    return found


def repeated_scenes(count: int, seed: int) -> Iterator[Scene]:
    """``count`` unseen scenes of repeated things, square ones and wider ones."""
    for index in range(count):
        number = evaluation_seed(seed * SCENES_PER_SEED + index)
        yield draw_scene(number, 192 if index % 6 == 5 else 256, 256, arrange=repeat)


def print_report(figures: dict[str, float]) -> None:
    """A table: a line for each contender and source of masks, all scores of objects, then of all."""
    print(f"\nobjects with a mask: {figures['clusters.object_recall_70']:.3f}")
    rows = dict.fromkeys(key.rsplit(".", 2)[0] for key in figures if key.count(".") == 4)
    scores = [f"{compared}.{score}" for compared in ROLES for score in Agreement().report()]
    print(f"\n{'':28s}" + "".join(f"{score:>20s}" for score in scores))
    for row in rows:
        values = "".join(f"{figures[f'{row}.{score}']:20.3f}" for score in scores)
        print(f"{row.removeprefix('clusters.'):28s}{values}")


def print_sweep(evaluation: Evaluation, own: ClusterSettings) -> None:
    """The mean index of found objects, for each contender and eps."""
    names = {name: chosen for name, chosen in contenders(own).items() if name != "published"}
    columns = [evaluation.agreement("found", chosen, SWEPT_EPS) for chosen in names.values()]
    print("\neps " + "".join(f"{name:>14s}" for name in names))
    for eps, *results in zip(SWEPT_EPS, *columns, strict=True):
        values = "".join(f"{result['objects'].report()['ari']:14.3f}" for result in results)
        print(f"{eps:.2f}{values}")


def add_command(commands: Any) -> None:
    """Add ``clusters`` to the command line (argparse's subparsers)."""
    command = commands.add_parser("clusters", help="grouping of things that look alike, drawn")
    command.add_argument("--scenes", type=positive, default=200)
    command.add_argument("--seed", type=scene_seed, default=0)
    command.add_argument("--sweep", action="store_true", help="also try each eps of a range")
    add_engine_options(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate as the command line says."""
    loaded = load(arguments)
    evaluation = Evaluation(loaded.stages.proposers["sam"], loaded.settings.masks["sam"])
    scenes = repeated_scenes(arguments.scenes, arguments.seed)
    for scene in counted(scenes, arguments.scenes, "scenes"):
        evaluation.see(scene)
    figures = evaluation.report(loaded.settings.clusters)
    print_report(figures)
    if arguments.sweep:
        print_sweep(evaluation, loaded.settings.clusters)
    write_figures(arguments.json, figures)
    return 0
