"""Labels made alike before they are compared: the one place that says which differences are none.

Case, spaces, underscores and a leading article are no difference, nor is a plural: the last word of the
head, which is the label before " of ", " with " or " on ", is made singular. Accents and hyphens stay.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ssa.score.nouns import load_nouns

_ARTICLE = re.compile(r"^(?:an?|the) (?=.)")
_AFTER_HEAD = re.compile(r" (?:of|with|on) ")
_EITHER = re.compile(r"[,;]")

REMEMBERED = 1 << 14
"""How many labels are remembered: those of a run are few beside its regions."""


@lru_cache(REMEMBERED)
def normalised(label: str) -> str:
    """A label without the differences that are none; "" for one without a word."""
    text = " ".join(label.replace("_", " ").casefold().split())
    text = _ARTICLE.sub("", text)
    nouns = load_nouns()
    if text in nouns and text not in nouns.singulars:
        return text  # "chest of drawers", "scissors"
    head, rest = _head_and_rest(text)
    before, space, last = head.rpartition(" ")
    whole = nouns.singular(head)
    return (whole if whole in nouns else before + space + nouns.singular(last)) + rest


@lru_cache(REMEMBERED)
def alternatives(label: str) -> tuple[str, ...]:
    """What a true label allows, normalised: itself, and where it lists words with commas each of these.

    Lists of classes have such: "bed, double bed".
    """
    found = (normalised(one) for one in (label, *_EITHER.split(label)))
    return tuple(dict.fromkeys(one for one in found if one))


@lru_cache(REMEMBERED)
def noun_of(label: str) -> str | None:
    """What of a normalised label WordNet knows; None where nothing.

    The whole of it, else the longest end of its head that is a noun of WordNet's: "traffic light" of
    "small traffic light on a pole", "cat" of "black cat".
    """
    nouns = load_nouns()
    if label in nouns:
        return label
    words = _head_and_rest(label)[0].split(" ")
    ends = (" ".join(words[start:]) for start in range(len(words)))
    return next((end for end in ends if end in nouns), None)


def _head_and_rest(text: str) -> tuple[str, str]:
    after = _AFTER_HEAD.search(text)
    return (text, "") if after is None else (text[: after.start()], text[after.start() :])
