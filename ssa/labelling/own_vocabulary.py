"""Names from the user's own vocabulary: CLIP ranks its classes, CLIPSeg decides, and some are unknown.

Neither segmentors nor captions are asked. In their place stand everyday labels, beside which CLIP compares
the vocabulary: what suits those better than any class isn't forced into one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ssa.config import LabelSettings, Vocabulary
from ssa.labelling.choosing import Choosing, Scores, Texts, Work, winner
from ssa.labelling.vocabulary import UNKNOWN, everyday_labels
from ssa.types import Annotation, Evidence, ScoredLabel, TreeNode

# So many classes of a ranking are kept: of the 2,000 there may be, a hundred masks would fill a picture's
# memory many times over.
RANKED_CLASSES = 20


class OwnClasses:
    """Names regions by the classes of a vocabulary."""

    def __init__(self, choosing: Choosing) -> None:
        self._choosing = choosing

    def name(
        self, vocabulary: Vocabulary, work: Work, nodes: Sequence[TreeNode] | None = None
    ) -> tuple[Annotation, ...]:
        """One annotation a region, in order; ``nodes`` are put down and change no name.

        The evidence's ranking holds the shares of the best classes in CLIP's softmax over all texts of the
        vocabulary and the everyday labels: a class has those of its texts together. Where all classes
        together have less than ``unknown_below``, the region is "unknown", and CLIPSeg isn't asked; its
        proposals are the classes that came nearest. Else they are the classes that CLIPSeg chose from: the
        best ``top_k``, less those that have under ``least_of_best`` of the best one's share.
        """
        classes, labels = _classes_by_text(vocabulary), work.settings.labels
        ranked = self._rank(vocabulary, work)
        asked = [one.contenders(labels) for one in ranked]
        shares = self._choosing.choose(range(len(ranked)), asked, work)
        places = nodes if nodes is not None else [None] * len(ranked)
        return tuple(
            Annotation(
                proposal,
                classes.get(winner(texts, own) or "", UNKNOWN),
                tuple(scored.label for scored in one.classes[: len(texts) or labels.top_k]),
                Evidence(ranking=one.classes, shares=_labelled(own, classes)),
                node,
            )
            for proposal, one, texts, own, node in zip(
                work.regions.proposals, ranked, asked, shares, places, strict=True
            )
        )

    def _rank(self, vocabulary: Vocabulary, work: Work) -> list[_Ranked]:
        classes = _classes_by_text(vocabulary)
        texts = (*classes, *everyday_labels(vocabulary))
        indices = range(len(work.regions))
        rankings = self._choosing.rank(indices, [texts] * len(indices), work)
        # One at a time: all texts of all regions together would be too many.
        return [_Ranked.of(ranking, classes) for ranking in rankings]


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A region's best classes, each with its share and, in the same order, the best of its texts.

    ``known`` is the share of all classes, 0 to 1.
    """

    classes: Scores
    texts: Texts
    known: float

    @classmethod
    def of(cls, ranking: Scores, classes: Mapping[str, str]) -> _Ranked:
        """Of CLIP's scores by text, best first, and the class of each text that has one."""
        shares: dict[str, float] = {}
        best: dict[str, str] = {}
        for scored in ranking:
            label = classes.get(scored.label)
            if label is not None:
                shares[label] = shares.get(label, 0.0) + scored.score
                best.setdefault(label, scored.label)
        order = sorted(shares, key=lambda label: -shares[label])[:RANKED_CLASSES]
        scores = tuple(ScoredLabel(label, shares[label]) for label in order)
        return cls(scores, tuple(best[label] for label in order), sum(shares.values()))

    def contenders(self, settings: LabelSettings) -> Texts:
        """The texts that CLIPSeg is to choose from; none for an unknown region."""
        if self.known < settings.unknown_below:
            return ()
        least = settings.least_of_best * self.classes[0].score
        best = zip(self.classes[: settings.top_k], self.texts, strict=False)
        return tuple(text for scored, text in best if scored.score >= least)


def _classes_by_text(vocabulary: Vocabulary) -> dict[str, str]:
    """The class of every text, in the vocabulary's order."""
    return {text: one.label for one in vocabulary.classes for text in one.texts}


def _labelled(shares: Scores, classes: Mapping[str, str]) -> Scores:
    return tuple(ScoredLabel(classes[scored.label], scored.score) for scored in shares)
