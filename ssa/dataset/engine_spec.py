"""How to make a worker: plain values that travel to another process, and the worker made of them there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ssa.ahead import LANES_ON_A_GPU
from ssa.checks import shown_text
from ssa.config import (
    MASK_SOURCES,
    LabelSettings,
    SelectionSettings,
    Settings,
    check_mask_source,
)
from ssa.dataset.identity import Identity
from ssa.dataset.outcomes import Group, GroupDone
from ssa.dataset.workers import Worker
from ssa.errors import InputError
from ssa.labelling.aliases import NO_ALIASES, Aliases
from ssa.labelling.confidence import Confidence
from ssa.labelling.phrasing import check_phrase_model
from ssa.weights import choose_bundle, fingerprint
from ssa.weights.files import sha256_of

logger = logging.getLogger(__name__)

FORMAT = 1
"""Raise it when the same settings come to give other annotations."""

LATER_LABEL_SETTINGS = ("rules", "bank_top_k", "dense_side_px", "ranker_looks_once")
"""Those that came after the first runs."""


OWN_SEGMENTORS = ("coco", "ade20k")
"""Those that every bundle has."""

MOST_LANES = 8
"""Lanes on a CPU unless told: each holds a group's pictures in memory, and what the models make of them."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """A worker to be: weights, where they run, and what is asked of them.

    ``lanes`` are groups in work at once: None for one a processor core on a CPU, two on a GPU. Paths are
    absolute: another process may stand elsewhere. ``aliases`` are what labels are called in the end;
    ``confidence`` stands in the bundle's place, where it was fitted to a review.
    """

    root: Path
    bundle: str
    settings: Settings
    device: str | None = None
    dtype: str | None = None
    segmentor: Path | None = None
    detail: bool = False
    lanes: int | None = None
    aliases: Aliases = NO_ALIASES
    confidence: Confidence | None = None

    @classmethod
    def of(
        cls, root: Path, bundle: str | None, segmentor: Path | None = None, **rest: Any
    ) -> EngineSpec:
        """The spec with the settings that a bundle under ``root`` is meant for; without a name the best.

        Raises ``WeightsError`` where there is none.
        """
        chosen = choose_bundle(root, bundle)
        name, settings = chosen.name, chosen.spec.settings
        if segmentor is not None:
            segmentor = segmentor.absolute()
            settings = replace(settings, segmentor=segmentor.name)
        return cls(root.absolute(), name, settings, segmentor=segmentor, **rest)

    def check(self) -> None:
        """Raise ``InputError`` where the settings ask for weights that aren't there, or for none of those."""
        if self.segmentor is not None and not self.segmentor.is_dir():
            raise InputError(
                f"--segmentor must be coco, ade20k or a folder; got {self.segmentor.name}, which is none"
            )
        if self.segmentor is not None and self.settings.label_mode != "closed-set":
            raise InputError(
                "--segmentor belongs to --labels closed-set; leave it out, or say that"
            )
        known = (*OWN_SEGMENTORS, *([self.segmentor.name] if self.segmentor else []))
        if self.settings.segmentor not in known:
            raise InputError(
                f"segmentor must be one of {', '.join(known)}; got {shown_text(self.settings.segmentor)}"
            )
        bundle = choose_bundle(self.root, self.bundle)
        remedies = bundle.mask_remedies()
        there = [name for name in MASK_SOURCES if name not in remedies]
        check_mask_source(self.settings.mask_source, there, remedies)
        check_phrase_model(self.settings, bundle.has("phrases"), remedies)

    def placed(self) -> EngineSpec:
        """The same with the device and number type that are chosen in this process, where none were.

        Raises ``InputError`` for a device that isn't there.
        """
        from ssa.device import choose_placement, memory_limit

        try:
            placement = choose_placement(self.device, self.dtype)
            memory_limit()
        except ValueError as error:
            raise InputError(str(error)) from error
        number_type = str(placement.dtype).removeprefix("torch.")
        return replace(self, device=str(placement.device), dtype=number_type)

    def identity(self, masks: str | None) -> Identity:
        """What the annotations depend on; ``masks`` is where they come from, None for both ways."""
        bundle = choose_bundle(self.root, self.bundle)
        added = self.segmentor and {
            path.name: sha256_of(path)
            for path in sorted(self.segmentor.iterdir())
            if path.is_file()
        }
        return Identity(
            {
                "format": FORMAT,
                "bundle": self.bundle,
                "weights": fingerprint(bundle),
                "segmentor weights": added,
                "dtype": self.dtype,
                "masks": masks,
                "detail": self.detail,
                "settings": _told(self.settings),
                # Runs of before there were any are runs without.
                **({"aliases": self.aliases.text} if self.aliases.names else {}),
                **({"confidence": asdict(self.confidence)} if self.confidence else {}),
            }
        )

    def worker(self, cores: int | None = None) -> Worker:
        """Load the weights, for a worker of ``cores`` processor cores, or of all that this process may use.

        Raises ``WeightsError`` for missing or damaged ones.
        """
        import torch  # here, so that whoever only plans or writes formats doesn't wait for it

        from ssa.cores import usable_cores
        from ssa.engine import Engine
        from ssa.loading import load_engine

        loaded = load_engine(self.root, self.bundle, self.device, self.dtype, self.segmentor)
        cores = cores or usable_cores()
        on_cpu = loaded.placement.device.type == "cpu"
        lanes = self.lanes or (min(cores, MOST_LANES) if on_cpu else LANES_ON_A_GPU)
        threads = max(1, cores // lanes)
        logger.info("%d lanes of %d threads", lanes, threads)
        stages = loaded.stages
        if self.confidence is not None:
            stages = replace(stages, confidence=self.confidence)
        engine = Engine(stages)
        # What only loaded models can tell; masks were looked after before.
        engine.check(self.settings, finds_masks=False)
        return Worker(
            engine,
            # Batches are the device's, and all else is what was asked for.
            replace(self.settings, batches=loaded.settings.batches),
            self.detail,
            lanes,
            # More threads than cores in all would wait for each other.
            begin=lambda: torch.set_num_threads(threads),
            aliases=self.aliases,
        )


def _told(settings: Settings) -> dict[str, Any]:
    """Settings as plain values. Runs of before there were some of them are runs that leave these alone."""
    values = asdict(settings)
    if settings.selection == SelectionSettings():
        del values["selection"]
    if not settings.looks:
        del values["looks"]
    for name in LATER_LABEL_SETTINGS:
        if getattr(settings.labels, name) == getattr(LabelSettings(), name):
            del values["labels"][name]
    if settings.phrases.use == "none" and not MASK_SOURCES[settings.mask_source].by_phrases:
        del values["phrases"]
    return values


class LocalWorkers:
    """One worker in this process, loaded when there is something to do."""

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec

    def run(self, groups: Iterable[Group]) -> Iterator[GroupDone]:
        """Each group and what came of it, in order."""
        waiting = iter(groups)
        for first in waiting:
            yield from self._spec.worker().run(chain([first], waiting))
