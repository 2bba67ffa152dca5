"""Checkpoints of rankers beside CLIP with random weights, in their published layouts, of any size."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from open_clip.model import CustomTextCLIP
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel
from tokenizers.normalizers import Replace
from tokenizers.pre_tokenizers import Whitespace

from benchmarks.random_weights import Sizes
from ssa.models.fgclip2 import FgClip2Model


def write_siglip(folder: Path, model_cfg: Sizes, words: tuple[str, ...]) -> None:
    """As timm publishes SigLIP 2 for open_clip: a bias, squashed pictures, and a tokenizer of its own.

    The tokenizer knows ``words`` and no letters.
    """
    known = ("<pad>", "<eos>", "<unk>", *words)
    numbers = {word: number for number, word in enumerate(known)}
    tokenizer = Tokenizer(WordLevel(numbers, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    ).save_pretrained(folder)
    squashed = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic"}
    described = {
        "model_cfg": dict(model_cfg),
        "preprocess_cfg": {**squashed, "resize_mode": "squash"},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(described), encoding="utf-8")
    torch.manual_seed(0)
    sizes = {name: value for name, value in model_cfg.items() if name != "custom_text"}
    state = CustomTextCLIP(**sizes).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "open_clip_model.safetensors")


def write_tipsv2(folder: Path, vision: Sizes, text: Sizes) -> None:
    """In transformers' layout; its tokens are letters, so a text has more of them than with the published."""
    torch.manual_seed(0)
    config = transformers.Tipsv2Config(vision_config=dict(vision), text_config=dict(text))
    transformers.Tipsv2Model(config).save_pretrained(folder)
    side = config.vision_config.image_size
    size = {"height": side, "width": side}
    transformers.Tipsv2ImageProcessor(size=size).save_pretrained(folder)
    tokens = ["<pad>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz-'"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    transformers.Tipsv2Tokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)


def write_fgclip2(folder: Path, vision: Sizes, text: Sizes, long_text: int) -> None:
    """In the layout of qihoo360's fg-clip2, with all its tensors; its tokens are letters.

    ``long_text`` is how many tokens a long text may have.
    """
    torch.manual_seed(0)
    config = transformers.Siglip2Config(vision_config=dict(vision), text_config=dict(text))
    model = FgClip2Model(config)
    model.logit_scale.data.fill_(3.0)
    # Else all cells hear much the same.
    model.dense_feature_head.attention.in_proj_weight.data.mul_(8)
    width = config.text_config.hidden_size
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    weights |= {
        "longtext_head.weight": torch.randn(width, width),
        "longtext_head.bias": torch.zeros(width),
    }
    for name in ("res", "ori"):
        key = f"text_model.embeddings.position_embedding_{name}.weight"
        weights[key] = torch.randn(long_text, width)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    described = {
        "model_type": "fgclip2",
        "architectures": ["Fgclip2Model"],
        "auto_map": {"AutoConfig": "configuration_fgclip2.Fgclip2Config"},
        "initializer_factor": 1.0,
        "vision_config": {**vision, "model_type": "fgclip2_vision_model"},
        "text_config": {
            **text,
            "model_type": "fgclip2_text_model",
            "keep_len": 20,
            "longtext_len": long_text,
        },
    }
    (folder / "config.json").write_text(json.dumps(described, indent=1), encoding="utf-8")
    transformers.Siglip2ImageProcessor().save_pretrained(folder)
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz-'"]
    tokenizer = Tokenizer(BPE({token: i for i, token in enumerate(tokens)}, [], unk_token="<unk>"))
    tokenizer.normalizer = Replace(" ", "▁")
    tokenizer.save(str(folder / "tokenizer.json"))
    marks = {"add_bos_token": False, "add_eos_token": True, "model_input_names": ["input_ids"]}
    told = {"tokenizer_class": "GemmaTokenizer", **marks}
    (folder / "tokenizer_config.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
