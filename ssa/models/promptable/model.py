"""What automatic masks ask of a model: look at a crop once, then answer any number of points.

Whoever fulfils ``PromptableModel`` gets automatic mask generation from ``amg``; ``SamMaskProposer`` and
``SemanticSamMaskProposer`` do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ssa.batching import BatchLimit
from ssa.models.promptable.enlarge import Enlargement
from ssa.types import RGBImage

Embedding = TypeVar("Embedding")


class Decoded(Protocol):
    """A model's answers to N points: K masks each, which needn't be drawn before they are asked for."""

    @property
    def ious(self) -> Tensor:
        """How good the model thinks its masks are: (N, K) float32, on the model's device."""
        ...

    def logits(self, points: Tensor, outputs: Tensor) -> Tensor:
        """Small masks (M, a, b), float32, of points (M,), ascending, each one of its K outputs (M,).

        Both are int64 on the host.
        """
        ...


@runtime_checkable
class PromptableModel(Protocol[Embedding]):
    """A model that looks at a crop once and then answers any number of point prompts.

    Pixels count from the crop's top left corner. ``mask_threshold`` is the logit above which a pixel is
    inside; ``in_bulk`` is whether few large operations are wanted; ``points_at_once`` is how many points pay
    to be asked together, and ``points_limit`` knows how many memory allows. ``granularities`` says how fine
    each of the K outputs is, None where a model can't.
    """

    mask_threshold: float
    in_bulk: bool
    granularities: Sequence[int | None]
    points_at_once: int
    points_limit: BatchLimit

    def embed(self, crop: RGBImage) -> Embedding:
        """Look at a crop (h, w, 3), RGB uint8."""
        ...

    def decode(self, embedding: Embedding, points_xy: NDArray[np.float64]) -> Decoded:
        """Answer points (N, 2)."""
        ...

    def enlargement(
        self, embedding: Embedding, size_hw: tuple[int, int] | None = None
    ) -> Enlargement:
        """How small masks (a, b) become masks of the crop's size (h, w), or of another one."""
        ...
