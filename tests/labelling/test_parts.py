"""Parts are asked for in the light of their whole, and only what is a part is called one."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.labelling.parts import (
    Candidate,
    Whole,
    candidates_within,
    kind_of,
    parts_of,
    prompt,
    shortlist,
)
from ssa.types import ScoredLabel

CAR = Whole("red car", frozenset({"red car", "car"}), "a red car on a road", ("red car", "road"))
HOUSE = Whole(
    "house", frozenset({"house", "building"}), "a house by the sea", ("house", "the  Sea")
)


def by_label(*labels: str, caption: str = "", wholes: tuple[Whole, ...]) -> dict[str, Candidate]:
    found = candidates_within(labels, caption, wholes)
    return {candidate.label: candidate for candidate in found}


def ranked(*texts: str) -> list[ScoredLabel]:
    return [ScoredLabel(text, 1 / (place + 2)) for place, text in enumerate(texts)]


def test_without_a_whole_labels_are_asked_as_they_are() -> None:
    assert candidates_within(["car", "red car"], "a wheel of a car", ()) == (
        Candidate("car", "car"),
        Candidate("red car", "red car"),
    )


def test_a_part_is_asked_for_with_its_whole_less_the_wholes_colour() -> None:
    found = by_label("black wheel", wholes=(CAR,))
    assert found["black wheel"] == Candidate(
        "black wheel", "black wheel of a car", part_of="red car"
    )


def test_a_whole_adds_its_listed_parts_and_its_captions_nouns_but_not_itself() -> None:
    found = by_label("dog", wholes=(CAR,))
    assert set(found) == {"dog", "road", *parts_of("car")}
    assert found["headlight"].part_of == "red car"


def test_what_is_no_part_stays_itself() -> None:
    found = by_label("person", caption="a person in front of a house", wholes=(HOUSE,))
    assert found["person"] == Candidate("person", "person")
    assert found["the sea"] == Candidate("the sea", "the sea")


def test_names_of_the_whole_are_known_by_their_end() -> None:
    found = by_label("house", "white house", "building", "buildings", "tree house", wholes=(HOUSE,))
    marked = [label for label, one in found.items() if one.names_whole]
    assert marked == ["house", "white house", "building", "buildings", "tree house"]
    assert not by_label("carpet", wholes=(CAR,))["carpet"].names_whole


@pytest.mark.parametrize(
    ("caption", "is_part"),
    [
        ("the lid of a jar", True),
        ("a blue lid of the old glass jar on a table", True),
        ("a jar with a lid", False),
        ("a lid of a pot beside a tall old jar", False),
        ("the lids of jar", False),
    ],
)
def test_a_caption_makes_parts_that_are_not_listed(caption: str, is_part: bool) -> None:
    jar = Whole("jar", frozenset({"jar"}), "", ())
    assert kind_of("jar") is None
    assert by_label("lid", caption=caption, wholes=(jar,))["lid"].part_of == (
        "jar" if is_part else None
    )


def test_the_nearest_whole_that_has_such_a_part_gets_it() -> None:
    door = Whole("door", frozenset({"door"}), "", ())
    found = by_label(wholes=(door, HOUSE))
    assert found["knob"].part_of == "door"
    assert found["window"].part_of == "door"  # doors may have one
    assert found["chimney"] == Candidate("chimney", "chimney of a house", "house")


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        ("wheel", "red car", "wheel of a car"),
        ("wing", "airplane", "wing of an airplane"),
        ("blue window", "old jar", "blue window of an old jar"),
        ("car wheel", "red car", "car wheel"),
        ("man's hand", "old man", "man's hand"),
        ("rope", "hot air balloon", "rope of a hot air balloon"),
    ],
)
def test_prompts(part: str, whole: str, text: str) -> None:
    assert prompt(part, whole) == text


def test_a_kind_is_the_longest_listed_ending_in_the_singular() -> None:
    assert kind_of("big stop sign") == "stop sign"
    assert kind_of("two cars") == "car"
    assert kind_of("nothing of the sort") is None
    assert parts_of("unheard of") == ()


WHEEL, ROAD = Candidate("wheel", "wheel of a car", "red car"), Candidate("road", "road")
ITSELF, VOTED = (Candidate(name, name, names_whole=True) for name in ("red car", "car"))
PART_LIKE_IT = Candidate("cab", "cab of a car", "red car", names_whole=True)


def test_only_what_ranks_above_the_wholes_own_names_is_chosen_from() -> None:
    candidates = (VOTED, ITSELF, WHEEL, ROAD)
    ranking = ranked("road", "wheel of a car", "car", "red car")
    assert shortlist(ranking, candidates, 3) == (ROAD, WHEEL)
    assert shortlist(ranking, candidates, 1) == (ROAD,)
    ranking = ranked("wheel of a car", "car", "road", "red car")
    assert shortlist(ranking, candidates, 3) == (WHEEL,)


def test_where_nothing_fits_better_than_the_whole_all_ranks_count() -> None:
    ranking = ranked("car", "wheel of a car", "red car", "road")
    assert shortlist(ranking, (VOTED, ITSELF, WHEEL, ROAD), 3) == (VOTED, WHEEL, ITSELF)


def test_a_part_called_like_its_whole_is_a_part_still() -> None:
    ranking = ranked("cab of a car", "wheel of a car", "car")
    assert shortlist(ranking, (VOTED, WHEEL, PART_LIKE_IT), 3) == (PART_LIKE_IT, WHEEL)


@given(
    st.permutations(["wheel of a car", "road", "red car", "car", "cab of a car"]), st.integers(1, 6)
)
def test_a_shortlist_is_never_empty_nor_longer_than_asked(texts: list[str], top_k: int) -> None:
    candidates = (WHEEL, ROAD, ITSELF, VOTED, PART_LIKE_IT)
    short = shortlist(ranked(*texts), candidates, top_k)
    assert 1 <= len(short) <= top_k
    assert short[0].text == texts[0]
    assert [texts.index(one.text) for one in short] == sorted(texts.index(o.text) for o in short)


LABELS = st.lists(
    st.sampled_from(["wheel", "car", "red car", "Road ", "wheel of a car", "dog", "door"])
)


@given(LABELS, st.sampled_from([(), (CAR,), (HOUSE, CAR)]))
def test_labels_and_texts_are_unique_and_the_own_come_first(
    labels: list[str], wholes: tuple[Whole, ...]
) -> None:
    found = candidates_within(labels, "", wholes)
    assert len({one.label for one in found}) == len({one.text for one in found}) == len(found)
    own = [one for one in found if one.label in {label.strip().lower() for label in labels}]
    assert list(found[: len(own)]) == own


def test_the_table_is_plain_and_names_each_whole_once() -> None:
    groups = json.loads(files("ssa.labelling.labels").joinpath("parts.json").read_text("utf-8"))
    wholes = Counter(whole for group in groups for whole in group["wholes"])
    assert max(wholes.values()) == 1
    for group in groups:
        assert set(group) == {"wholes", "parts"}
        assert len(set(group["parts"])) == len(group["parts"])
        for name in (*group["wholes"], *group["parts"]):
            assert name == " ".join(name.lower().split())
