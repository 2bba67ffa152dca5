"""Open-vocabulary names: votes → captions → nouns → ranking → choice, each step over all regions in batches.

The steps of the Semantic Segment Anything engine as published in 2023. Where regions have a tree, ranking and
choice go down it level by level, for a part is named in the light of its whole's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ssa.batching import BatchLimit
from ssa.config import Settings
from ssa.labelling.bank import label_bank
from ssa.labelling.candidates import merge_candidates, tidy_labels
from ssa.labelling.captions import one_line
from ssa.labelling.choosing import Choosing, Scores, Work, winner
from ssa.labelling.own_vocabulary import OwnClasses
from ssa.labelling.parts import Candidate, Whole, candidates_within, shortlist
from ssa.labelling.voting import votes_under
from ssa.pictures.regions import AnyRegions
from ssa.progress import StageLog
from ssa.stages import Stages
from ssa.types import Annotation, Evidence, MaskProposal, ScoredLabel, TreeNode, Vote

Votes = tuple[Vote, ...]
Labels = tuple[str, ...]
Candidates = tuple[Candidate, ...]

ROOT = TreeNode(parent=None, level=0)


class Naming:
    """Names regions; from call to call it keeps how many crops each stage found room for in memory."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._caption_limit = BatchLimit("captioner")
        self._choosing = Choosing(stages.ranker, stages.chooser)
        self._own_classes = OwnClasses(self._choosing)

    def name(
        self,
        regions: AnyRegions,
        settings: Settings,
        log: StageLog,
        nodes: Sequence[TreeNode] | None = None,
    ) -> tuple[Annotation, ...]:
        """One annotation a region, in order, be they of one picture or of many; no region asks no model.

        ``nodes`` are the regions' places in their tree, where they have one: regions inside others are
        then named by the rules of ``ssa.labelling.parts``. The names of roots are the published engine's.
        With the user's own vocabulary, names are its classes and heed no tree.
        """
        if not regions.proposals:
            return ()
        work = Work(regions, settings, log)
        if settings.vocabulary is not None:
            return self._own_classes.name(settings.vocabulary, work, nodes)
        votes = self._vote(regions, settings, log)
        captions = self._caption(regions, settings, log)
        phrases = self._find_nouns(captions, settings, log)
        bank = self._suggest(work)
        told = map(one_line, captions)
        seen = [_Seen(*one) for one in zip(votes, told, phrases, bank, strict=True)]
        places = nodes if nodes is not None else [ROOT] * len(regions)
        named: dict[int, _Named] = {}
        for level in _levels(places):
            wholes = [_wholes(places[i].parent, seen, named) for i in level]
            named |= self._name_level(level, [seen[i] for i in level], wholes, work)
        return tuple(
            named[i].annotation(proposal, seen[i], nodes[i] if nodes is not None else None)
            for i, proposal in enumerate(regions.proposals)
        )

    def _vote(self, regions: AnyRegions, settings: Settings, log: StageLog) -> list[Votes]:
        segmentors, votes, count = self._stages.segmentors, list[Votes](), 0
        plain = settings.labels.rules.plain_votes
        pictures = [one for one in regions.pictures if len(one)]
        with log.stage("segmentors", len(segmentors) * len(pictures)) as done:
            for picture in pictures:
                maps = []
                for segmentor in segmentors:
                    maps.append(segmentor.segment(picture.canvas, coarse=not plain, plain=plain))
                    count += 1
                    done(count)
                votes += votes_under(maps, picture.proposals, picture.boxed_masks())
        return votes

    def _caption(self, regions: AnyRegions, settings: Settings, log: StageLog) -> list[str]:
        captioner = self._stages.captioner
        if captioner is None:
            return [""] * len(regions)

        def work(batch: Sequence[int]) -> list[str]:
            crops = regions.crops(batch, settings.labels.captioner_crop_scale)
            return captioner.caption(crops)

        captions: list[str] = []
        indices = range(len(regions))
        with log.stage("captioner", len(indices)) as done:
            batches = self._caption_limit.run(work, indices, settings.batches.captioner)
            for _, found in batches:
                captions += found
                done(len(captions))
        return captions

    def _find_nouns(
        self, captions: Sequence[str], settings: Settings, log: StageLog
    ) -> list[Labels]:
        nouns = self._stages.nouns
        if nouns is None or self._stages.captioner is None:
            return [()] * len(captions)
        with log.stage("nouns", len(captions)) as done:
            phrases = nouns.extract(captions, whole=settings.labels.rules.whole_phrases)
            done(len(captions))
        # A model may write any character, and names are shown in many places.
        return [tuple(dict.fromkeys(filter(None, map(one_line, own)))) for own in phrases]

    def _suggest(self, work: Work) -> list[Scores]:
        """The best labels of the bank for each region; none where none are asked for."""
        dense, most = self._stages.dense, work.settings.labels.bank_top_k
        if dense is None or not most:
            return [()] * len(work.regions)
        return self._choosing.suggest(dense, label_bank(), most, work)

    def _name_level(
        self,
        level: Sequence[int],
        seen: Sequence[_Seen],
        wholes: Sequence[tuple[Whole, ...]],
        work: Work,
    ) -> dict[int, _Named]:
        """Name the regions of one level of the tree, given what they lie in."""
        candidates = [
            candidates_within(one.labels, one.caption, around)
            for one, around in zip(seen, wholes, strict=True)
        ]
        asked = [_texts(one) for one in candidates]
        rankings = list(self._choosing.rank(level, asked, work))
        top_k = work.settings.labels.top_k
        tops = [shortlist(*pair, top_k) for pair in zip(rankings, candidates, strict=True)]
        shares = self._choosing.choose(level, [_texts(top) for top in tops], work)
        return {
            index: _Named(*one)
            for index, *one in zip(level, wholes, candidates, rankings, tops, shares, strict=True)
        }


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a region by itself."""

    votes: Votes
    caption: str
    noun_phrases: Labels
    bank: Scores

    @property
    def labels(self) -> Labels:
        further = (scored.label for scored in self.bank)
        return tidy_labels((*merge_candidates(self.votes, self.noun_phrases), *further))


@dataclass(frozen=True, slots=True)
class _Named:
    """How a region got its name; the models' scores are by text, what comes out is by label."""

    wholes: tuple[Whole, ...]
    candidates: Candidates
    ranking: Scores
    top: Candidates
    shares: Scores

    @property
    def chosen(self) -> Candidate:
        won = winner(_texts(self.top), self.shares)
        return next(one for one in self.top if one.text == won)

    def annotation(self, proposal: MaskProposal, seen: _Seen, node: TreeNode | None) -> Annotation:
        """The record of it all."""
        labels = {one.text: one.label for one in self.candidates}
        ranking, shares = (
            tuple(ScoredLabel(labels[scored.label], scored.score) for scored in scores)
            for scores in (self.ranking, self.shares)
        )
        seen_of = seen.votes, seen.caption, seen.noun_phrases
        evidence = Evidence(*seen_of, ranking, shares, bank=seen.bank)
        proposals = tuple(one.label for one in self.top)
        chosen = self.chosen
        return Annotation(proposal, chosen.label, proposals, evidence, node, chosen.part_of)


def _levels(nodes: Sequence[TreeNode]) -> list[list[int]]:
    """The ids of each level, roots first, in order."""
    by_level = sorted(range(len(nodes)), key=lambda i: nodes[i].level)  # keeps the order of equals
    return [list(level) for _, level in groupby(by_level, key=lambda i: nodes[i].level)]


def _wholes(
    parent: int | None, seen: Sequence[_Seen], named: Mapping[int, _Named]
) -> tuple[Whole, ...]:
    """What a region lies in, nearest first: its parent, and what that is a part of in turn.

    A parent that is neither a part of its own whole nor called like it (a person before a house) has
    nothing to do with that whole, and neither have its parts.
    """
    if parent is None:
        return ()
    one, chosen = seen[parent], named[parent].chosen
    names = tidy_labels([chosen.label, *(vote.label for vote in one.votes)])
    whole = Whole(chosen.label, frozenset(names), one.caption, one.noun_phrases)
    if chosen.part_of is None and not chosen.names_whole:
        return (whole,)
    above = (other for other in named[parent].wholes if other.class_name != whole.class_name)
    return (whole, *above)


def _texts(candidates: Candidates) -> Labels:
    return tuple(one.text for one in candidates)
