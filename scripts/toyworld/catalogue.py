"""Every kind of object: the function that draws it, its extent in units, and its sizes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from toyworld.pen import Pen
from toyworld.things import buildings, creatures, leisure, nature, vehicles


@dataclass(frozen=True, slots=True)
class Thing:
    """How one kind is drawn: extent in units at size 1, and the range of sizes."""

    draw: Callable[[Pen], None]
    width: float
    height: float
    smallest: float
    largest: float
    mirrored: bool = True


CATALOGUE: Final[dict[str, Thing]] = {
    "person": Thing(creatures.person, 40, 92, 0.78, 1.2),
    "car": Thing(vehicles.car, 118, 74, 0.9, 1.15),
    "bus": Thing(vehicles.bus, 146, 81, 0.88, 1.1),
    "truck": Thing(vehicles.truck, 134, 80, 0.9, 1.1),
    "airplane": Thing(vehicles.airplane, 116, 58, 0.78, 1.15),
    "boat": Thing(vehicles.boat, 96, 105, 0.75, 1.15),
    "bird": Thing(creatures.bird, 60, 50, 0.95, 1.25),
    "dog": Thing(creatures.dog, 72, 56, 0.82, 1.2),
    "cat": Thing(creatures.cat, 48, 63, 0.9, 1.25),
    "sheep": Thing(creatures.sheep, 68, 54, 0.85, 1.25),
    "tree": Thing(nature.tree, 78, 116, 0.85, 1.25),
    "house": Thing(buildings.house, 122, 110, 0.92, 1.2),
    "ball": Thing(leisure.ball, 46, 46, 0.9, 1.3),
    "kite": Thing(leisure.kite, 58, 84, 0.85, 1.15),
    "umbrella": Thing(leisure.umbrella, 88, 88, 0.85, 1.2),
    "bench": Thing(buildings.bench, 90, 48, 0.85, 1.2),
    "fence": Thing(buildings.fence, 112, 43, 0.85, 1.25),
    "flower": Thing(nature.flower, 48, 74, 0.85, 1.3),
    "tent": Thing(buildings.tent, 104, 70, 0.8, 1.2),
    "cloud": Thing(nature.cloud, 82, 45, 0.85, 1.35),
    "sun": Thing(nature.sun, 54, 54, 0.85, 1.3),
    "rock": Thing(nature.rock, 68, 46, 0.9, 1.35),
    "balloon": Thing(leisure.balloon, 68, 98, 0.78, 1.15),
    "stop sign": Thing(leisure.stop_sign, 47, 94, 0.85, 1.15, mirrored=False),
}
