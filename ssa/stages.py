"""The engine's swap points: one Protocol a stage, one verb each; what looks at whole pictures has three.

Every method takes one batch and returns one value an item, in order. Pictures and crops are RGB uint8
(H, W, 3) of any size; an adapter does its own resizing and normalisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from ssa.config import MaskSettings
from ssa.pictures.canvas import Canvas
from ssa.types import (
    RLE,
    Annotation,
    BoolMask,
    ImageEmbedding,
    LabelMap,
    MaskProposal,
    ProposedMasks,
    RGBImage,
    ScoredLabel,
)

Progress = Callable[[int, int], None]
"""Called after every batch with the prompts done so far and all there are."""


class MaskProposer(Protocol):
    """Finds the regions of a picture, without names; with them may come the picture's embedding."""

    def propose(
        self, image: RGBImage, settings: MaskSettings, progress: Progress
    ) -> ProposedMasks: ...


@runtime_checkable
class ImageEmbedder(Protocol):
    """Says what each cell of a picture looks like, for regions that another model found."""

    def embed_image(self, image: RGBImage) -> ImageEmbedding: ...


class Segmentor(Protocol):
    """Gives each pixel one class of a closed set; the label map has the picture's size.

    ``coarse`` is for who only counts pixels: in large pictures classes may then meet some pixels off, and a
    map that counts may be smaller than the picture.
    ``plain``, scores are enlarged or reduced as transformers does it, without smoothing. A picture whose
    canvas comes in place of its pixels may have been brought to the device by another model.
    """

    def segment(
        self, image: RGBImage | Canvas, *, coarse: bool = False, plain: bool = False
    ) -> LabelMap: ...


class Captioner(Protocol):
    """Says in a few words what a crop shows; the caption may be empty."""

    def caption(self, crops: Sequence[RGBImage]) -> list[str]: ...


class NounExtractor(Protocol):
    """Finds the noun phrases of captions: lower case, no article, first occurrence order, no duplicates.

    ``whole``, each phrase is as it stands, article and all; else its head alone is one too.
    """

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]: ...


class LabelRanker(Protocol):
    """Scores each crop against its own candidates (at least one each): softmax, best first."""

    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]: ...


class LabelChooser(Protocol):
    """Share of each mask's pixels that each of its candidates wins, best first; ties keep their order.

    ``masks[i]`` is (h, w) bool in the frame of ``crops[i]`` (h, w, 3). ``at_own_size``, pixels are those of
    the square that the model's processor makes of a crop; else the crop's own.
    """

    def choose(
        self,
        crops: Sequence[RGBImage],
        masks: Sequence[BoolMask],
        candidates: Sequence[Sequence[str]],
        *,
        at_own_size: bool = False,
    ) -> list[tuple[ScoredLabel, ...]]: ...


@runtime_checkable
class DenseRanker(Protocol):
    """Ranks, and decides by pixels, from one look at a picture, however many regions it is then asked for.

    A view is the ranker's own business; it holds for all regions of its picture. ``masks`` are of the
    picture's size, one a region, and so are the candidates (at least one each).
    """

    def look(self, image: RGBImage) -> Any: ...

    def rank(
        self,
        view: Any,
        masks: Sequence[RLE],
        candidates: Sequence[Sequence[str]],
        most: int | None = None,
    ) -> list[tuple[ScoredLabel, ...]]:
        """As ``LabelRanker`` does; ``most`` bounds how many of a region's best are given."""
        ...

    def choose(
        self, view: Any, masks: Sequence[RLE], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        """As ``LabelChooser`` does."""
        ...


class PhraseSegmentor(Protocol):
    """Finds every instance of each phrase, best first; ``predicted_iou`` is an instance's score, 0 to 1.

    Only those that score more than ``least_score`` come, none of them empty.
    """

    def find(
        self, image: RGBImage, phrases: Sequence[str], least_score: float, progress: Progress
    ) -> list[tuple[MaskProposal, ...]]: ...


class NameConfidence(Protocol):
    """Says how likely an annotation's name is right, 0 to 1; None where it can't say."""

    def of(self, annotation: Annotation) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Stages:
    """The models of an engine, each behind its Protocol.

    ``proposers`` are those that there are by the name of their mask source, and ``remedies`` says of the
    others what brings them. ``segmentors`` vote together on open-vocabulary names; of ``closed_set``, by
    name, one gives all labels. Without a ``captioner`` names are voted for, and without ``nouns`` captions
    name nothing; without a ``chooser`` the ranker's first is chosen. Where ``ranker`` and ``chooser`` are
    one dense ranker it looks at a picture once for both. ``embedder`` serves regions that came without an
    embedding. ``confidence`` says how likely these models' names are right, if that was fitted. ``models``
    are the models' names by their role in a bundle, for the record, and by "bank" that of the dense ranker.
    ``phrases`` finds all that bears a name.
    """

    proposers: Mapping[str, MaskProposer]
    segmentors: tuple[Segmentor, ...]
    captioner: Captioner | None
    nouns: NounExtractor | None
    ranker: LabelRanker | DenseRanker
    chooser: LabelChooser | DenseRanker | None
    embedder: ImageEmbedder | None = None
    closed_set: Mapping[str, Segmentor] = field(default_factory=lambda: MappingProxyType({}))
    remedies: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    confidence: NameConfidence | None = None
    models: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    phrases: PhraseSegmentor | None = None

    @property
    def dense(self) -> DenseRanker | None:
        """The ranker, or else the chooser, if it looks at whole pictures."""
        both = (self.ranker, self.chooser)
        return next((one for one in both if isinstance(one, DenseRanker)), None)

    @property
    def mask_sources(self) -> tuple[str, ...]:
        """The names of all that can find masks."""
        return (*self.proposers, *(["phrases"] if self.phrases is not None else []))

    def __post_init__(self) -> None:
        if not self.segmentors:
            raise ValueError("expected at least one segmentor: its vote is the name of last resort")
