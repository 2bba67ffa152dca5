"""Captioners beside BLIP with random weights, in the layouts they are published in, and small.

What they say is noise in letters; louder weights than a model's first ones make it another for each crop.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers as hf

from benchmarks import captioner_weights
from benchmarks.captioner_weights import LETTERS, make_loud
from benchmarks.random_weights import Sizes

SMALL_DAVIT: Sizes = {
    "depths": [1, 1],
    "patch_size": [7, 3],
    "patch_stride": [4, 2],
    "patch_padding": [3, 1],
    "patch_prenorm": [False, True],
    "embed_dim": [16, 32],
    "num_heads": [2, 4],
    "num_groups": [2, 4],
    "window_size": 4,
    "projection_dim": 32,
}
SMALL_BART: Sizes = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 256,
}


def write_florence(
    folder: Path,
    vision: Sizes = SMALL_DAVIT,
    text: Sizes = SMALL_BART,
    side: int = 64,
    eagerness: float = 1.0,
    words: int = 0,
) -> None:
    """A Florence-2 of 64 px."""
    captioner_weights.write_florence(folder, vision, text, side, eagerness, words)


def speak_plainly(folder: Path) -> None:
    """Let a model write small letters, commas, spaces and its marks, and nothing else."""
    known = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    allowed = set("Ġ,abcdefghijklmnopqrstuvwxyz")
    other = [number for word, number in known.items() if len(word) == 1 and word not in allowed]
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "suppress_tokens": other}))


QWEN_MARKS = {
    "<|endoftext|>": 0,
    "<|im_start|>": 1,
    "<|im_end|>": 2,
    "<|vision_start|>": 3,
    "<|vision_end|>": 4,
    "<|image_pad|>": 5,
    "<|video_pad|>": 6,
}
QWEN_TEMPLATE = """{% for message in messages %}<|im_start|>{{ message.role }}
{% for part in message.content %}{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>\
{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
SMALL_LLAMA: Sizes = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 2048,
}
SMALL_QWEN_VISION: Sizes = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "out_hidden_size": 32,
    "num_position_embeddings": 64,
    "deepstack_visual_indexes": [0],
}


def write_qwen3_vl(folder: Path, eagerness: float = 1.0) -> None:
    """As Qwen publishes it: pictures of any shape, generation by chance, texts padded on the right."""
    torch.manual_seed(0)
    vocabulary = {**QWEN_MARKS}
    for letter in ["Ċ", *LETTERS]:
        vocabulary[letter] = len(vocabulary)
    tokenizer = hf.Qwen2Tokenizer(vocab=vocabulary, merges=[], eos_token="<|im_end|>")
    tokenizer.add_tokens([hf.AddedToken(one, special=True) for one in QWEN_MARKS])
    marks = {name.strip("<|>"): number for name, number in QWEN_MARKS.items()}
    config = hf.Qwen3VLConfig(
        text_config={
            **SMALL_LLAMA,
            "head_dim": 16,
            "vocab_size": len(vocabulary),
            "rope_parameters": {"rope_type": "default", "mrope_section": [4, 2, 2]},
        },
        vision_config=dict(SMALL_QWEN_VISION),
        image_token_id=marks["image_pad"],
        video_token_id=marks["video_pad"],
        vision_start_token_id=marks["vision_start"],
        vision_end_token_id=marks["vision_end"],
    )
    model = hf.Qwen3VLForConditionalGeneration(config)
    make_loud(model)
    with torch.no_grad():
        model.lm_head.weight[2] *= eagerness
    model.generation_config = hf.GenerationConfig(
        do_sample=True,
        temperature=0.7,
        top_k=20,
        top_p=0.8,
        repetition_penalty=1.05,
        eos_token_id=[2, 0],
        pad_token_id=0,
    )
    model.save_pretrained(folder)
    hf.Qwen3VLProcessor(
        hf.Qwen2VLImageProcessor(
            patch_size=16, size={"shortest_edge": 64 * 64, "longest_edge": 128 * 128}
        ),
        tokenizer,
        hf.Qwen3VLVideoProcessor(patch_size=16),
        chat_template=QWEN_TEMPLATE,
    ).save_pretrained(folder)


SMOL_MARKS = (
    "<|im_start|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
    "<row_1_col_1>",
)
SMOL_TEMPLATE = """<|im_start|>{% for message in messages %}{{ message.role | capitalize }}:\
{% for part in message.content %}{% if part.type == 'image' %}<image>{% else %}{{ part.text }}\
{% endif %}{% endfor %}<end_of_utterance>
{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"""
SMALL_SIGLIP: Sizes = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}


def write_smolvlm(
    folder: Path,
    eagerness: float = 1.0,
    family: str = "SmolVLM",
    text: Sizes = SMALL_LLAMA,
    vision: Sizes = SMALL_SIGLIP,
    scale: int = 2,
) -> None:
    """As HuggingFaceTB publishes it: crops cut into tiles of 32 px; ``Idefics3`` is its first version.

    Of each side of a tile's patches, ``scale`` become one token.
    """
    torch.manual_seed(0)
    vocabulary = {mark: number for number, mark in enumerate(SMOL_MARKS)}
    for letter in ["Ċ", *LETTERS]:
        vocabulary[letter] = len(vocabulary)
    tokenizer = hf.GPT2Tokenizer(
        vocab=vocabulary,
        merges=[],
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|im_start|>",
        unk_token="<|im_start|>",
    )
    tokenizer.add_tokens([hf.AddedToken(one, special=True) for one in SMOL_MARKS])
    config = getattr(hf, f"{family}Config")(
        text_config={"model_type": "llama", **text, "vocab_size": len(vocabulary)},
        vision_config=dict(vision),
        image_token_id=3,
        scale_factor=scale,
        pad_token_id=0,
    )
    model = getattr(hf, f"{family}ForConditionalGeneration")(config)
    make_loud(model)
    with torch.no_grad():
        model.lm_head.weight[1] *= eagerness
    model.generation_config = hf.GenerationConfig(bos_token_id=0, eos_token_id=1, pad_token_id=0)
    model.save_pretrained(folder)
    tile = vision["image_size"]
    sizes = {"size": {"longest_edge": 4 * tile}, "max_image_size": {"longest_edge": tile}}
    parts = [getattr(hf, f"{family}ImageProcessor")(**sizes), tokenizer]
    if family == "SmolVLM":
        parts.append(hf.SmolVLMVideoProcessor(**sizes))
    getattr(hf, f"{family}Processor")(
        *parts,
        image_seq_len=(tile // vision["patch_size"] // scale) ** 2,
        chat_template=SMOL_TEMPLATE,
    ).save_pretrained(folder)
