"""Trains the small spaCy pipeline that finds the noun phrases of the drawn world's captions.

The captions come from a grammar, so their parse is known: noun phrases, an "-ing" form, prepositions. A
tagger and a parser learn it from a few thousand captions in a minute.
"""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed, minibatch
from tqdm import tqdm

from toyworld.captions import caption
from toyworld.colours import PALETTE
from toyworld.scenes import draw_scene
from toyworld.seeds import training_seed

SCENES, EPOCHS, WIDTH = 240, 8, 48
DETERMINERS = frozenset({"a", "an", "the"})
PREPOSITIONS = frozenset({"on", "in", "of"})
POS = {"DT": "DET", "JJ": "ADJ", "NN": "NOUN", "IN": "ADP", "VBG": "VERB", "RB": "ADV"}


@dataclass(frozen=True, slots=True)
class Parse:
    """Tags, heads (indices) and dependency labels of a caption, one a word."""

    words: list[str]
    tags: list[str]
    heads: list[int]
    deps: list[str]


def tag(word: str) -> str:
    """The Penn tag of a word of the grammar."""
    if word in DETERMINERS:
        return "DT"
    if word in PREPOSITIONS:
        return "IN"
    if word in PALETTE:
        return "JJ"
    if word == "high":
        return "RB"
    return "VBG" if word.endswith("ing") else "NN"


def parse(text: str) -> Parse:
    """The dependency parse of a caption, by the grammar's own rules.

    A phrase hangs on the preposition before it, a preposition on the nearest noun or "-ing" form before
    it, and that form on the first noun, the root.
    """
    words = text.split()
    tags = [tag(word) for word in words]
    heads, deps = list(range(len(words))), [""] * len(words)
    root = preposition = anchor = None
    start = 0
    for i, kind in enumerate(tags):
        ends_phrase = kind == "NN" and (i + 1 == len(tags) or tags[i + 1] != "NN")
        if ends_phrase:
            for j in range(start, i):
                if tags[j] in ("DT", "JJ", "NN"):
                    heads[j] = i
                    deps[j] = {"DT": "det", "JJ": "amod", "NN": "compound"}[tags[j]]
            if preposition is None:
                root, deps[i] = i, "ROOT"
            else:
                heads[i], deps[i] = preposition, "pobj"
            anchor, start = i, i + 1
        elif kind == "VBG":
            heads[i], deps[i] = (root if root is not None else i), "acl"
            anchor, start = i, i + 1
        elif kind == "IN":
            heads[i], deps[i] = (anchor if anchor is not None else i), "prep"
            preposition, start = i, i + 1
        elif kind == "RB":
            heads[i], deps[i] = i + 1, "advmod"
            start = i + 1
    return Parse(words, tags, heads, deps)


def train_nouns(bundle: Path) -> None:
    """Train and write the pipeline's folder, whole or not at all.

    spaCy has a training loop of its own; it needs no checkpoint, for it takes less than a minute.
    """
    fix_random_seed(7)
    nlp = blank_pipeline()
    examples = [example(nlp, text) for text in training_captions()]
    nlp.initialize(lambda: examples)
    # initialize() forgets the ruler's patterns, so they come after it.
    for penn, universal in POS.items():
        nlp.get_pipe("attribute_ruler").add([[{"TAG": penn}]], {"POS": universal})
    order = random.Random(7)
    optimizer = nlp.resume_training()
    for _ in tqdm(range(EPOCHS), desc="nouns"):
        order.shuffle(examples)
        for batch in minibatch(examples, 64):
            nlp.update(batch, sgd=optimizer)
    nlp.meta["name"], nlp.meta["license"] = "tiny_nouns", "Apache-2.0"
    nlp.meta["description"] = "Noun phrases of the drawn world's captions."
    unfinished = bundle / "nouns.partial"
    shutil.rmtree(unfinished, ignore_errors=True)
    bundle.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(unfinished)
    shutil.rmtree(bundle / "nouns", ignore_errors=True)
    os.replace(unfinished, bundle / "nouns")


def training_captions() -> list[str]:
    """Different captions of training scenes, in a fixed order."""
    rng = np.random.default_rng(61)
    texts: dict[str, None] = {}
    for index in range(SCENES):
        scene = draw_scene(training_seed(600_000_000 + index), supersample=1)
        for region in range(len(scene.regions)):
            texts |= dict.fromkeys(caption(scene, region, rng) for _ in range(3))
    return list(texts)


def example(nlp: Language, text: str) -> Example:
    """A caption with its parse."""
    truth = parse(text)
    reference = Doc(
        nlp.vocab, words=truth.words, tags=truth.tags, heads=truth.heads, deps=truth.deps
    )
    return Example(nlp.make_doc(text), reference)


def blank_pipeline() -> Language:
    """A tagger, a parser and the ruler between tags and parts of speech, on small shared vectors."""
    nlp = spacy.blank("en")
    embed = {
        "@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": WIDTH,
        "depth": 2, "embed_size": 500, "window_size": 1, "maxout_pieces": 3,
        "subword_features": True,
    }  # fmt: skip
    listener = {
        "@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "tok2vec",
    }  # fmt: skip
    tagger = {
        "@architectures": "spacy.Tagger.v2", "nO": None, "normalize": False, "tok2vec": listener,
    }  # fmt: skip
    parser = {
        "@architectures": "spacy.TransitionBasedParser.v2", "state_type": "parser",
        "extra_state_tokens": False, "hidden_width": 48, "maxout_pieces": 2, "use_upper": True,
        "nO": None, "tok2vec": listener,
    }  # fmt: skip
    nlp.add_pipe("tok2vec", config={"model": embed})
    nlp.add_pipe("tagger", config={"model": tagger})
    nlp.add_pipe("parser", config={"model": parser})
    nlp.add_pipe("attribute_ruler")
    return nlp
