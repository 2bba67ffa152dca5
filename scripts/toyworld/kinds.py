"""The kinds of the drawn world: roles, right names, classes in two label lists, and colours."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from ssa.labelling.parts import parts_of, prompt

Role = Literal["stuff", "object", "part"]
LabelList = Literal["coco", "ade20k"]

_LABELS: Final = Path(__file__).parent / "labels"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of region and what it may rightly be called.

    `coco` and `ade20k` are class names in the two lists; a part has none, for it takes the
    class of the object that it belongs to.
    """

    name: str
    role: Role
    coco: str = ""
    ade20k: str = ""
    colours: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()


_BRIGHT: Final = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
_PAINT: Final = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")

_TABLE: Final[tuple[Kind, ...]] = (
    Kind("sky", "stuff", "sky-other-merged", "sky", ("blue", "orange", "purple", "gray")),
    Kind("grass", "stuff", "grass-merged", "grass", ("green",), ("lawn", "field", "meadow")),
    Kind("road", "stuff", "road", "road", ("gray",), ("street",)),
    Kind("sea", "stuff", "sea", "sea", ("blue",), ("water", "ocean", "lake")),
    Kind("sand", "stuff", "sand", "sand", (), ("beach",)),
    Kind("mountain", "stuff", "mountain-merged", "mountain", (), ("mountains", "hill")),
    Kind("person", "object", "person", "person", (*_BRIGHT, "white"), ("man", "woman", "human")),
    Kind("car", "object", "car", "car", (*_PAINT, "pink"), ("automobile", "vehicle")),
    Kind("bus", "object", "bus", "bus", _PAINT[:-1], ("coach", "vehicle")),
    Kind("truck", "object", "truck", "truck", _PAINT, ("lorry", "vehicle")),
    Kind(
        "airplane",
        "object",
        "airplane",
        "airplane",
        ("white", "red", "yellow", "orange", "green", "purple"),
        ("plane", "aeroplane", "jet"),
    ),
    Kind(
        "boat",
        "object",
        "boat",
        "boat",
        ("red", "white", "brown", "green", "orange", "yellow", "black", "purple"),
        ("sailboat", "ship"),
    ),
    Kind("bird", "object", "bird", "animal", ("red", "blue", "yellow", "white", "black")),
    Kind("dog", "object", "dog", "animal", ("brown", "black", "white", "orange"), ("puppy",)),
    Kind("cat", "object", "cat", "animal", ("orange", "black", "white", "gray"), ("kitten",)),
    Kind("sheep", "object", "sheep", "animal", ("white", "black", "brown"), ("lamb",)),
    Kind(
        "tree",
        "object",
        "tree-merged",
        "tree",
        ("green", "green", "green", "orange", "yellow", "pink", "red"),
        ("trees",),
    ),
    Kind(
        "house",
        "object",
        "house",
        "house",
        ("white", "yellow", "blue", "pink", "red", "orange", "green", "brown"),
        ("building", "home", "cottage"),
    ),
    Kind("ball", "object", "sports ball", "ball", _BRIGHT, ("sports ball", "beach ball")),
    Kind("kite", "object", "kite", "sky", _BRIGHT),
    Kind("umbrella", "object", "umbrella", "canopy", _BRIGHT, ("parasol",)),
    Kind("bench", "object", "bench", "bench", ("brown", "red", "blue", "white"), ("seat",)),
    Kind("fence", "object", "fence-merged", "fence", ("white", "brown", "gray")),
    Kind(
        "flower",
        "object",
        "flower",
        "flower",
        ("red", "pink", "yellow", "purple", "white", "orange", "blue"),
        ("blossom", "plant"),
    ),
    Kind("tent", "object", "tent", "tent", ("orange", "red", "blue", "yellow", "purple", "green")),
    Kind(
        "cloud",
        "object",
        "sky-other-merged",
        "sky",
        ("white", "white", "gray", "pink"),
        ("clouds",),
    ),
    Kind("sun", "object", "sky-other-merged", "sky", ("yellow", "orange")),
    Kind("rock", "object", "rock-merged", "rock", ("gray", "gray", "brown"), ("stone", "boulder")),
    Kind(
        "balloon",
        "object",
        "sky-other-merged",
        "sky",
        ("red", "orange", "yellow", "green", "purple", "pink"),
        ("hot air balloon", "hot-air balloon"),
    ),
    Kind("stop sign", "object", "stop sign", "signboard", ("red",), ("sign", "traffic sign")),
    Kind("wheel", "part", colours=("black",), synonyms=("tire", "tyre")),
    Kind("window", "part", colours=("blue", "yellow"), synonyms=("windowpane", "glass")),
    Kind("roof", "part", colours=("red", "brown", "gray", "blue", "orange"), synonyms=("rooftop",)),
    Kind("door", "part", colours=("brown", "red", "blue", "green", "white")),
    Kind("sail", "part", colours=("white", "red", "yellow", "orange", "pink")),
    Kind("trunk", "part", colours=("brown",), synonyms=("tree trunk",)),
)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _TABLE}
"""All kinds by name: stuff first, then objects, then parts."""

CLASHES: Final[dict[str, frozenset[str]]] = {
    "grass": frozenset({"green"}),
    "sand": frozenset({"yellow", "brown", "orange"}),
    "road": frozenset({"gray"}),
    "sea": frozenset({"blue"}),
    "sky": frozenset({"blue", "gray"}),
    "sunset": frozenset({"orange", "pink", "yellow"}),
    "dusk": frozenset({"purple", "black", "gray"}),
    "overcast": frozenset({"gray"}),
}
"""Colours too near to the ground's, or (for things in the sky) to the sky's in that light."""

_NEVER_HIDDEN: Final = frozenset({"tree", "sun", "cloud", "house", "rock", "stop sign", "fence"})


_LIGHT_COLOURS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "sun": {"day": ("yellow",), "overcast": ("yellow",), "dusk": ("orange",)},
    "cloud": {"day": ("white",), "overcast": ("white",), "sunset": ("white", "pink", "gray")},
}
"""Colours that a kind may only have in some lights; in the others it has its usual ones."""


def colours_for(kind: str, ground: str, light: str) -> tuple[str, ...]:
    """Return the colour names `kind` may take on `ground`, without those that would hide it."""
    allowed = _LIGHT_COLOURS.get(kind, {}).get(light, KINDS[kind].colours)
    if kind in _NEVER_HIDDEN:
        return allowed
    clashes = CLASHES[ground]
    if ground == "sky":
        clashes |= CLASHES.get(light, frozenset())
    return tuple(colour for colour in allowed if colour not in clashes) or allowed


@cache
def part_prompts() -> tuple[str, ...]:
    """Return every part that the engine may ask a model for inside a thing of the drawn world.

    Most are never drawn ("anchor of a boat"): a model must know them to turn them down.
    """
    texts: dict[str, None] = {}
    for kind in KINDS.values():
        for whole in (kind.name, *kind.synonyms):
            for part in parts_of(whole):
                colours = KINDS[part].colours if part in KINDS else ()
                names = (part, *(f"{colour} {part}" for colour in colours))
                texts |= dict.fromkeys(prompt(name, whole) for name in names)
    return tuple(texts)


@cache
def class_names(label_list: LabelList) -> tuple[str, ...]:
    """Return a label list's class names, in the order of their ids (133 COCO, 150 ADE20K)."""
    table = json.loads((_LABELS / f"{label_list}.json").read_text(encoding="utf-8"))["id2label"]
    return tuple(table[str(index)] for index in range(len(table)))


@cache
def class_id(kind: str, label_list: LabelList) -> int:
    """Return the id of a stuff's or object's class; ValueError for a part, which has none."""
    entry = KINDS[kind]
    name = entry.coco if label_list == "coco" else entry.ade20k
    return class_names(label_list).index(name)
