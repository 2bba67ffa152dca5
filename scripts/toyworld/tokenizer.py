"""The miniature text models' vocabularies: byte-pair (CLIP's kind) and word-piece (BLIP's kind).

Both know every word of the drawn world and of the two label lists as one token, and spell anything else.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from toyworld.captions import WORDS
from toyworld.kinds import KINDS, class_names

START, END = "<|startoftext|>", "<|endoftext|>"


@cache
def world_words() -> tuple[str, ...]:
    """Every word that a caption, a right name or a class name of the two lists may hold, sorted."""
    phrases = [*WORDS, *class_names("coco"), *class_names("ade20k")]
    for kind in KINDS.values():
        phrases += [kind.name, *kind.colours, *kind.synonyms]
    words = {word for phrase in phrases for word in phrase.replace("-", " ").lower().split()}
    return tuple(sorted(words))


@cache
def byte_pairs() -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """Vocabulary and merges by which each of the world's words becomes one token.

    The start and end tokens come last: CLIP's text tower finds the end as the highest id.
    """
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=20_000,
        min_frequency=1,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(world_words())], trainer)
    merges = tuple(
        (left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"]
    )
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters)]
    tokens += [token for token in dict.fromkeys(a + b for a, b in merges) if token not in tokens]
    return {token: index for index, token in enumerate([*tokens, START, END])}, merges


def write_clip_tokenizer(folder: Path, context_length: int) -> None:
    """``vocab.json``, ``merges.txt`` and the configuration that CLIP's tokenizer reads."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, merges = byte_pairs()
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "bos_token": START,
        "eos_token": END,
        "pad_token": END,
        "unk_token": END,
        "model_max_length": context_length,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def write_bert_tokenizer(folder: Path) -> int:
    """``vocab.txt`` and the configuration that BLIP's tokenizer reads; returns the vocabulary's size."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,'-"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
    tokens = [*special, *letters, *(f"##{letter}" for letter in letters)]
    tokens += [word for word in world_words() if word not in tokens]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n")
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        # Without a begin token of its own, BLIP's "[DEC]" leaks into the captions.
        "bos_token": "[DEC]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "mask_token": "[MASK]",
        "additional_special_tokens": ["[ENC]"],
        "model_max_length": 32,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    return len(tokens)
