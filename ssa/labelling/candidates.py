"""The names a mask may get: what the segmentors voted for, then what its caption speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ssa.types import Vote


def merge_candidates(votes: Iterable[Vote], noun_phrases: Sequence[str]) -> tuple[str, ...]:
    """Candidate labels in a fixed order: the votes' first, then the noun phrases'.

    Lower case, single spaces, no empties and no duplicates (the first occurrence stays). Not empty when a
    vote has a label.
    """
    return tidy_labels((*(vote.label for vote in votes), *noun_phrases))


def tidy_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels in lower case and single spaces, without empties; of duplicates the first stays."""
    tidy = (" ".join(label.lower().split()) for label in labels)
    # A dict and not a set: candidates keep their order, so runs repeat.
    return tuple(dict.fromkeys(label for label in tidy if label))
