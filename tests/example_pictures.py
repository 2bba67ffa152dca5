"""Annotated pictures for the tests of formats: some by hand, any for hypothesis, many as a stream."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from fakes import proposal
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.formats.categories import Categories
from ssa.formats.example import Example, Exporter, label_of
from ssa.types import Annotation, BoolMask, Evidence, ScoredLabel, TreeNode

NAMES = ("dog", "a red kite", "Straße", "虎の尾", 'say "no": \\ #', "emoji 🦊")

SIDES = st.integers(1, 24)
MASKS = st.tuples(SIDES, SIDES).flatmap(lambda hw: arrays(np.bool_, hw))
"""Any mask, the empty one too, up to 24 pixels a side."""


def annotation(mask: BoolMask, name: str | None = "dog") -> Annotation:
    """A named region; with no name, a bare one."""
    if name is None:
        return Annotation(proposal(mask), None)
    return Annotation(proposal(mask), name, (name, "thing"))


def rich_annotation(mask: BoolMask) -> Annotation:
    """A region with all that can be said of one."""
    return Annotation(
        proposal(mask, granularity=3),
        "wheel",
        ("wheel", "tyre"),
        Evidence(
            caption="a wheel of a car",
            noun_phrases=("wheel", "car"),
            ranking=(ScoredLabel("wheel", 0.75), ScoredLabel("tyre", 0.25)),
            shares=(ScoredLabel("wheel", 0.625), ScoredLabel("tyre", 0.375)),
            cluster_id=2,
        ),
        TreeNode(parent=None, level=0),
        part_of="car",
    )


def example(
    key: str, masks: Sequence[BoolMask], names: Sequence[str | None] | None = None
) -> Example:
    """A picture with these masks, all of one size (at least one), called dog where no names are given."""
    height, width = masks[0].shape
    called = names if names is not None else ["dog"] * len(masks)
    annotations = tuple(map(annotation, masks, called))
    return Example(key, key.rpartition("/")[2], height, width, annotations)


def empty_example(key: str, height: int = 20, width: int = 30) -> Example:
    """A picture in which no mask was found."""
    return Example(key, key.rpartition("/")[2], height, width, ())


def disc(height: int, width: int, x: float, y: float, radius: float) -> BoolMask:
    """A round mask (height, width) about a point, in pixels."""
    rows, columns = np.mgrid[:height, :width]
    return np.hypot(rows - y, columns - x) <= radius


def ring(height: int, width: int, x: float, y: float, radius: float) -> BoolMask:
    """A disc with a hole of half its radius."""
    return disc(height, width, x, y, radius) & ~disc(height, width, x, y, radius / 2)


def example_pictures() -> list[Example]:
    """Four pictures in the order of keys: shapes with holes and parts, one without masks, odd names."""
    height, width = 60, 80
    two_parts = disc(height, width, 15, 15, 9) | disc(height, width, 60, 45, 10)
    shapes = [ring(height, width, 40, 30, 25), two_parts, disc(height, width, 0, 59, 20)]
    return [
        example("photos/a street.jpg", shapes, ["ring", "pair", "corner"]),
        empty_example("photos/nothing.png"),
        example("photos/unnamed.jpg", shapes[:2], [None, None]),
        example("фото/狐 🦊.jpg", shapes, NAMES[2:5]),
    ]


def many_examples(pictures: int, masks_each: int) -> Iterator[Example]:
    """A long stream, made as it is asked for: each picture holds the same masks under its own key."""
    annotations = example("", [ring(40, 50, 25, 20, 15)]).annotations * masks_each
    for number in range(pictures):
        name = f"{number:06}.jpg"
        yield Example(f"many/{name}", name, 40, 50, annotations)


def categories_of(examples: Iterable[Example]) -> Categories:
    """Their labels, numbered in the order met."""
    return Categories().extended(
        label_of(one) for picture in examples for one in picture.annotations
    )


@st.composite
def examples(draw: st.DrawFn, max_masks: int = 4) -> list[Example]:
    """A few pictures in the order of keys, with any masks and names."""
    keys = draw(st.lists(st.from_regex(r"[a-c]{1,2}/[a-z]{1,3}\.jpg", fullmatch=True), unique=True))
    return [draw(_picture(key, max_masks)) for key in sorted(keys)]


@st.composite
def _picture(draw: st.DrawFn, key: str, max_masks: int) -> Example:
    height, width = draw(SIDES), draw(SIDES)
    masks = draw(st.lists(arrays(np.bool_, (height, width)), max_size=max_masks))
    names = draw(
        st.lists(st.sampled_from((None, *NAMES)), min_size=len(masks), max_size=len(masks))
    )
    annotations = tuple(map(annotation, masks, names))
    return Example(key, key.rpartition("/")[2], height, width, annotations)


def peak_of(write: Exporter, pictures: int, masks: int, folder: Path) -> int:
    """The most bytes that Python holds while so many pictures, with so many masks each, are written."""
    tracemalloc.start()
    write(many_examples(pictures, masks), folder, Categories(["dog"]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
