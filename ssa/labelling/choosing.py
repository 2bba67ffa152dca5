"""The last two steps to a name, over all regions in batches: a ranker, and a chooser where there is one.

Either gets crops, or is a dense ranker and gets masks of whole pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ssa.batching import BatchLimit
from ssa.config import Settings
from ssa.labelling.dense import REGIONS_AT_ONCE, choose_densely, rank_densely
from ssa.pictures.regions import AnyRegions
from ssa.progress import StageLog
from ssa.stages import DenseRanker, LabelChooser, LabelRanker
from ssa.types import ScoredLabel

Texts = tuple[str, ...]
Scores = tuple[ScoredLabel, ...]


class Work:
    """The regions at hand, and how far their naming is: stages go on from level to level."""

    def __init__(self, regions: AnyRegions, settings: Settings, log: StageLog) -> None:
        self.regions, self.settings, self.log = regions, settings, log
        self._counts: dict[str, int] = {}

    def count(self, what: str, more: int) -> int:
        """Add to a count; gives the sum so far."""
        self._counts[what] = self._counts.get(what, 0) + more
        return self._counts[what]


class Choosing:
    """The models; from call to call it keeps how many crops each found room for in memory."""

    def __init__(
        self, ranker: LabelRanker | DenseRanker, chooser: LabelChooser | DenseRanker | None
    ) -> None:
        self._ranker, self._chooser = ranker, chooser
        self._rank_limit, self._choose_limit = BatchLimit("ranker"), BatchLimit("chooser")
        self._suggest_limit = BatchLimit("bank")

    def suggest(self, ranker: DenseRanker, texts: Texts, most: int, work: Work) -> list[Scores]:
        """Of ``texts`` the ``most`` that suit each region best, by a dense ranker, best first."""

        def suggest(batch: Sequence[int]) -> list[Scores]:
            return rank_densely(ranker, work.regions, batch, [texts] * len(batch), most)

        found: list[Scores] = []
        with work.log.stage("bank", len(work.regions)) as done:
            indices = range(len(work.regions))
            for _, some in self._suggest_limit.run(suggest, indices, REGIONS_AT_ONCE):
                found += some
                done(len(found))
        return found

    def rank(
        self, indices: Sequence[int], candidates: Sequence[Texts], work: Work
    ) -> Iterator[Scores]:
        """The ranker's scores of each region's own candidates, best first; one by one, as they come."""
        ranker = self._ranker

        def rank(batch: Sequence[int]) -> list[Scores]:
            own, asked = [indices[i] for i in batch], [candidates[i] for i in batch]
            if isinstance(ranker, DenseRanker):
                return rank_densely(ranker, work.regions, own, asked)
            return ranker.rank(
                work.regions.crops(own, work.settings.labels.ranker_crop_scale), asked
            )

        dense, places = isinstance(ranker, DenseRanker), range(len(indices))
        size = REGIONS_AT_ONCE if dense else work.settings.batches.ranker
        with work.log.stage("ranker", len(work.regions)) as done:
            for _, found in self._rank_limit.run(rank, places, size):
                yield from found
                done(work.count("ranker", len(found)))

    def choose(
        self, indices: Sequence[int], proposals: Sequence[Texts], work: Work
    ) -> list[Scores]:
        """The share of each region's pixels that each of its proposals wins, best first.

        A single proposal has won, and where there is none nothing is chosen: only where there are several
        is the model asked. Where there is no model, of several none has a share; see ``winner``.
        """
        chooser = self._chooser
        if chooser is None:
            return [_won_alone(own) for own in proposals]

        def choose(batch: Sequence[int]) -> list[Scores]:
            own, asked = [indices[i] for i in batch], [proposals[i] for i in batch]
            if isinstance(chooser, DenseRanker):
                return choose_densely(chooser, work.regions, own, asked)
            scale = work.settings.labels.chooser_crop_scale
            crops, masks = work.regions.crops(own, scale), work.regions.masks(own, scale)
            own_size = work.settings.labels.rules.processor_grid
            return chooser.choose(crops, masks, asked, at_own_size=own_size)

        shares = [_won_alone(own) for own in proposals]
        several = [place for place, own in enumerate(proposals) if len(own) > 1]
        total = len(work.regions) - work.count("settled", len(proposals) - len(several))
        dense = isinstance(chooser, DenseRanker)
        size = REGIONS_AT_ONCE if dense else work.settings.batches.chooser
        with work.log.stage("chooser", total) as done:
            for batch, chosen in self._choose_limit.run(choose, several, size):
                for place, share in zip(batch, chosen, strict=True):
                    shares[place] = share
                done(work.count("chooser", len(chosen)))
        return shares


def winner(proposals: Texts, shares: Scores) -> str | None:
    """The proposal with the largest share; the ranker's first where nobody gave shares; of none, None."""
    if shares:
        return shares[0].label
    return proposals[0] if proposals else None


def _won_alone(proposals: Texts) -> Scores:
    return tuple(ScoredLabel(text, 1.0) for text in proposals) if len(proposals) == 1 else ()
