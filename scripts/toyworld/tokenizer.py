"""The miniature text models' vocabularies: byte-pair (CLIP's and SentencePiece's) and word-piece (BLIP's).

All know every word of the drawn world and of the two label lists as one token, and spell anything else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer, Tipsv2Tokenizer

from toyworld.captions import WORDS
from toyworld.kinds import KINDS, class_names, part_prompts

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END, WORD_START = "</w>", "▁"


@cache
def world_words() -> tuple[str, ...]:
    """Every word that a caption, a right name, a part's or a class's name may hold, sorted."""
    phrases = [*WORDS, *class_names("coco"), *class_names("ade20k"), *part_prompts()]
    for kind in KINDS.values():
        phrases += [kind.name, *kind.colours, *kind.synonyms]
    words = {word for phrase in phrases for word in phrase.replace("-", " ").lower().split()}
    return tuple(sorted(words))


@cache
def byte_pairs() -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """Vocabulary and merges by which each of the world's words becomes one token.

    The start and end tokens come last: CLIP's text tower finds the end as the highest id.
    """
    merges = learn_merges(world_words())
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(letter + WORD_END for letter in letters), *(a + b for a, b in merges)]
    known = dict.fromkeys([*tokens, START, END])
    return {token: index for index, token in enumerate(known)}, merges


def learn_merges(words: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Byte-pair merges (Sennrich et al. 2016, arXiv:1508.07909) until every word is one token.

    The commonest pair first, of equals the first in the alphabet. Written out here because ids must be
    the same in every process that trains or resumes, and a trainer that breaks ties by hash order gives
    others each time.
    """
    return _merged_whole([[*word[:-1], word[-1] + WORD_END] for word in sorted(set(words))])


def _merged_whole(spelt: list[list[str]]) -> tuple[tuple[str, str], ...]:
    """Merges, in order, until each of the spelt words is one token."""
    merges: list[tuple[str, str]] = []
    while pairs := Counter(pair for parts in spelt for pair in pairwise(parts)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelt = [_merged(parts, best) for parts in spelt]
    return tuple(merges)


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """``parts`` with each occurrence of ``pair`` made one, from the left."""
    out: list[str] = []
    for part in parts:
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return out


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


def clip_ids(texts: Sequence[str], context_length: int) -> list[list[int]]:
    """Token ids of each text, as the exported tokenizer gives them, padded to ``context_length``."""
    with TemporaryDirectory() as folder:
        write_clip_tokenizer(Path(folder), context_length)
        tokenizer = CLIPTokenizer.from_pretrained(folder)
    ids = tokenizer(list(texts), padding="max_length", max_length=context_length, truncation=True)
    return [list(row) for row in ids["input_ids"]]


@cache
def sentence_pieces() -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """Vocabulary and merges of SentencePiece's kind: words begin with a mark, hyphens stay inside them."""
    phrases = [*class_names("coco"), *class_names("ade20k"), "photo"]
    words = {*world_words(), *(word for phrase in phrases for word in phrase.lower().split())}
    merges = _merged_whole([[WORD_START, *word] for word in sorted(words)])
    letters = sorted({WORD_START, *"abcdefghijklmnopqrstuvwxyz0123456789.,'-", *"".join(words)})
    tokens = ["<pad>", "<unk>", *letters, *(a + b for a, b in merges)]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}, merges


def tips_tokenizer() -> Tipsv2Tokenizer:
    """TIPSv2's tokenizer with the drawn world's vocabulary."""
    vocabulary, merges = sentence_pieces()
    return Tipsv2Tokenizer(vocab=dict(vocabulary), merges=list(merges))


def write_bert_tokenizer(folder: Path) -> None:
    """``vocab.txt`` and the configuration that BLIP's tokenizer reads."""
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
