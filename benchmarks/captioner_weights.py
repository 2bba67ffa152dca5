"""Captioners beside BLIP with random weights, in the layouts they are published in, of any size.

What they say is noise in letters; louder weights than a model's first ones make it another for each crop.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers as hf

from benchmarks.random_weights import IMAGENET_MEAN, IMAGENET_STD, Sizes

LOUDNESS = 0.3

# As byte-level tokenizers write them: a space is "Ġ".
LETTERS = ["Ġ", *map(chr, range(33, 127))]


def write_florence(
    folder: Path, vision: Sizes, text: Sizes, side: int, eagerness: float = 1.0, words: int = 0
) -> None:
    """As florence-community publishes it: BART's marks, 1,000 places, and generation with three beams.

    Pictures are seen at ``side`` pixels. The end's score, and that of a place, is the larger the more
    ``eagerness``. So many ``words`` are added to the letters.
    """
    torch.manual_seed(0)
    tokenizer, known = _tokenizer(words)
    config = hf.Florence2Config(
        vision_config=dict(vision),
        text_config={
            "model_type": "bart",
            **text,
            "vocab_size": len(tokenizer),
            "bos_token_id": 0,
            "pad_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 2,
        },
        image_token_id=tokenizer.image_token_id,
    )
    model = hf.Florence2ForConditionalGeneration(config)
    make_loud(model)
    with torch.no_grad():
        shared = model.get_input_embeddings().weight
        shared[known:] *= 0.5 * eagerness
        shared[2] *= eagerness
    model.generation_config = hf.GenerationConfig(
        num_beams=3,
        no_repeat_ngram_size=3,
        early_stopping=True,
        forced_bos_token_id=0,
        forced_eos_token_id=2,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    model.save_pretrained(folder)
    seen = hf.CLIPImageProcessor(
        size={"height": side, "width": side},
        do_center_crop=False,
        image_mean=IMAGENET_MEAN,
        image_std=IMAGENET_STD,
        image_seq_length=(side // _stride(vision)) ** 2 + 1,
    )
    hf.Florence2Processor(seen, tokenizer, post_processor_config={"pure_text": {}}).save_pretrained(
        folder
    )


def _tokenizer(words: int) -> tuple[Any, int]:
    """A tokenizer of marks, letters, ``words`` and places, and how many tokens come before the places."""
    places = [f"<loc_{number}>" for number in range(1000)]
    marks = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = {word: number for number, word in enumerate([*marks, *LETTERS])}
    vocabulary |= {f"Ġword{number}": len(vocabulary) + number for number in range(words)}
    tokenizer = hf.BartTokenizer(
        vocab=vocabulary,
        merges=[],
        mask_token="<unk>",
        model_specific_special_tokens={"image_token": "<image>"},
    )
    tokenizer.add_tokens([hf.AddedToken(one, special=True) for one in places])
    return tokenizer, len(vocabulary)


def _stride(vision: Mapping[str, Any]) -> int:
    product = 1
    for stride in vision["patch_stride"]:
        product *= stride
    return product


def make_loud(model: Any) -> None:
    """Draw all matrices anew, with a larger spread; seeded by the caller."""
    spread = LOUDNESS * (32 / model.get_input_embeddings().weight.shape[1]) ** 0.5
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(std=spread)
