"""How a region gets its name: the user's own classes, rules, scales and thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PhraseUse = Literal["none", "verify", "complete", "both"]


@dataclass(frozen=True, slots=True)
class VocabularyClass:
    """A class of the user's own: what records call it, and all texts that models are asked for it.

    ``texts`` begin with the label; its synonyms follow.
    """

    label: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The only names that regions may get, but for "unknown".

    ``ssa.labelling.vocabulary`` reads and checks one. No text stands in it twice.
    """

    classes: tuple[VocabularyClass, ...]


@dataclass(frozen=True, slots=True)
class NameRules:
    """Where the steps to a name may follow the published engine's rules; by default none does."""

    # A caption's noun phrases as they stand, "a red car"; else without article, and "car" alone too.
    whole_phrases: bool = False
    # Crops' boxes lose fractions of pixels; else they are rounded outwards.
    cut_boxes: bool = False
    # Segmentors' scores are read for every pixel, unsmoothed; else smoothed, and large pictures on a grid.
    plain_votes: bool = False
    # CLIPSeg's crop comes through its processor's own size, and is compared there; else on its own pixels.
    processor_grid: bool = False


PUBLISHED_RULES = NameRules(
    whole_phrases=True, cut_boxes=True, plain_votes=True, processor_grid=True
)


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """How a mask gets its name; scales multiply the mask's box about its centre."""

    captioner_crop_scale: float = 1.6
    ranker_crop_scale: float = 1.2
    chooser_crop_scale: float = 1.6
    # CLIPSeg's square input. The published engine uses 512; the model was trained at 352.
    chooser_side_px: int = 512
    # The square whose cells a dense ranker's grid has as many as, whatever a picture's shape; a multiple of
    # its patch. 0 for the model's own: twice that finds more of small regions, for four times the work.
    dense_side_px: int = 0
    # A CLIP or SigLIP 2 looks at a picture once, for all its regions, and not at a crop of each.
    ranker_looks_once: bool = False
    top_k: int = 3
    # So many labels of the bank, those that a dense ranker finds most like a region, join its candidates. By
    # default none: the same model ranks them afterwards, so they come before nearly all that was voted for
    # or said, and nobody has measured on photographs that names are the better for it.
    bank_top_k: int = 0
    # Captions of crops are short; BLIP's own default is 20 tokens.
    caption_max_tokens: int = 20
    # With a vocabulary, a region is unknown when CLIP gives less than this share of its softmax to all of the
    # vocabulary, beside everyday labels: by default when it is more likely something else.
    unknown_below: float = 0.5
    # With a vocabulary, CLIPSeg decides among the best classes whose share is at least this part of the best
    # one's. Most of a vocabulary has nothing to do with a region, and CLIPSeg is easily led astray: on drawn
    # scenes 80 % of names were right without this bound, 97 % with it; 0.03 to 1 do about as well.
    least_of_best: float = 0.1
    rules: NameRules = NameRules()

    def __post_init__(self) -> None:
        if self.bank_top_k < 0:
            raise ValueError(f"bank_top_k must be at least 0; got {self.bank_top_k}")


@dataclass(frozen=True, slots=True)
class PhraseSettings:
    """What a model that finds phrases is asked for, and what its word weighs; see ``labelling.phrases``."""

    use: PhraseUse = "none"
    # What scores less isn't there; SAM 3's own demonstration has the same.
    least_score: float = 0.5
    # A proposal that agrees this well, and by so much better than the name, takes the name.
    least_agreement: float = 0.5
    least_lead: float = 0.2
    # Masks whose IoU is at least this are of one thing.
    same_iou: float = 0.5
    # Of a picture's names so many are asked, the commonest; a vocabulary's are all.
    most_phrases: int = 64
