"""spaCy: the noun phrases of captions ("a red car on the road" → red car, car, road)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import spacy
from spacy.tokens import Doc, Span

from ssa.models.shared.pretrained import opening

# Parts of speech (Universal Dependencies) that say which one or how many, not what it is.
NOT_PART_OF_A_NAME = frozenset({"DET", "PRON", "NUM", "PUNCT", "SPACE"})

# Noun chunks need the tagger, the parser and the attribute ruler; these are not read.
UNUSED_PIPES = ("ner", "lemmatizer", "senter", "textcat")


class SpacyNounExtractor:
    """Noun phrases by a spaCy pipeline with a dependency parser, on the CPU."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        # spaCy promises nothing to several threads; its own work holds Python's lock anyway.
        self._lock = Lock()

    @classmethod
    def load(cls, folder: Path) -> SpacyNounExtractor:
        """The pipeline in ``folder`` (meta.json, config.cfg and a folder for each pipe).

        Raises ``WeightsError`` when the folder is missing or damaged.
        """
        with opening(folder, "nouns"):
            pipeline = spacy.load(folder, exclude=list(UNUSED_PIPES))
            if "parser" not in pipeline.pipe_names:
                raise ValueError("noun phrases need a pipeline with a parser")
        return cls(pipeline)

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]:
        """The noun phrases of each caption, in order; none for a caption that is empty or has no noun."""
        phrases = whole_phrases if whole else noun_phrases
        with self._lock:
            return [phrases(doc) for doc in self._pipeline.pipe(captions)]


def noun_phrases(doc: Doc) -> tuple[str, ...]:
    """Each noun phrase of a parsed text and then its head alone, lower case, without duplicates.

    First occurrence order. Articles, pronouns and numbers before the first word of the name are left
    out; "its wheel" gives "wheel", "the car's wheel" gives "car's wheel" and "wheel".
    """
    if not len(doc):
        return ()
    names = (name for chunk in doc.noun_chunks for name in _phrase_and_head(chunk))
    return tuple(dict.fromkeys(names))


def whole_phrases(doc: Doc) -> tuple[str, ...]:
    """Each noun phrase of a parsed text as it stands, lower case, without duplicates."""
    if not len(doc):
        return ()
    return tuple(dict.fromkeys(_plain(chunk.text) for chunk in doc.noun_chunks))


def _phrase_and_head(chunk: Span) -> Iterator[str]:
    head = chunk.root
    if head.pos_ in NOT_PART_OF_A_NAME:
        return
    start = next(token.i for token in chunk if token.pos_ not in NOT_PART_OF_A_NAME)
    yield _plain(chunk.doc[start : head.i + 1].text)
    yield _plain(head.text)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
