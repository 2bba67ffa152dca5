"""What writers of formats may be told beside the examples; the table says who heeds what."""

from __future__ import annotations

from dataclasses import dataclass

from ssa.errors import InputError

MADE_BY = "semantic-segment-anything"


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """Options with what they are when nobody asks.

    ``made_by`` says whose annotations they are, in one line, for files whose format has a place for it: every
    writer heeds it. ``picture_prefix`` comes before a picture's name where Label Studio is to find it.
    ``link_images`` puts links to the pictures beside the annotations. ``split`` is the share of pictures,
    more than 0 and less than 1, to train with; the others are to validate. Raises ``InputError`` for another.
    ``rejected`` leaves regions in that a person rejected; those who train would take them for things.
    ``least_confidence`` leaves names out whose probability to be right is less or unknown, 0 to 1.
    """

    made_by: str = MADE_BY
    picture_prefix: str = ""
    link_images: bool = False
    split: float | None = None
    rejected: bool = False
    least_confidence: float | None = None

    def __post_init__(self) -> None:
        if self.split is not None and not 0 < self.split < 1:
            raise InputError(
                f"--split must be more than 0 and less than 1; got {self.split}; 0.8 has four pictures "
                "of five to train with and one to validate"
            )
        if self.least_confidence is not None and not 0 <= self.least_confidence <= 1:
            raise InputError(
                f"--least-confidence must be 0 to 1; got {self.least_confidence}; 0.9 leaves out what is "
                "wrong more often than once in ten"
            )


AS_USUAL = FormatOptions()
"""Nothing special asked for."""
