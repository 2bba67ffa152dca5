"""Fits how likely a name of the miniature bundle's is right, on drawn scenes of the training range.

They are the last of that range, which no model came to in its training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from ssa.config import Settings
from ssa.engine import Engine
from ssa.files import write_whole
from ssa.labelling.confidence import FILE
from ssa.loading import load_engine
from ssa.score.fitting import fit_confidence
from ssa.types import Annotation, Picture
from toyworld.scenes import Scene, draw_scene
from toyworld.seeds import TRAINING_SCENES, training_seed
from toyworld.truth import are_right

SCENES, AT_ONCE = 1200, 8
# Of each third scene masks are Semantic-SAM's, with parts.
WITH_PARTS = 3


def train_confidence(out: Path) -> None:
    """Fit it to the bundle in the folder ``out``, and put it there."""
    loaded = load_engine(out.parent, out.name)
    engine = Engine(replace(loaded.stages, confidence=None))
    annotations, right = list[Annotation](), list[bool]()
    for found, own in tqdm(_judged(engine, loaded.settings), total=SCENES, unit="scene"):
        annotations += found
        right += own
    fitted = fit_confidence(annotations, right)
    write_whole(out / "confidence" / FILE, fitted.dumps())
    print(f"confidence: {sum(right):,} of {len(right):,} names are right")


def _judged(engine: Engine, settings: Settings) -> Iterator[tuple[list[Annotation], list[bool]]]:
    """Each scene's annotations, and which of them are right."""
    finely = replace(settings, mask_source="semantic-sam")
    for start in range(0, SCENES, AT_ONCE):
        scenes = [_scene(index) for index in range(start, start + AT_ONCE)]
        own = finely if start // AT_ONCE % WITH_PARTS == 0 else settings
        annotated = engine.annotate_all([Picture(scene.image) for scene in scenes], own)
        for scene, one in zip(scenes, annotated, strict=True):
            yield list(one.annotations), are_right(scene, one)


def _scene(index: int) -> Scene:
    """The ``index``-th from the end of the training range; each sixth is wider than high."""
    return draw_scene(
        training_seed(TRAINING_SCENES - 1 - index), 192 if index % 6 == 5 else 256, 256
    )
