"""What comes of a picture: its regions to read, its files to keep, and other libraries' objects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from ssa.api.files import write_files
from ssa.drawing.overlay import draw_overlay
from ssa.errors import OutputError
from ssa.formats import objects, sa1b
from ssa.labelling.vocabulary import UNKNOWN
from ssa.masks import run_lengths
from ssa.types import AnnotatedImage, Annotation, BoolMask, BoxXYWH, Evidence, LabelMap, RGBImage

if TYPE_CHECKING:
    import supervision


@dataclass(frozen=True)
class Region:
    """One region of a picture: where it is, what it is called, and how sure that is.

    ``annotation`` is all that the engine said of it; the rest are ways to read it.
    """

    annotation: Annotation

    @property
    def class_name(self) -> str | None:
        """Its name; None where ``labels`` was "none"."""
        return self.annotation.class_name

    @property
    def class_proposals(self) -> tuple[str, ...]:
        """The names it was chosen from, most likely first; empty where there is no name."""
        return self.annotation.class_proposals

    @cached_property
    def mask(self) -> BoolMask:
        """(H, W) bool, true inside; decoded when first asked for and kept."""
        return run_lengths.decode(self.annotation.proposal.rle)

    @property
    def bbox_xywh(self) -> BoxXYWH:
        """Left, top, width and height of the mask in pixels."""
        return self.annotation.proposal.bbox_xywh

    @property
    def area_px(self) -> int:
        """How many pixels are inside."""
        return self.annotation.proposal.area_px

    @property
    def predicted_iou(self) -> float:
        """The mask model's own estimate of the mask's quality, about 0 to 1."""
        return self.annotation.proposal.predicted_iou

    @property
    def stability_score(self) -> float:
        """How little the mask changes when its cut-off is moved, 0 to 1."""
        return self.annotation.proposal.stability_score

    @property
    def score(self) -> float | None:
        """How much speaks for the name, 0 to 1; None where nothing was measured.

        With closed-set labels the share of the region's pixels that have the class. Else CLIP's likelihood
        of the name among all candidates, with a vocabulary among its classes; for "unknown" that of the
        nearest class, ``evidence.ranking[0]``. Of a region that a phrase found, the instance's.
        """
        ranking = self.evidence.ranking
        ranked = {one.label: one.score for one in ranking}
        if ranking and self.class_name == UNKNOWN:
            return ranked.get(UNKNOWN, ranking[0].score)
        if self.class_name in ranked:
            return ranked[self.class_name]
        shares = [one.share for one in self.evidence.votes if one.label == self.class_name]
        shares += [one.score for one in self.evidence.agreement if one.label == self.class_name]
        return max(shares, default=None)

    @property
    def confidence(self) -> float | None:
        """The probability that the name is right, 0 to 1; None where nobody has fitted one."""
        return self.annotation.confidence

    @property
    def margin(self) -> float | None:
        """CLIPSeg's share of the name less that of the runner-up, 0 to 1; None where it wasn't asked."""
        return self.evidence.margin

    @property
    def evidence(self) -> Evidence:
        """What each stage said of it: votes, caption, noun phrases, ranking, shares, agreement, cluster."""
        return self.annotation.evidence

    @property
    def parent(self) -> int | None:
        """The position, among the result's regions, of the whole it is a part of; None for a whole."""
        return None if self.annotation.node is None else self.annotation.node.parent

    @property
    def source(self) -> str | None:
        """What found it: "phrase" for a region that was missed, and found by the name of another."""
        return self.annotation.source

    @property
    def part_of(self) -> str | None:
        """The name of the whole in whose light it was named."""
        return self.annotation.part_of


@dataclass(frozen=True, eq=False)
class Result:
    """An annotated picture: a sequence of ``Region``, in the order in which the mask model found them.

    ``picture`` is what was annotated, (H, W, 3) RGB uint8 and upright; ``detail`` whether records say what
    every stage said, unless told otherwise; ``legend`` and ``doubtful_below`` are for the overlay.
    """

    picture: RGBImage = field(repr=False)
    annotated: AnnotatedImage = field(repr=False)
    detail: bool = False
    legend: bool = False
    doubtful_below: float | None = None

    def __len__(self) -> int:
        """How many regions there are."""
        return len(self.annotated.annotations)

    def __iter__(self) -> Iterator[Region]:
        """The regions, one by one."""
        return iter(self.regions)

    def __getitem__(self, position: int) -> Region:
        """One region; ``Region.parent`` is such a position."""
        return self.regions[position]

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """All regions."""
        return tuple(Region(annotation) for annotation in self.annotated.annotations)

    @property
    def label_map(self) -> LabelMap | None:
        """With closed-set labels the class of every pixel, the regions painted on it; else None."""
        return self.annotated.label_map

    def overlay(self, *, legend: bool | None = None) -> Image.Image:
        """The picture with all regions and their names drawn on it, RGB; of its size unless with a legend."""
        wanted = self.legend if legend is None else legend
        drawn = draw_overlay(self.picture, self.annotated, wanted, self.doubtful_below)
        return Image.fromarray(drawn)

    def save(
        self,
        folder: str | os.PathLike[str],
        *,
        detail: bool | None = None,
        legend: bool | None = None,
    ) -> dict[str, Path]:
        """Write overlay.png and annotations.json, of a closed set label_map.png and classes.json too.

        Returns the paths by these names. The bytes are those that ``ssa predict`` writes. A missing folder
        is made, files of before are replaced. Raises ``OutputError`` where that can't be done.
        """
        whole = self.detail if detail is None else detail
        wanted = self.legend if legend is None else legend
        try:
            return write_files(
                Path(folder),
                self.picture,
                self.annotated,
                detail=whole,
                legend=wanted,
                doubtful_below=self.doubtful_below,
            )
        except OSError as error:
            raise OutputError(
                f"expected a folder that can be written to; got {os.fspath(folder)}: "
                f"{error.strerror or type(error).__name__}; name another"
            ) from error

    def to_dict(self, *, detail: bool | None = None) -> dict[str, Any]:
        """Height, width and one record a region, as annotations.json has them; plain values only."""
        records = sa1b.to_records(self.annotated, self.detail if detail is None else detail)
        size = {"height": self.annotated.height, "width": self.annotated.width}
        return {**size, "annotations": records}

    def to_json(self, *, detail: bool | None = None) -> str:
        """The text of annotations.json: a list of one record a region."""
        return sa1b.dumps(self.annotated, self.detail if detail is None else detail).decode("ascii")

    def to_supervision(self) -> supervision.Detections:
        """As ``supervision.Detections``; see ``ssa.to_supervision``."""
        return objects.to_supervision(self.annotated)

    def to_fiftyone(self) -> Any:
        """As ``fiftyone.Detections``; see ``ssa.to_fiftyone``."""
        return objects.to_fiftyone(self.annotated)
