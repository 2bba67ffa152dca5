"""Scores names from a vocabulary of one's own: right where it has the kind, "unknown" where it hasn't.

The vocabulary is that of the drawn world, stuff and objects with their synonyms, less a few kinds of
objects. These are given, or drawn at random several times, so that no lucky choice makes the figures.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evaluation.clusters import true_regions
from evaluation.metrics import Tally, print_mistakes_and_figures
from evaluation.options import add_engine_options, load, write_figures
from ssa.cli.arguments import positive
from ssa.cli.bar import counted
from ssa.config import Settings, Vocabulary
from ssa.engine import Engine
from ssa.errors import InputError
from ssa.labelling.vocabulary import UNKNOWN, parse_vocabulary
from ssa.masks.proposal import proposal_of
from ssa.stages import Stages
from ssa.types import MaskProposal, Picture
from toyworld.kinds import KINDS
from toyworld.scenes import Region, Scene
from toyworld.unseen import counts, scene_seed, scenes

MASK_ORIGINS = ("truth", "sam")
GIVEN = "given"

Kinds = tuple[str, ...]


class Evaluation:
    """Names the regions of scenes by vocabularies that leave out these kinds or those, and counts.

    ``left_out`` holds the kinds by the vocabulary's name. With masks of "truth" all true regions are
    named, with "sam" those masks of SAM that are one at an IoU of 0.7.
    """

    def __init__(
        self, stages: Stages, settings: Settings, left_out: Mapping[str, Kinds], masks: str
    ) -> None:
        self._stages, self._settings, self._masks = stages, settings, masks
        self._engine = Engine(stages)
        self._left_out = left_out
        self._vocabularies = {name: vocabulary_without(kinds) for name, kinds in left_out.items()}
        self.tallies = {name: Tally() for name in left_out}
        self._seconds = dict.fromkeys(("open", *left_out), 0.0)
        self._regions = 0

    def see(self, scene: Scene) -> None:
        """Add one scene."""
        wanted = [one for one in scene.regions if one.role != "part" and counts(one, one.role)]
        pairs = self._masked(scene, wanted)
        picture = Picture(scene.image, tuple(proposal for proposal, _ in pairs))
        regions = [region for _, region in pairs]
        self._regions += len(regions)
        self._names("open", picture, self._settings)
        for name, vocabulary in self._vocabularies.items():
            settings = replace(self._settings, vocabulary=vocabulary)
            names = self._names(name, picture, settings)
            for region, found in zip(regions, names, strict=True):
                self._count(name, region.kind, found)

    def _masked(self, scene: Scene, wanted: Sequence[Region]) -> list[tuple[MaskProposal, Region]]:
        if self._masks == "truth":
            return [(proposal_of(region.mask), region) for region in wanted]
        proposer, settings = self._stages.proposers["sam"], self._settings.masks["sam"]
        found = proposer.propose(scene.image, settings, lambda *_: None).proposals
        pairs = zip(found, true_regions(found, wanted), strict=True)
        return [(proposal, region) for proposal, region in pairs if region is not None]

    def _names(self, name: str, picture: Picture, settings: Settings) -> list[str]:
        began = time.perf_counter()
        (annotated,) = self._engine.annotate_all([picture], settings)
        self._seconds[name] += time.perf_counter() - began
        return [str(one.class_name) for one in annotated.annotations]

    def _count(self, name: str, kind: str, found: str) -> None:
        tally = self.tallies[name]
        if kind in self._left_out[name]:
            tally.add("left out", found == UNKNOWN)
            right = UNKNOWN
        else:
            tally.add("named", found == kind)
            tally.add("false unknown", found == UNKNOWN)
            right = kind
        if found != right:
            tally.wrong[f"{kind} → {found}"] += 1

    def report(self) -> dict[str, float]:
        """The figures by their JSON keys: shares of regions (0 to 1) and milliseconds a region.

        Those of the draws are means over them, each alike.
        """
        figures = {f"vocabulary.{key}": rate for key, rate in _rates(self.tallies[GIVEN]).items()}
        draws = [_rates(tally) for name, tally in self.tallies.items() if name != GIVEN]
        for key in draws[0] if draws else ():
            figures[f"vocabulary.draws.{key}"] = float(np.nanmean([one[key] for one in draws]))
        for name, label in (("open", "open_vocabulary"), (GIVEN, "vocabulary")):
            figures[f"{label}.ms_per_region"] = 1e3 * self._seconds[name] / max(1, self._regions)
        return figures


def _rates(tally: Tally) -> dict[str, float]:
    return {
        "named_rightly": tally.rate("named"),
        "falsely_unknown": tally.rate("false unknown"),
        "left_out_unknown": tally.rate("left out"),
    }


def vocabulary_without(left_out: Sequence[str]) -> Vocabulary:
    """Stuff and objects of the drawn world with their synonyms, but for some kinds.

    Synonyms that several kinds have ("vehicle") are left out too: they'd tell none of them.
    """
    kinds = [kind for kind in KINDS.values() if kind.role != "part"]
    shared = Counter(synonym for kind in kinds for synonym in kind.synonyms)
    lines = [
        f"{kind.name}: {', '.join(one for one in kind.synonyms if shared[one] == 1)}"
        for kind in kinds
        if kind.name not in left_out
    ]
    return parse_vocabulary("\n".join(lines))


def draw_kinds(times: int, seed: int, many: int) -> dict[str, Kinds]:
    """``many`` kinds of objects to leave out, drawn so many times; by the draw's number."""
    chance = random.Random(seed)
    return {str(number): tuple(chance.sample(_objects(), many)) for number in range(times)}


def parse_kinds(text: str) -> Kinds:
    """Kinds of objects, separated by commas. Raises ``InputError`` for what is none."""
    kinds = tuple(entry.strip() for entry in text.split(","))
    for kind in kinds:
        if kind not in _objects():
            raise InputError(
                f"left-out kinds must be of {', '.join(_objects())}, separated by commas; got {kind!r}"
            )
    return kinds


def _objects() -> list[str]:
    return [kind.name for kind in KINDS.values() if kind.role == "object"]


def add_command(commands: Any) -> None:
    """Add ``vocabulary`` to the command line (argparse's subparsers)."""
    command = commands.add_parser("vocabulary", help="your own classes, and what is none of them")
    command.add_argument("--scenes", type=positive, default=100)
    command.add_argument("--seed", type=scene_seed, default=0)
    command.add_argument(
        "--leave-out", default="kite,umbrella,tent", metavar="KINDS", help="default: %(default)s"
    )
    command.add_argument(
        "--draws", type=int, default=10, help="how often to draw as many other kinds at random"
    )
    command.add_argument("--masks", choices=MASK_ORIGINS, default="truth")
    command.add_argument("--unknown-below", type=float, help="default: the weights' own setting")
    add_engine_options(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate as the command line says."""
    given = parse_kinds(arguments.leave_out)
    left_out = {GIVEN: given, **draw_kinds(arguments.draws, arguments.seed, len(given))}
    loaded = load(arguments)
    settings = loaded.settings
    if arguments.unknown_below is not None:
        labels = replace(settings.labels, unknown_below=arguments.unknown_below)
        settings = replace(settings, labels=labels)
    evaluation = Evaluation(loaded.stages, settings, left_out, arguments.masks)
    bar = counted(scenes(arguments.scenes, arguments.seed), arguments.scenes, "scenes")
    for scene, _ in bar:
        evaluation.see(scene)
    figures = evaluation.report()
    print(f"\nLeft out: {', '.join(given)}")
    print_mistakes_and_figures(evaluation.tallies[GIVEN], figures)
    write_figures(arguments.json, figures)
    return 0
