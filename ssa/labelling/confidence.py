"""One probability that a name is right, from all that the stages said of it: a logistic regression.

What speaks for a name is put into a dozen numbers (``FEATURES``); their weights were fitted on regions whose
names were checked (``ssa.score.fitting``) and come as data, with a bundle or from a review of its results.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssa.errors import InputError
from ssa.json_fields import FieldError, float_of, integer_of, list_of, object_of, text_of, texts_of
from ssa.types import Annotation, Evidence

FILE = "confidence.json"
"""What such data is called, wherever it lies."""

VERSION = 1
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Confidence:
    """A fitted probability.

    ``stages`` are those that spoke of the regions it was fitted on (see ``stages_of``): of others it says
    nothing. ``names`` are those of ``FEATURES``, ``weights`` theirs in the log odds, once each is less its
    ``centres`` and by its ``scales``. ``regions`` is how many it was fitted on.
    """

    stages: str
    names: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    regions: int

    def of(self, annotation: Annotation) -> float | None:
        """The probability that an annotation's name is right, 0 to 1; None where it can't say."""
        if stages_of(annotation) != self.stages:
            return None
        known = features(annotation)
        odds = self.intercept
        for name, centre, scale, weight in zip(
            self.names, self.centres, self.scales, self.weights, strict=True
        ):
            odds += weight * (known[name] - centre) / scale
        return round(_probability(odds), DIGITS)

    def dumps(self) -> bytes:
        """As JSON, which ``loads`` reads; equal ones give equal bytes."""
        return json.dumps({"v": VERSION, **asdict(self)}, indent=1).encode("ascii") + b"\n"


def loads(data: bytes) -> Confidence:
    """Read what ``Confidence.dumps`` wrote. Raises ``InputError`` for anything else."""
    try:
        return _read(object_of(json.loads(data), "file"))
    except FieldError as error:
        raise InputError(
            f"expected a file of `ssa calibrate` with a sound '{error}'; got none or another kind of value"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"expected JSON, as `ssa calibrate` writes it to {FILE}; got none"
        ) from error


def stages_of(annotation: Annotation) -> str:
    """Which stages spoke of a name, such as "votes, clip, clipseg"; "" where it has none, or a group's."""
    evidence = annotation.evidence
    if annotation.class_name is None or evidence.cluster_id is not None:
        return ""
    spoke = {
        "votes": evidence.votes,
        "clip": evidence.ranking,
        "clipseg": evidence.shares,
        "phrases": evidence.agreement,
    }
    return ", ".join(name for name, said in spoke.items() if said)


def read_confidence(path: Path) -> Confidence | None:
    """What is in the file at ``path``; None where there is none. Raises ``InputError`` for another file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"expected {path.name} to be readable; got: {error.strerror or error}"
        ) from error
    try:
        return loads(data)
    except InputError as error:
        raise InputError(f"{path.name}: {error}; delete it to go on without") from error


def features(annotation: Annotation) -> dict[str, float]:
    """All of ``FEATURES`` of one named region; what a stage wasn't asked for is 0."""
    return {name: float(feature(annotation)) for name, feature in FEATURES.items()}


def feature_matrix(annotations: list[Annotation]) -> NDArray[np.float64]:
    """``features`` of N annotations, (N, len(FEATURES))."""
    rows = [list(features(one).values()) for one in annotations]
    return np.array(rows, np.float64).reshape(len(rows), len(FEATURES))


# What is measured of a name ------------------------------------------------------------------------------


def agree(label: str, name: str) -> bool:
    """Whether two labels say the same, or one of them more of it: "car" and "red car"."""
    return label == name or f" {label} ".endswith(f" {name} ") or f" {name} ".endswith(f" {label} ")


def _votes_for(annotation: Annotation) -> float:
    """Shares of the region that vote for its name, on average over the segmentors."""
    return _votes(annotation, lambda label, name: agree(label, name))


def _votes_against(annotation: Annotation) -> float:
    return _votes(annotation, lambda label, name: not agree(label, name))


def _votes(annotation: Annotation, counts: Callable[[str, str], bool]) -> float:
    votes, name = annotation.evidence.votes, _name(annotation)
    return sum(one.share for one in votes if counts(one.label, name)) / max(len(votes), 1)


def _clip(annotation: Annotation) -> float:
    """The log odds of CLIP's share of the name."""
    name = _name(annotation)
    share = next((one.score for one in annotation.evidence.ranking if one.label == name), 0.0)
    return _log_odds(share) if annotation.evidence.ranking else 0.0


def _clip_gap(annotation: Annotation) -> float:
    """By how much CLIP's first choice leads."""
    scores = [one.score for one in annotation.evidence.ranking[:2]]
    return scores[0] - (scores[1] if len(scores) > 1 else 0.0) if scores else 0.0


def _clipseg(annotation: Annotation) -> float:
    return annotation.evidence.shares[0].score if annotation.evidence.shares else 0.0


def _phrases(annotation: Annotation) -> float:
    """How well the name's instances agree with the region."""
    name, said = _name(annotation), annotation.evidence.agreement
    return next((one.score for one in said if one.label == name), 0.0)


def _candidates(annotation: Annotation) -> float:
    return math.log(max(len(annotation.evidence.ranking), 1))


def _captioned(evidence: Evidence, name: str, most: int | None = None) -> bool:
    return any(agree(phrase, name) for phrase in evidence.noun_phrases[:most])


def _share_of_picture(annotation: Annotation) -> float:
    """The tenth logarithm of the region's share of the picture."""
    mask = annotation.proposal.rle
    return math.log10(max(annotation.proposal.area_px, 1) / (mask.height * mask.width))


def _is_part(annotation: Annotation) -> bool:
    return annotation.node is not None and annotation.node.level > 0


FEATURES: Mapping[str, Callable[[Annotation], float]] = MappingProxyType(
    {
        "votes for it": _votes_for,
        "votes against it": _votes_against,
        "clip": _clip,
        "clip's lead": _clip_gap,
        "clipseg": _clipseg,
        "clipseg's margin": lambda one: one.evidence.margin or 0.0,
        "phrases": _phrases,
        "no other proposal": lambda one: len(one.evidence.shares) == 1,
        "candidates": _candidates,
        "caption has it": lambda one: _captioned(one.evidence, _name(one)),
        "caption begins with it": lambda one: _captioned(one.evidence, _name(one), 1),
        "predicted iou": lambda one: one.proposal.predicted_iou,
        "stability": lambda one: one.proposal.stability_score,
        "area": _share_of_picture,
        "is a part": _is_part,
        "named as a part": lambda one: one.part_of is not None,
    }
)
"""What a confidence is made of, by the names that its file has for it."""


def _name(annotation: Annotation) -> str:
    """The name as the models gave it: what it is called since changes nothing of what speaks for it."""
    shares = annotation.evidence.shares
    if annotation.evidence.moved_to is not None:
        return annotation.evidence.moved_to
    return shares[0].label if shares else annotation.class_name or ""


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-3), 1 - 1e-3)
    return math.log(share / (1 - share))


def _probability(log_odds: float) -> float:
    """The logistic function, without overflow."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return math.exp(log_odds) / (1 + math.exp(log_odds))


def _read(fields: Mapping[str, Any]) -> Confidence:
    if integer_of(fields.get("v"), "v") != VERSION:
        raise FieldError("v")
    names = texts_of(fields.get("names"), "names")
    if not set(names) <= set(FEATURES):
        raise FieldError("names")
    columns = {
        key: tuple(float_of(one, key) for one in list_of(fields.get(key), key))
        for key in ("centres", "scales", "weights")
    }
    for key, values in columns.items():
        if len(values) != len(names) or (key == "scales" and min(values, default=1) <= 0):
            raise FieldError(key)
    return Confidence(
        stages=text_of(fields.get("stages"), "stages"),
        names=names,
        intercept=float_of(fields.get("intercept"), "intercept"),
        regions=integer_of(fields.get("regions"), "regions"),
        **columns,
    )
