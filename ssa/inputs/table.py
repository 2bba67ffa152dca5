"""The table of inputs: what each is, what it may be, and what it is when left out.

``predict.py`` says the same in its own words, for Cog reads them there without running anything. A test
ties the two; everything else, the Python door and the command line among it, reads this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ssa.config import MASK_SOURCES


@dataclass(frozen=True, slots=True)
class InputField:
    """One input: what it is, what it may be, and what it is when left out.

    A ``kind`` of ``Path`` is the picture, the one input without a default. An ``optional`` one may be None,
    which leaves the matter to the weights' own settings, or alone. ``ge`` and ``le`` are the least and the
    greatest number, both allowed; ``max_length`` counts characters. What is no ``setting`` says nothing of
    how a picture is annotated, only what goes in or comes out.
    """

    kind: type
    description: str
    default: Any = None
    optional: bool = False
    choices: tuple[str, ...] | None = None
    ge: float | None = None
    le: float | None = None
    max_length: int | None = None
    setting: bool = True

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest number; a number's input always has both."""
        if self.ge is None or self.le is None:
            raise ValueError(f"expected ge and le of an input of {self.kind}; got {self}")
        return self.ge, self.le


_TABLE = {
    "image": InputField(
        Path,
        "The picture, in any format that Pillow reads. An animation gives its first frame.",
        setting=False,
    ),
    "output_json": InputField(
        bool,
        "Also return the annotations as JSON, one record for each mask.",
        default=True,
        setting=False,
    ),
    "mask_source": InputField(
        str,
        "The model that finds the masks: sam; semantic-sam, which finds wholes and their parts "
        "at six granularities; or phrases, which finds the classes of a vocabulary.",
        default="sam",
        choices=tuple(MASK_SOURCES),
    ),
    "granularity": InputField(
        str,
        "Which of semantic-sam's levels to ask, from 1 for wholes to 6 for parts: all, or numbers "
        "such as 1,3,5. Left out, all.",
        optional=True,
        max_length=32,
    ),
    "labels": InputField(
        str,
        "What the labels are: open-vocabulary for names of any kind, closed-set for the classes "
        "of one segmentor, clusters for groups of masks that look alike, none for masks alone.",
        default="open-vocabulary",
        choices=("open-vocabulary", "closed-set", "clusters", "none"),
    ),
    "vocabulary": InputField(
        str,
        "Your own classes, one a line: label, or label: synonym, synonym. Each mask gets one of "
        "them or unknown. Left out, names of any kind.",
        optional=True,
        max_length=50000,
    ),
    "unknown_below": InputField(
        float,
        "With a vocabulary only: a mask that is one of its classes with less than this share of "
        "likelihood is unknown; 0 names every mask. Left out, the weights' own setting.",
        optional=True,
        ge=0,
        le=1,
    ),
    "phrases": InputField(
        str,
        "Ask the names as phrases of a model that finds all their instances: verify lets a proposal "
        "that fits better take the name, complete adds what was missed; both does both.",
        default="none",
        choices=("none", "verify", "complete", "both"),
    ),
    "parts": InputField(
        bool,
        "Order the masks into wholes and parts, and name a part in the light of its whole (with a "
        "vocabulary, the order alone). Left out, yes with semantic-sam and no with sam.",
        optional=True,
    ),
    "segmentor": InputField(
        str,
        "Closed-set labels only: coco, ade20k, or the name of the segmentor that the server was "
        "given. Left out, the last of these that is there.",
        optional=True,
        max_length=100,
    ),
    "name_clusters": InputField(
        bool,
        "Clusters only: give each cluster a name, chosen by a few of its members.",
        default=False,
    ),
    "cluster_eps": InputField(
        float,
        "Clusters only: masks at most this cosine distance apart are neighbours. Left out, the "
        "weights' own setting.",
        optional=True,
        ge=0.0001,
        le=2,
    ),
    "cluster_min_samples": InputField(
        int,
        "Clusters only: a mask with at least this many neighbours, itself among them, begins a "
        "cluster. Left out, the weights' own setting.",
        optional=True,
        ge=1,
        le=1000,
    ),
    "points_per_side": InputField(
        int,
        "Prompt points along each side of the picture. More points find smaller regions and take "
        "longer. Left out, the weights' own setting.",
        optional=True,
        ge=1,
        le=128,
    ),
    "pred_iou_thresh": InputField(
        float,
        "Keep masks whose quality, as the model itself estimates it, is at least this. Left out, "
        "the weights' own setting.",
        optional=True,
        ge=0,
        le=1,
    ),
    "stability_score_thresh": InputField(
        float,
        "Keep masks that change little when their cut-off is moved, with at least this stability. "
        "Left out, the weights' own setting.",
        optional=True,
        ge=0,
        le=1,
    ),
    "crop_n_layers": InputField(
        int,
        "Layers of crops to look at besides the whole picture, each with four times as many crops "
        "as the one before. Left out, the weights' own setting.",
        optional=True,
        ge=0,
        le=3,
    ),
    "min_mask_region_area": InputField(
        int,
        "Fill holes and remove islands smaller than this many pixels. Left out, the weights' own "
        "setting.",
        optional=True,
        ge=0,
        le=100000000,
    ),
    "mask_nms_thresh": InputField(
        float,
        "Of masks that share more than this of their pixels (IoU) keep only the best; by itself mask "
        "generation compares boxes alone. Left out, all are kept.",
        optional=True,
        ge=0,
        le=1,
    ),
    "max_masks": InputField(
        int,
        "Keep at most so many masks, those of the best quality by the model's own estimate. "
        "Left out, all.",
        optional=True,
        ge=1,
        le=100_000,
    ),
    "overlaps": InputField(
        bool,
        "Let masks overlap. Without, each pixel belongs to the smallest mask on it, after all have "
        "been named.",
        default=True,
    ),
    "top_k": InputField(
        int,
        "How many proposals the last step chooses a mask's name from.",
        default=3,
        ge=1,
        le=10,
    ),
    "bank_top_k": InputField(
        int,
        "With a dense ranker only: so many names of a bank of everyday ones, those that a region looks "
        "most like, are candidates for its name too. Left out, the weights' own setting.",
        optional=True,
        ge=0,
        le=10,
    ),
    "rules": InputField(
        str,
        "Which rules names follow: current, or published for those of the engine of 2023, whose labels "
        "keep articles and have no head nouns.",
        default="current",
        choices=("current", "published"),
    ),
    "detail": InputField(
        bool,
        "Add to each record of the JSON what every stage said of the mask.",
        default=False,
        setting=False,
    ),
    "legend": InputField(
        bool,
        "Draw a legend beside or under the picture, with the number of each region that has no room "
        "for its name.",
        default=False,
        setting=False,
    ),
    "doubtful_below": InputField(
        float,
        "Draw regions in grey, with a question mark, whose names are right with a probability of less. "
        "Needs weights that know it. Left out, none.",
        optional=True,
        ge=0,
        le=1,
        setting=False,
    ),
}

INPUTS: Mapping[str, InputField] = MappingProxyType(_TABLE)
"""Every input of ``Predictor.predict`` by name, in its order there."""

OPTIONS: Mapping[str, InputField] = MappingProxyType(
    {name: field for name, field in INPUTS.items() if name not in ("image", "output_json")}
)
"""Those that make sense at every door: all but the picture itself and what Cog is to send back."""
