"""Names of a part in the light of its whole: what may be asked of it, in which words, and what stands.

``labels/parts.json`` lists everyday parts of everyday wholes (general knowledge, written for this project
and under its licence), by groups of wholes that have the same parts. It is used in two ways: the parts of
a region's wholes join the region's candidates, and a candidate that is listed for a whole counts as a part
of it. A whole is looked up by the end of its name, so a "red car" is a car; what is not listed has only
the parts that a caption gives it ("the lid of a jar").
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from ssa.labelling.candidates import tidy_labels
from ssa.types import ScoredLabel

# Words between "of" and the whole: an article and two adjectives.
MOST_BETWEEN = 3


@dataclass(frozen=True, slots=True)
class Whole:
    """A named region that another lies in.

    ``names`` are all that it may itself be called: its class name and what the segmentors voted for.
    ``caption`` and ``noun_phrases`` are those of its own crop.
    """

    class_name: str
    names: frozenset[str]
    caption: str
    noun_phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name that a region may get.

    ``label`` is what the record will say ("wheel"), ``text`` what the models are asked ("wheel of a car").
    ``part_of`` is the class name of the whole it would be a part of, None for what is no part;
    ``names_whole`` marks the names of the whole itself.
    """

    label: str
    text: str
    part_of: str | None = None
    names_whole: bool = False


def candidates_within(
    labels: Sequence[str], caption: str, wholes: Sequence[Whole]
) -> tuple[Candidate, ...]:
    """Candidates of a region inside ``wholes`` (nearest first): its own labels, then what its wholes add.

    ``labels`` are the region's own candidates, ``caption`` its crop's. The nearest whole adds the noun
    phrases of its caption that don't name a whole, and every whole its listed parts. A candidate is a part
    of the nearest whole for which it is listed, or of which a caption says so ("wheel of a car"); else it
    is no part, and nobody will call it one: a person before a house stays a person. Labels and texts are
    unique; without wholes a text is its label.
    """
    relations = [_Relation.to(whole, caption) for whole in wholes]
    spoken = tidy_labels(wholes[0].noun_phrases) if wholes else ()
    added = (label for label in spoken if not any(one.names(label) for one in relations))
    listed = (part for whole in wholes for part in parts_of(whole.class_name))
    made = (_candidate(label, relations) for label in tidy_labels([*labels, *added, *listed]))
    by_text: dict[str, Candidate] = {}
    for candidate in made:
        by_text.setdefault(candidate.text, candidate)
    return tuple(by_text.values())


def shortlist(
    ranking: Sequence[ScoredLabel], candidates: Sequence[Candidate], top_k: int
) -> tuple[Candidate, ...]:
    """The ``top_k`` best candidates (``ranking`` is by text, best first) that the last step chooses from.

    Segmentors know wholes only, so their votes for a part name its whole. The whole's own names are
    therefore a bar: where anything ranks above them, only that is chosen from. Where nothing does, the
    region may well be more of its whole, and all ranks count as ever.
    """
    by_text = {candidate.text: candidate for candidate in candidates}
    ranked = [by_text[scored.label] for scored in ranking]
    bars = (place for place, candidate in enumerate(ranked) if _only_names_whole(candidate))
    bar = next(bars, len(ranked))
    return tuple(ranked[: min(bar, top_k)] if bar else ranked[:top_k])


def prompt(part: str, whole: str) -> str:
    """What a model is asked for a part: "wheel of a car", also where the whole is a "red car".

    The colour of the whole is left out: models would look for it in a crop that shows the part. A part
    that names its whole already ("car wheel", "man's hand") is asked for as it is.
    """
    kind = kind_of(whole) or whole
    if kind in part:
        return part
    return f"{part} of {'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def kind_of(name: str) -> str | None:
    """The listed whole that a name ends in, the longest there is: "car" for "red car"; None if none is."""
    return next((ending for ending in _endings(name) if ending in _table()), None)


def parts_of(name: str) -> tuple[str, ...]:
    """The listed parts of a whole, by any name that ends in its kind; none for what is not listed."""
    kind = kind_of(name)
    return _table()[kind] if kind else ()


def listed_parts() -> tuple[str, ...]:
    """All parts that are listed for any whole, each once."""
    return tuple(dict.fromkeys(part for parts in _table().values() for part in parts))


@dataclass(frozen=True, slots=True)
class _Relation:
    """What tells whether a label is a part of a whole, or the whole itself.

    ``said`` are beginnings of captions, up to where one goes on "of a car".
    """

    whole: Whole
    listed: frozenset[str]
    said: tuple[str, ...]

    @classmethod
    def to(cls, whole: Whole, caption: str) -> _Relation:
        kind = kind_of(whole.class_name) or whole.class_name
        said = (*_said_before(kind, caption), *_said_before(kind, whole.caption))
        return cls(whole, frozenset(parts_of(whole.class_name)), said)

    def is_part(self, label: str) -> bool:
        said = any(f" {text}".endswith(f" {label}") for text in self.said)
        return said or any(ending in self.listed for ending in _endings(label))

    def names(self, label: str) -> bool:
        """Whether a label is, or ends in, a name of the whole."""
        return any(ending in self.whole.names for ending in _endings(label))


def _candidate(label: str, relations: Sequence[_Relation]) -> Candidate:
    names_whole = any(one.names(label) for one in relations)
    for one in relations:
        if one.is_part(label):
            whole = one.whole.class_name
            return Candidate(label, prompt(label, whole), whole, names_whole)
    return Candidate(label, label, names_whole=names_whole)


def _said_before(kind: str, caption: str) -> Iterator[str]:
    """The caption up to each "of" that the kind follows, with an article and adjectives between at most."""
    words = caption.lower().split()
    for place in (i for i, word in enumerate(words) if word == "of"):
        near = words[place + 1 : place + 1 + MOST_BETWEEN + len(kind.split())]
        if f" {kind} " in f" {' '.join(near)} ":
            yield " ".join(words[:place])


def _only_names_whole(candidate: Candidate) -> bool:
    return candidate.names_whole and candidate.part_of is None


def _endings(name: str) -> Iterator[str]:
    """A name, then without its first word and so on; each also without a plural's "s"."""
    words = name.split()
    for start in range(len(words)):
        ending = " ".join(words[start:])
        yield ending
        yield ending.removesuffix("s")


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    """Parts by whole."""
    groups = json.loads(files("ssa.labelling.labels").joinpath("parts.json").read_text("utf-8"))
    return MappingProxyType(
        {whole: tuple(group["parts"]) for group in groups for whole in group["wholes"]}
    )
