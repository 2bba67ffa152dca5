"""What is added to named regions, in an order in which each step sees what it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from fakes import FakePhrases, proposal, squares, stages

from ssa.config import PUBLISHED_RULES, LabelSettings, PhraseSettings, SelectionSettings, Settings
from ssa.labelling.finishing import finished
from ssa.masks.run_lengths import decode
from ssa.progress import StageLog, keep_silent
from ssa.types import Annotation, Evidence, Picture, ProposedMasks, TreeNode

MASKS = (np.ones((4, 4), np.bool_), squares(4, 4, 2)[0])
NAMED = tuple(
    Annotation(proposal(mask), name, (name,), Evidence(caption=name))
    for mask, name in zip(MASKS, ("house", "window"), strict=True)
)
PICTURE = Picture(np.zeros((4, 4, 3), np.uint8))
NODES = (TreeNode(None, 0), TreeNode(0, 1))


@dataclass
class SureOfParts:
    """Is sure of parts alone, and of those that somebody spoke of."""

    def of(self, annotation: Annotation) -> float | None:
        is_part = annotation.node is not None and annotation.node.level > 0
        return float(is_part and bool(annotation.evidence.models))


STAGES = replace(stages([]), models={"captions": "blip"}, confidence=SureOfParts())
LOG = StageLog(keep_silent)
APART = replace(Settings(), selection=SelectionSettings(overlaps=False))


def test_the_last_step_sees_what_the_others_added() -> None:
    found = finished(NAMED, PICTURE, ProposedMasks(()), NODES, APART, STAGES, LOG)
    assert [one.node for one in found] == [*NODES]
    assert [dict(one.evidence.models) for one in found] == [{"caption": "blip"}] * 2
    assert [one.confidence for one in found] == [0.0, 1.0]
    assert [int(decode(one.proposal.rle).sum()) for one in found] == [12, 4]


def test_regions_that_came_along_keep_their_pixels() -> None:
    given = replace(PICTURE, proposals=tuple(one.proposal for one in NAMED))
    found = finished(NAMED, given, ProposedMasks(()), None, APART, stages([]), LOG)
    assert found == NAMED


def test_nobody_knows_how_sure_names_by_other_rules_are() -> None:
    published = replace(Settings(), labels=LabelSettings(rules=PUBLISHED_RULES))
    found = finished(NAMED, PICTURE, ProposedMasks(()), NODES, published, STAGES, LOG)
    assert [one.confidence for one in found] == [None, None]


def test_a_region_that_a_phrase_found_is_finished_like_the_others() -> None:
    missed = np.zeros((4, 4), np.bool_)
    missed[1:3, 2:] = True
    asked = replace(APART, phrases=PhraseSettings("complete"), parts=True)
    finder = FakePhrases({"house": [(missed, 0.9)]})
    models = {"captions": "blip", "phrases": "sam3"}
    known = replace(STAGES, phrases=finder, models=models)
    *_, added = finished(NAMED, PICTURE, ProposedMasks(()), NODES, asked, known, LOG)
    assert (added.class_name, added.source, added.node) == ("house", "phrase", TreeNode(None, 0))
    assert (dict(added.evidence.models), added.confidence) == ({"phrases": "sam3"}, 0.0)
    # It lies in the house, which leaves it its pixels.
    assert int(decode(added.proposal.rle).sum()) == 4
