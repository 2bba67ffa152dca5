"""Decisions and aliases on pictures as formats take them: what is exported, and held against corrections."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ssa.formats.example import UNNAMED, Example, Mark
from ssa.labelling.aliases import NO_ALIASES, Aliases, aliases_of, called
from ssa.labelling.confidence import FILE as CONFIDENCE
from ssa.masks.proposal import proposal_of
from ssa.masks.pruning import pruned
from ssa.masks.run_lengths import decode
from ssa.review.decisions import Accepted, Corrected, Decision, Renamed, pieces_of
from ssa.review.history import History, Step
from ssa.review.log import FILE, read_history
from ssa.review.replay import Found, PictureNow, RegionNow, regions_now
from ssa.types import RLE, Annotation, MaskProposal, TreeNode


class Amended:
    """Pictures as people left them: what was decided in a folder of results, in the names of ``aliases``."""

    def __init__(self, history: History, aliases: Aliases = NO_ALIASES, digest: str = "") -> None:
        self.history, self.digest = history, digest
        self._stale: set[Step] = set()
        self._aliases, self._renames = aliases, history.renames

    @classmethod
    def of(cls, folder: Path, aliases: Aliases = NO_ALIASES) -> Amended:
        """What was decided in the folder of results so far. Raises ``InputError`` for a damaged file."""
        path = folder / FILE
        history = read_history(path)
        said = path.read_bytes() if path.exists() else b""
        said += aliases.text.encode()
        fitted = folder / CONFIDENCE
        said += fitted.read_bytes() if fitted.exists() else b""
        return cls(history, aliases, hashlib.sha256(said).hexdigest()[:16] if said else "")

    @property
    def stale(self) -> int:
        """How many decisions spoke of regions that are no longer there, in the pictures asked for so far."""
        return len(self._stale)

    @property
    def aliases(self) -> Aliases:
        """What later runs are to call labels, by the renames that were decided."""
        return aliases_of(self._renames.aliases().items())

    def labels(self, met: Iterable[str]) -> Iterator[str]:
        """Each label that the run ``met``, as it is called now, and then those that people gave."""
        for label in met:
            yield self.name_now(label)
        for entry in self.history.entries:
            for label in _labels_in(entry.decisions):
                yield self._aliases.of(self._renames.now(label, entry.number))

    def name_now(self, label: str) -> str:
        """What a label of the run's is called now."""
        return self._aliases.of(self._renames.now(self._aliases.of(label)))

    def now(self, example: Example) -> PictureNow:
        """The regions of a picture, as they are now."""
        found = [
            Found(mark.region, one.proposal.rle, self._aliases.renamed(one).class_name)
            for one, mark in example.marked
        ]
        now = regions_now(found, self.history.steps(example.key), self._renames)
        called = [
            replace(one, label=None if one.label is None else self._aliases.of(one.label))
            for one in now.regions
        ]
        return replace(now, regions=tuple(called))

    def amended(self, example: Example) -> Example:
        """The picture as it is now: found regions in their order, those that people made, rejected ones too.

        A mask of a person's has no scores of a model's: both are 1. Parts of a region that was split or
        joined belong to the whole above it.
        """
        if not self.digest:
            return example
        now = self.now(example)
        self._stale.update(now.stale)
        kept = [one for one in now.regions if one.position is not None]
        nodes = pruned(
            [one.node for one in example.annotations],
            [one.position for one in kept if one.position is not None],
        )
        has_tree = any(one.node is not None for one in example.annotations)
        made = [TreeNode(None, 0) if has_tree else None] * (len(now.regions) - len(kept))
        annotations = tuple(
            self._annotation(region, example, node)
            for region, node in zip(now.regions, (*nodes, *made), strict=True)
        )
        marks = tuple(
            Mark(one.id, one.reviewed, one.is_said or one.reviewed == "none") for one in now.regions
        )
        return replace(example, annotations=annotations, marks=marks)

    def _annotation(self, region: RegionNow, example: Example, node: TreeNode | None) -> Annotation:
        if region.position is None:
            return Annotation(proposal_of(decode(region.mask)), region.label, node=node)
        found = called(example.annotations[region.position], self.name_now)
        proposal = found.proposal
        if region.has_new_mask:
            proposal = _with_mask(proposal, region.mask)
        # What was likely of the name before is no word on one that a person gave.
        confidence = None if region.is_changed else found.confidence
        return replace(
            found, proposal=proposal, class_name=region.label, node=node, confidence=confidence
        )


def _labels_in(decisions: Iterable[Decision]) -> Iterator[str]:
    for decision in decisions:
        if isinstance(decision, Accepted | Corrected) and decision.label is not None:
            yield decision.label
        elif isinstance(decision, Renamed):
            yield decision.new
        for piece in pieces_of(decision):
            yield UNNAMED if piece.label is None else piece.label


def _with_mask(proposal: MaskProposal, mask: RLE) -> MaskProposal:
    own = proposal_of(decode(mask))
    return replace(
        proposal,
        rle=own.rle,
        bbox_xywh=own.bbox_xywh,
        area_px=own.area_px,
        predicted_iou=own.predicted_iou,
        stability_score=own.stability_score,
    )
