"""The score as JSON: figures with flat names, null where unknown, and why."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ssa.score.comparing import Comparison
from ssa.score.figures import Figures, Score


@dataclass(frozen=True, slots=True)
class About:
    """What was scored, and against what.

    ``without_truth`` counts pictures that were found and have no truth, ``not_found`` those of the truth that
    no picture is, or several; ``left_out`` those that couldn't be read or have another size.
    """

    found: str
    truth: str
    without_truth: int = 0
    not_found: int = 0
    left_out: int = 0

    @property
    def lines(self) -> list[str]:
        """The same in a sentence or two."""
        lines = [f"Against {self.truth}."]
        counts = (
            (self.without_truth, "without a truth"),
            (self.not_found, "of the truth without a picture of that name"),
            (self.left_out, "left out: they can't be read, or have another size"),
        )
        said = [f"{count:,} {what}" for count, what in counts if count]
        if said:
            lines.append(f"Pictures that don't count: {'; '.join(said)}.")
        return lines


def to_json(
    about: About, score: Score, other: Score | None = None, comparison: Comparison | None = None
) -> bytes:
    """One JSON object, ASCII with escapes; equal scores give equal bytes."""
    payload = {"about": asdict(about), **_plain(score)}
    if other is not None and comparison is not None:
        payload["against"] = {
            **_plain(other),
            "differences": _differences(score.figures, other.figures),
            **asdict(comparison),
        }
    return json.dumps(payload, allow_nan=False, indent=1).encode("ascii") + b"\n"


def _differences(ours: Figures, theirs: Figures) -> dict[str, float | int]:
    """Their figures less ours, where both are known."""
    both = ((name, value, theirs[name]) for name, value in ours.items())
    return {name: b - a for name, a, b in both if a is not None and b is not None}


def _plain(score: Score) -> dict[str, object]:
    return {
        "figures": score.figures,
        "why": score.why,
        "sureness": score.sureness,
        "classes": score.classes,
        "confusions": score.confusions,
        "risk_coverage": score.risk,
        "reliability": score.bins,
    }
