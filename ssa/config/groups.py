"""How regions are put in order: wholes and parts, and groups of those that look alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """When a mask is a part of another."""

    # Masks of wholes end a pixel or two short of their parts' outlines, so a part may stick out a little.
    containment: float = 0.9
    # Two masks of one thing differ by a few per cent; a whole is clearly larger than its part.
    least_growth: float = 1.25


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Grouping of alike regions: their embeddings, and DBSCAN (cosine distance) over these.

    The defaults are what did best on drawn scenes with the miniature SAM (``./scripts/evaluate clusters``).
    """

    # For standardised embeddings; 0.44 to 0.52 do about as well.
    eps: float = 0.48
    # Two of a kind are a group.
    min_samples: int = 2
    # "share": a cell of the embedding counts by how much of it the mask covers; "touched": the published
    # rule, all cells alike that hold more than one of the mask's pixels.
    weighting: Literal["share", "touched"] = "share"
    # Channels less their mean over the picture, and by their spread: all cells share a large common part.
    standardised: bool = True
    # Take apart what only a chain of likenesses holds together: no two halves of a group are more than eps
    # apart on average. Without, one thing between two kinds makes them one group.
    cohesive: bool = True
    # So many members of a cluster are named to name it.
    representatives: int = 3


# The settings of the project that had the idea (SAM-Automatic-Semantic-Segmentation, 2023).
PUBLISHED_CLUSTERS = ClusterSettings(
    eps=0.06, min_samples=8, weighting="touched", standardised=False, cohesive=False
)
