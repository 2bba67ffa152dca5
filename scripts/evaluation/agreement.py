"""How far an engine of another number type says what float32 says."""

from __future__ import annotations

import torch

from evaluation.metrics import Tally, decoded, overlaps
from ssa.config import Settings
from ssa.engine import Engine
from ssa.loading import LoadedEngine, load_engine
from ssa.masks.run_lengths import decode
from ssa.types import AnnotatedImage, RGBImage
from ssa.weights import default_root

SAME_MASK_IOU = 0.9


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


def agreement_with_float32(loaded: LoadedEngine) -> Agreement | None:
    """The comparison of an engine of another number type with float32 on the same device."""
    if loaded.placement.dtype == torch.float32:
        return None
    device = str(loaded.placement.device)
    reference = load_engine(default_root(), loaded.bundle.name, device, "float32")
    return Agreement(reference.engine, loaded.engine, loaded.settings)
