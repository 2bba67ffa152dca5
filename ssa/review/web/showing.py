"""A picture's regions as the page takes them: plain values, without a path of any file."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from ssa.drawing.colours import GREY, hexadecimal, label_colour
from ssa.formats.example import Example
from ssa.review.decisions import to_plain_mask
from ssa.review.replay import PictureNow, RegionNow
from ssa.types import RLE, Annotation, ScoredLabel

Shown = dict[str, Any]


def shown(example: Example, now: PictureNow) -> Shown:
    """The picture and its regions as they are now; ``masks`` changes whenever a mask does."""
    return {
        "key": example.key,
        "name": example.picture_name,
        "width": example.width,
        "height": example.height,
        "masks": masks_version([one.mask for one in now.regions]),
        "regions": [_region(example, one) for one in now.regions],
    }


def masks_version(masks: list[RLE]) -> str:
    """What the masks of a picture are known by, all together."""
    digest = hashlib.sha256()
    for one in masks:
        digest.update(one.counts.encode("ascii") + b"/")
    return digest.hexdigest()[:16]


def colour_of(label: str | None) -> str:
    """The overlay's colour of a label, ``#rrggbb``."""
    return hexadecimal(GREY if label is None else label_colour(label))


def _region(example: Example, region: RegionNow) -> Shown:
    said: Shown = {
        "id": region.id,
        "ref": [example.key, region.id, region.origin],
        "mask": to_plain_mask(region.mask),
        "label": region.label,
        "colour": colour_of(region.label),
        "reviewed": region.reviewed,
        "remark": region.remark,
        "proposals": [],
    }
    if region.position is not None:
        said |= _evidence(example.annotations[region.position])
    return said


def _evidence(one: Annotation) -> Shown:
    evidence = one.evidence
    return {
        "found": one.class_name,
        "proposals": _proposals(one),
        "caption": evidence.caption,
        "votes": [[vote.source, vote.label, _rounded(vote.share)] for vote in evidence.votes],
        "margin": _rounded(evidence.margin),
        "confidence": _rounded(one.confidence),
        "cluster": evidence.cluster_id,
        "looks": evidence.embedding is not None,
        "partOf": one.part_of,
    }


def _proposals(one: Annotation) -> list[list[Any]]:
    """Labels with scores, None where there is none: what the region won, then what it was chosen from."""
    scored = {label.label: _rounded(label.score) for label in _best(one)}
    names = dict.fromkeys([*scored, *one.class_proposals, *_voted(one)])
    return [[name, scored.get(name)] for name in names]


def _best(one: Annotation) -> tuple[ScoredLabel, ...]:
    return one.evidence.shares or one.evidence.ranking


def _voted(one: Annotation) -> list[str]:
    return [vote.label for vote in one.evidence.votes]


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 4)
