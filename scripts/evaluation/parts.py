"""Scores how the parts of drawn things are found and named, and that their wholes don't suffer for it.

Each picture's masks are named twice: with the tree of wholes and parts, and without, as the published engine
would. Masks are a model's, or with "truth" the true regions, all of them: then only naming is measured.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from evaluation.metrics import Tally, decoded, overlaps, print_mistakes_and_figures
from ssa.config import Settings
from ssa.engine import Engine
from ssa.masks.proposal import proposal_of
from ssa.types import AnnotatedImage, Annotation, MaskProposal
from toyworld.kinds import KINDS
from toyworld.scenes import Scene
from toyworld.unseen import counts, right_names

MaskOrigin = Literal["truth", "sam", "semantic-sam"]
MASK_ORIGINS: tuple[MaskOrigin, ...] = get_args(MaskOrigin)

ROUGHLY_IOU, FOUND_IOU = 0.5, 0.7


class PartsEvaluation:
    """Runs the engine on scenes, and counts parts and objects by name."""

    def __init__(self, engine: Engine, settings: Settings, masks: MaskOrigin) -> None:
        self.engine, self.masks = engine, masks
        source = settings.mask_source if masks == "truth" else masks
        self.settings = replace(settings, parts=True, mask_source=source)
        self.without = replace(self.settings, parts=False)
        self.tally = Tally()

    def see(self, scene: Scene) -> AnnotatedImage:
        """Add one scene to the count; gives what the engine made of it."""
        annotated = self._annotate(scene)
        proposals = [annotation.proposal for annotation in annotated.annotations]
        plain = self.engine.label(scene.image, proposals, self.without).annotations
        masks = decoded(annotated)
        for index, region in enumerate(scene.regions):
            if region.role == "stuff" or not counts(region, region.role):
                continue
            ious = overlaps(masks, region.mask)
            best, iou = (int(ious.argmax()), float(ious.max())) if len(ious) else (0, 0.0)
            for name in (region.role, region.kind):
                self.tally.add(f"{name} found 50", iou >= ROUGHLY_IOU)
                self.tally.add(f"{name} found", iou >= FOUND_IOU)
            if iou < FOUND_IOU:
                best = -1
            self._count(scene, index, annotated.annotations[best] if best >= 0 else None)
            self._count_plain(scene, index, plain[best] if best >= 0 else None)
        return annotated

    def _annotate(self, scene: Scene) -> AnnotatedImage:
        if self.masks != "truth":
            return self.engine.annotate(scene.image, self.settings)
        proposals: list[MaskProposal] = [proposal_of(region.mask) for region in scene.regions]
        return self.engine.label(scene.image, proposals, self.settings)

    def _count(self, scene: Scene, index: int, found: Annotation | None) -> None:
        """Count the name that a region got, ``found`` being its mask's annotation if it was found."""
        region, tally = scene.regions[index], self.tally
        named = found is not None and found.class_name in right_names(scene, index)
        for name in (region.role, region.kind):
            tally.add(f"{name} found and named", named)
            if found:
                tally.add(f"{name} named", named)
        if found and not named:
            tally.wrong[f"{region.kind} → {_told(found)}"] += 1
        if found and region.parent is None:
            tally.add("object called a part", found.part_of is not None)
        if found and named and region.parent is not None:
            right = found.part_of in right_names(scene, region.parent)
            for name in (region.role, region.kind):
                tally.add(f"{name} of", right)
            if not right:
                whole = scene.regions[region.parent].kind
                tally.wrong[f"{region.kind} of {whole} → {_told(found)}"] += 1

    def _count_plain(self, scene: Scene, index: int, found: Annotation | None) -> None:
        region = scene.regions[index]
        named = found is not None and found.class_name in right_names(scene, index)
        self.tally.add(f"{region.role} plainly found and named", named)
        if found:
            self.tally.add(f"{region.role} plainly named", named)

    def report(self) -> dict[str, float]:
        """The figures by their JSON keys; shares from 0 to 1."""
        rate = self.tally.rate
        figures: dict[str, float] = {}
        for role in ("part", "object"):
            figures |= {
                f"{role}s.found_50": rate(f"{role} found 50"),
                f"{role}s.found": rate(f"{role} found"),
                f"{role}s.named_given_found": rate(f"{role} named"),
                f"{role}s.found_and_named": rate(f"{role} found and named"),
                f"{role}s.without_tree.named_given_found": rate(f"{role} plainly named"),
                f"{role}s.without_tree.found_and_named": rate(f"{role} plainly found and named"),
            }
        return figures | {
            "parts.part_of_given_named": rate("part of"),
            "objects.called_parts": rate("object called a part"),
        }


def _told(annotation: Annotation) -> str:
    whole = f" of {annotation.part_of}" if annotation.part_of else ""
    return f"{annotation.class_name}{whole}"


def print_parts(tally: Tally, figures: dict[str, float]) -> None:
    """The kinds of parts one by one, the commonest mistakes, then the figures."""
    print(
        "\npart      visible  IoU 0.5  found  named of found  found and named  of the right whole"
    )
    for kind in (k.name for k in KINDS.values() if k.role == "part"):
        rates = [
            tally.rate(f"{kind} {what}")
            for what in ("found 50", "found", "named", "found and named", "of")
        ]
        columns = zip(rates, (9, 7, 16, 17, 20), strict=True)
        shares = "".join(f"{share:{width}.2f}" for share, width in columns)
        print(f"{kind:8s} {tally.tries[f'{kind} found']:8d}{shares}")
    print_mistakes_and_figures(tally, figures)
