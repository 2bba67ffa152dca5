"""Captions of regions from a small grammar, and the names a region may rightly be given."""

from typing import Final, Protocol

from ssa.labelling.parts import prompt
from toyworld.kinds import KINDS
from toyworld.scenes import Region, Scene


class Chance(Protocol):
    """A source of chance: a `random.Random` or a `numpy.random.Generator`."""

    def random(self) -> float:
        """Return a number from 0 up to 1."""


_DOING: Final[dict[str, tuple[str, ...]]] = {
    "person": ("standing", "waiting"),
    "car": ("parked", "driving"),
    "bus": ("parked", "driving"),
    "truck": ("parked", "driving"),
    "airplane": ("flying",),
    "boat": ("sailing", "floating"),
    "bird": ("standing", "resting"),
    "dog": ("standing", "waiting"),
    "cat": ("sitting", "resting"),
    "sheep": ("standing", "grazing"),
    "tree": ("growing", "standing"),
    "house": ("standing",),
    "ball": ("lying", "resting"),
    "kite": ("flying",),
    "umbrella": ("standing",),
    "bench": ("standing",),
    "fence": ("standing",),
    "flower": ("growing", "blooming"),
    "tent": ("standing",),
    "cloud": ("floating", "drifting"),
    "sun": ("shining",),
    "rock": ("lying", "resting"),
    "balloon": ("floating", "flying"),
    "stop sign": ("standing",),
}

_PLACES: Final[dict[str, tuple[str, ...]]] = {
    "grass": ("on the grass", "on green grass"),
    "road": ("on the road", "on a road"),
    "sand": ("on the sand", "on a beach of sand"),
    "sea": ("on the sea", "on the blue sea"),
    "sky": ("in the sky", "high in the sky"),
}

_OBJECT: Final = (
    "{a_thing}",
    "{a_kind}",
    "{a_thing} {place}",
    "{a_kind} {place}",
    "{a_thing} {doing} {place}",
    "{a_kind} {doing} {place}",
)
_PART: Final = (
    "{a_thing} of {a_whole}",
    "{a_kind} of {a_whole}",
    "{a_thing} of {a_whole_kind}",
    "the {kind} of {a_whole}",
    "{a_thing}",
)
_STUFF: Final = ("the {thing}", "{thing}", "the {kind}", "{a_thing}")

_LITTLE_WORDS: Final = ("a", "an", "the", "of", "in", "shirt")

_MASS_NOUNS: Final = frozenset({"grass", "sand"})

WORDS: Final[tuple[str, ...]] = tuple(
    sorted(
        {
            word
            for table in (_DOING, _PLACES)
            for options in table.values()
            for option in options
            for word in option.split()
        }
        | {word for kind in KINDS for word in kind.split()}
        | {colour for kind in KINDS.values() for colour in kind.colours}
        | set(_LITTLE_WORDS)
    )
)
"""Every word that a caption may hold: a small closed vocabulary."""


def caption(scene: Scene, index: int, rng: Chance) -> str:
    """Return a lower-case English caption of `scene.regions[index]` that names its kind."""
    region = scene.regions[index]
    if region.role == "stuff":
        return _fill(_choose(_STUFF, rng), _words(region))
    if region.parent is None:
        words = _words(region)
        words["doing"] = _doing(region, rng)
        words["place"] = _choose(_PLACES[region.ground or "grass"], rng)
        return _fill(_choose(_OBJECT, rng), words)
    words = _words(region)
    whole = _words(scene.regions[region.parent])
    words["a_whole"], words["a_whole_kind"] = whole["a_thing"], whole["a_kind"]
    return _fill(_choose(_PART, rng), words)


def phrases(scene: Scene, index: int) -> tuple[str, ...]:
    """Return the right names of a region: its kind, the synonyms, and its kind with a colour."""
    region = scene.regions[index]
    names = (region.kind, *KINDS[region.kind].synonyms)
    return names if region.colour is None else (*names, _thing(region))


def right_texts(scene: Scene, index: int) -> tuple[str, ...]:
    """Return all that a model may rightly be asked for: the phrases and, of a part, "wheel of a car"."""
    names, parent = phrases(scene, index), scene.regions[index].parent
    if parent is None:
        return names
    kind = KINDS[scene.regions[parent].kind]
    wholes = (kind.name, *kind.synonyms)
    return (*names, *(prompt(part, whole) for part in names for whole in wholes))


def _thing(region: Region) -> str:
    """Return the kind with its colour; a person wears a colour instead of having it."""
    if region.colour is None:
        return region.kind
    if region.kind == "person":
        return f"person in {_article(region.colour)} shirt"
    return f"{region.colour} {region.kind}"


def _words(region: Region) -> dict[str, str]:
    """Return what a template may say of the region itself."""
    thing, mass = _thing(region), region.kind in _MASS_NOUNS
    return {
        "kind": region.kind,
        "thing": thing,
        "a_kind": region.kind if mass else _article(region.kind),
        "a_thing": thing if mass else _article(thing),
    }


def _doing(region: Region, rng: Chance) -> str:
    if region.kind == "bird" and region.ground == "sky":
        return "flying"
    return _choose(_DOING[region.kind], rng)


def _fill(template: str, words: dict[str, str]) -> str:
    return template.format_map(words)


def _article(noun: str) -> str:
    """Return `noun` after "a" or "an"; no word of this small world sounds otherwise than spelt."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _choose(options: tuple[str, ...], rng: Chance) -> str:
    return options[int(rng.random() * len(options))]
