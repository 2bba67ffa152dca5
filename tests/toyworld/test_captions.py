"""Captions name their region's kind in the closed vocabulary, and phrases are right names."""

import random
import re

import numpy as np
import pytest

from toyworld.captions import WORDS, caption, phrases, right_texts
from toyworld.kinds import KINDS, part_prompts
from toyworld.scenes import Scene, draw_scene


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_scene(seed, 128, 128) for seed in range(60)]


def test_captions_name_the_kind_in_known_words(scenes: list[Scene]) -> None:
    rng = random.Random(5)
    for scene in scenes:
        for index, region in enumerate(scene.regions):
            text = caption(scene, index, rng)
            assert re.search(rf"\b{region.kind}\b", text), text
            assert set(text.split()) <= set(WORDS)


def test_articles_fit_their_nouns(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(5)
    texts = [caption(s, i, rng) for s in scenes for i in range(len(s.regions))]
    assert not [text for text in texts if re.search(r"\ba [aeiou]|\ban [^aeiou]", text)]
    assert not [text for text in texts if re.search(r"\ba (green )?(grass|sand)\b", text)]


def test_phrases_begin_with_the_kind_and_hold_its_synonyms(scenes: list[Scene]) -> None:
    for scene in scenes:
        for index, region in enumerate(scene.regions):
            names = phrases(scene, index)
            assert names[0] == region.kind
            assert set(KINDS[region.kind].synonyms) <= set(names)
            if region.colour and region.kind != "person":
                assert f"{region.colour} {region.kind}" in names


def test_a_part_may_be_asked_for_with_its_whole_and_a_whole_only_by_its_names(
    scenes: list[Scene],
) -> None:
    for scene in scenes:
        for index, region in enumerate(scene.regions):
            added = right_texts(scene, index)[len(phrases(scene, index)) :]
            if region.parent is None:
                assert added == ()
            else:
                whole = scene.regions[region.parent].kind
                assert re.fullmatch(rf"{region.kind} of an? {whole}", added[0])
                assert added[0] in part_prompts()


def test_parts_that_are_never_drawn_are_asked_for_too() -> None:
    asked = part_prompts()
    assert {"anchor of a boat", "petal of a flower", "blue window of a bus"} <= set(asked)
    assert len(set(asked)) == len(asked)


def test_the_vocabulary_is_small() -> None:
    assert len(WORDS) <= 150
