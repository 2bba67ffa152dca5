"""The user's own classes as text: one a line, "label" or "label: synonym, synonym"; "#" begins a remark."""

from __future__ import annotations

import io
from collections.abc import Iterator

from ssa.checks import shown_text
from ssa.config import Vocabulary, VocabularyClass
from ssa.errors import InputError
from ssa.labelling.candidates import tidy_labels
from ssa.labelling.labels import LABEL_SETS, load_labels

UNKNOWN = "unknown"
"""The label of a region that is none of the vocabulary's classes; no class may be called so."""

# Each region is compared with all texts; this many take a few milliseconds a region.
MOST_TEXTS = 2_000
# CLIP reads 77 tokens, some 300 characters, and forgets the rest without a word.
LONGEST_TEXT = 100


def parse_vocabulary(text: str, noun: str = "vocabulary") -> Vocabulary:
    """The classes that ``text`` lists, in its order; labels in lower case and single spaces.

    Blank lines and remarks are passed over. Raises ``InputError``, with the line's number, for a line
    that is no class, for "unknown", for a text that is too long or was there before (as a label or a
    synonym of any class), and for no class or more than 2,000 texts. ``noun`` is what errors call it.
    """
    classes: list[VocabularyClass] = []
    lines: dict[str, int] = {}
    for number, line in _lines(text):
        classes.append(_class_of(line, f"{noun}, line {number}"))
        for own in classes[-1].texts:
            if own in lines:
                raise InputError(
                    f"{noun}: expected each text once; {shown_text(own)} is in line "
                    f"{lines[own]} and in line {number}; keep one of them"
                )
            lines[own] = number
    if not 1 <= len(lines) <= MOST_TEXTS:
        raise InputError(
            f"{noun}: expected 1 to {MOST_TEXTS} labels and synonyms, one class a line; "
            f"got {len(lines)}"
        )
    return Vocabulary(tuple(classes))


def everyday_labels(vocabulary: Vocabulary) -> tuple[str, ...]:
    """What a region may be instead: the labels of COCO and ADE20K that the vocabulary doesn't have itself."""
    own = {text for one in vocabulary.classes for text in one.texts}
    known = tidy_labels(label for name in LABEL_SETS for label in load_labels(name))
    return tuple(label for label in known if label not in own)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that list a class, with their numbers from 1."""
    # A byte order mark is no part of the first label, and only \n, \r and \r\n end a line in an editor.
    for number, line in enumerate(io.StringIO(text.removeprefix("\ufeff"), newline=None), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _class_of(line: str, where: str) -> VocabularyClass:
    label, _, synonyms = line.partition(":")
    if not label.strip() or "," in label:
        raise InputError(
            f"{where}: expected 'label' or 'label: synonym, synonym'; "
            f"got {shown_text(line.strip())}"
        )
    texts = tidy_labels([label, *synonyms.split(",")])
    for text in texts:
        _check_text(text, where)
    return VocabularyClass(texts[0], texts)


def _check_text(text: str, where: str) -> None:
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise InputError(
            f"{where}: expected texts of at most {LONGEST_TEXT} printable characters; "
            f"got {len(text)} characters{'' if text.isprintable() else ', not all printable'}"
        )
    if text == UNKNOWN:
        raise InputError(
            f"{where}: 'unknown' is what regions of no class are called; use another word"
        )
