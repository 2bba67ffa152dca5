"""What a chat model says when it is asked for nouns, read strictly: a list of nouns, or nothing.

A model may ramble, excuse itself, or repeat what is written in the picture. Sentences are no labels: each
item is a few plain words in lower case or is left out, and a text that is mostly something else is no list
at all. So the worst that a text in a picture can do is to add eight short phrases to its own region's
candidates, which the ranker then holds beside what is seen; nothing of it is ever obeyed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from ssa.stages import NounExtractor

MOST_NOUNS = 8
MOST_WORDS = 4
MOST_JOINED = 2
"""Words on either side of an "and" that joins nouns."""

LONGEST_NOUN = 40
"""In characters; of eight such nouns a ranker reads each as a whole."""

LONGEST_TEXT = 1000
"""In characters: what comes after is not read."""

HEAD = ":"
"""Between the name and the description of what it names."""

CUT_OFF = "…"
"""At the end of a text whose speaker was interrupted; no word ends so."""

_SEPARATORS = re.compile(r"[,;\n\r\v\f\x85\u2028\u2029，、；]")
_JOINED = re.compile(r"\s(?:and|or)\s", re.IGNORECASE)
_BULLET = re.compile(r"(?:[-*•·]|\d{1,2}[.)])\s+")
_QUOTES = "\"'“”‘’`"

# A word of any script: letters and digits, its parts joined by hyphens and apostrophes ("jack-o'-lantern").
_WORD = re.compile(r"\w+(?:(?:'-|['-])\w+)*")

_ARTICLES = frozenset(("a", "an", "the", "and", "or"))

# None of them stands in the name of a thing; "can" may ("trash can").
_VERBS_AND_PRONOUNS = (
    "i i'm i'll you you're he she we they it it's its this that that's these those there there's here "
    "here's is are was were be been am has have had do does don't did can't cannot could will would "
    "should must may isn't aren't see sees shows show seems appears contains includes please sorry"
)
_OF_SENTENCES = frozenset(_VERBS_AND_PRONOUNS.split())
_NEVER_FIRST = frozenset(
    ("of", "with", "in", "on", "at", "by", "for", "from", "to", "as", "if", "but", "not")
)
_NO_NAMES = frozenset(("yes", "no", "none", "nothing", "unknown", "sure", "okay", "ok"))


def noun_list(text: str) -> tuple[str, ...]:
    """The nouns that a text lists, in order, in lower case, without articles and duplicates; at most eight.

    Items stand between commas, semicolons or line breaks, perhaps behind bullets or numbers, in quotes or
    brackets (JSON), and behind a few words that end in a colon. Where most items are no nouns, there are
    none.
    """
    items = [_item(piece) for piece in _pieces(text)]
    nouns = [item for item in items if _is_noun(item)]
    if 2 * len(nouns) <= len(items):
        return ()
    return tuple(dict.fromkeys(nouns))[:MOST_NOUNS]


class NounLists:
    """Reads captions that are lists, as a chat model's are; a ``NounExtractor`` without a model."""

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]:
        """The nouns of each list, in order; none for a caption that is no list. They are whole already."""
        return [noun_list(caption) for caption in captions]


class HeadedSentences:
    """Reads "name: description", as Florence-2's captions are: the name, then the description's nouns.

    ``sentences`` finds the latter; without it there is the name alone.
    """

    def __init__(self, sentences: NounExtractor | None) -> None:
        self._sentences = sentences

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]:
        """The name of each caption, if it is one, and what its description speaks of, without duplicates."""
        parts = [caption.partition(HEAD) for caption in captions]
        names = [noun_list(head) for head, _, _ in parts]
        if self._sentences is None:
            return names
        descriptions = [description.strip() for _, _, description in parts]
        found = self._sentences.extract(descriptions, whole=whole)
        return [tuple(dict.fromkeys(both)) for both in _joined(names, found)]


def _joined(
    names: Sequence[tuple[str, ...]], found: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    return [(*first, *then) for first, then in zip(names, found, strict=True)]


def _pieces(text: str) -> list[str]:
    """Between separators, what is there; the last of a text that was cut off is none."""
    pieces = _SEPARATORS.split(_bare(text[:LONGEST_TEXT]))
    if len(text) > LONGEST_TEXT or text.rstrip().endswith(CUT_OFF):
        pieces.pop()
    pieces = [piece for one in pieces for piece in _apart(one) if piece.strip()]
    if pieces:
        # "Here they are: dog, cat"
        pieces[0] = pieces[0].rpartition(":")[2]
    return pieces


def _apart(piece: str) -> list[str]:
    """What "and" joins, one by one, where it is few words each; else it is a sentence's."""
    parts = _JOINED.split(piece)
    return parts if all(len(part.split()) <= MOST_JOINED for part in parts) else [piece]


def _bare(text: str) -> str:
    """Without the brackets of a JSON list, or the full stop of a list that was written as a sentence."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1]
    return text.removesuffix(".")


def _item(piece: str) -> str:
    """One item in plain words: no bullet, quotes, articles or leading numbers, in lower case."""
    piece = _BULLET.sub("", piece.strip(), count=1).strip().strip(_QUOTES)
    piece = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", piece).lower())
    words = piece.replace("’", "'").split()
    while words and (words[0] in _ARTICLES or words[0].isdecimal()):
        words.pop(0)
    return " ".join(words)


def _is_noun(item: str) -> bool:
    words = item.split(" ")
    return (
        len(item) <= LONGEST_NOUN
        and 1 <= len(words) <= MOST_WORDS
        and all(map(_is_word, words))
        and not _OF_SENTENCES.intersection(words)
        and words[0] not in _NEVER_FIRST
        and item not in _NO_NAMES
        and any(character.isalpha() for character in words[0])
    )


def _is_word(word: str) -> bool:
    """Letters of any script with their marks, digits, and joints inside."""
    return "_" not in word and _WORD.fullmatch(_without_marks(word)) is not None


def _without_marks(word: str) -> str:
    """Without accents and vowel signs that are characters of their own, behind their letter."""
    return "".join(
        character
        for place, character in enumerate(word)
        if not (place and unicodedata.category(character) in ("Mn", "Mc"))
    )
