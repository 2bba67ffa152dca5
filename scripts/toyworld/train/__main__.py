"""Command line of ``./scripts/train_tiny``: which models, how long, where to."""

from __future__ import annotations

import argparse
import importlib
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from ssa.weights import SHIPPED_ROOT
from ssa.weights.seal import seal
from toyworld.train.confidence import train_confidence
from toyworld.train.loop import Trainee, train
from toyworld.train.nouns import train_nouns

BUNDLE, MODERN_BUNDLE = SHIPPED_ROOT / "tiny", SHIPPED_ROOT / "tiny-modern"
STATE = SHIPPED_ROOT.parent / ".train"

NOUNS, CONFIDENCE = "nouns", "confidence"
# In the order of their needs: CLIPSeg begins as the trained CLIP, one segmentor as the other.
TRAINEES = {
    "sam": "toyworld.train.sam:SamTrainee",
    "semantic_sam": "toyworld.train.semantic_sam:SemanticSamTrainee",
    "coco_segmentor": "toyworld.train.oneformer:CocoTrainee",
    "ade20k_segmentor": "toyworld.train.oneformer:Ade20kTrainee",
    "clip": "toyworld.train.clip:ClipTrainee",
    "captions": "toyworld.train.blip:BlipTrainee",
    "clipseg": "toyworld.train.clipseg:ClipSegTrainee",
}
# Today's families, which begin as the above: the second bundle's.
MODERN = {
    "sam2": "toyworld.train.sam2:Sam2Trainee",
    "tipsv2": "toyworld.train.tipsv2:Tipsv2Trainee",
}


def trainee(name: str, bundle: Path, steps: int | None) -> Trainee:
    """The trainee of a role; its module, and so its library, is imported only now."""
    module, _, cls = {**TRAINEES, **MODERN}[name].partition(":")
    made: Trainee = getattr(importlib.import_module(module), cls)(bundle)
    if steps is not None:
        made.recipe = replace(made.recipe, steps=steps)
    return made


def main() -> None:
    """Train the models named, or all."""
    parser = argparse.ArgumentParser(prog="train_tiny", description=__doc__)
    # Python 3.11 checks an empty "*" against the choices too, hence the [].
    parser.add_argument(
        "model", nargs="*", choices=[*TRAINEES, NOUNS, CONFIDENCE, *MODERN, []], help="default: all"
    )
    parser.add_argument(
        "--steps", type=int, help="instead of the recipe's own (not for nouns and confidence)"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path, help="the bundle's folder (default: the shipped one)")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)  # drawing runs beside the model; more threads only get in each other's way
    # The last one judges what the others say.
    for name in arguments.model or [*TRAINEES, NOUNS, CONFIDENCE, *MODERN]:
        bundle = arguments.out or (MODERN_BUNDLE if name in MODERN else BUNDLE)
        if name == NOUNS:
            train_nouns(bundle)
        elif name == CONFIDENCE:
            train_confidence(bundle)
        else:
            torch.manual_seed(0)
            model = trainee(name, bundle, arguments.steps)
            train(model, STATE / bundle.name, bundle, arguments.device)
        if bundle.resolve() in (BUNDLE, MODERN_BUNDLE):
            seal(bundle.name, bundle.parent)  # the manifest learns the files' sizes and hashes


if __name__ == "__main__":
    main()
