"""Checkpoints of the real classes with random weights, in the layouts they are published in, and small.

``test_real_architectures`` makes the real sizes with the same functions of ``benchmarks``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import random_weights, ranker_weights
from benchmarks.random_weights import CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD, Sizes

__all__ = ["CLIP_MEAN", "CLIP_STD", "IMAGENET_MEAN", "IMAGENET_STD"]

SMALL_SWIN: Sizes = {"embed_dim": 32, "depths": [1, 1, 1, 1], "num_heads": [1, 2, 4, 8]}
SMALL_ONEFORMER: Sizes = {
    "hidden_dim": 64,
    "conv_dim": 64,
    "mask_dim": 64,
    "encoder_layers": 1,
    "decoder_layers": 3,
    "num_attention_heads": 4,
    "dim_feedforward": 64,
    "encoder_feedforward_dim": 64,
    "num_queries": 12,
}
SMALL_BLIP_VISION: Sizes = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
    # BLIP's own 1e-10 would make all pictures alike.
    "initializer_range": 0.5,
}
SMALL_BLIP_TEXT: Sizes = {
    "hidden_size": 32,
    "encoder_hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "initializer_range": 0.5,
}
SMALL_OPEN_CLIP: Sizes = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
    "quick_gelu": True,
}
SMALL_CLIPSEG: Sizes = {
    "projection_dim": 32,
    "reduce_dim": 16,
    "extract_layers": [0, 1, 2],
    "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 32,
    "vision_config": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    },
    "text_config": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    },
}

SMALL_TIPSV2_VISION: Sizes = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 56,
    # Else all cells are much alike.
    "initializer_range": 0.3,
}
SMALL_TIPSV2_TEXT: Sizes = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 64,
    "initializer_range": 0.3,
}

SMALL_FGCLIP2_VISION: Sizes = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_patches": 16,
}
SMALL_FGCLIP2_TEXT: Sizes = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 64,
    "max_position_embeddings": 24,
    "projection_size": 32,
}


def write_oneformer(
    folder: Path,
    labels: tuple[str, ...],
    swin: Sizes = SMALL_SWIN,
    sizes: Sizes = SMALL_ONEFORMER,
    edges: tuple[int, int] = (64, 128),
) -> None:
    """A OneFormer of 64 to 128 px."""
    random_weights.write_oneformer(folder, labels, swin, sizes, edges)


def write_blip(
    folder: Path,
    vision: Sizes = SMALL_BLIP_VISION,
    text: Sizes = SMALL_BLIP_TEXT,
    vocabulary_size: int = 64,
) -> None:
    """A BLIP of 32 px with 59 words."""
    random_weights.write_blip(folder, vision, text, vocabulary_size)


def write_open_clip(folder: Path, model_cfg: Sizes = SMALL_OPEN_CLIP, **preprocess: Any) -> None:
    """A CLIP of 32 px."""
    random_weights.write_open_clip(folder, model_cfg, **preprocess)


def write_clipseg(folder: Path, sizes: Sizes = SMALL_CLIPSEG, refined: bool = False) -> None:
    """A CLIPSeg of 32 px."""
    random_weights.write_clipseg(folder, sizes, refined=refined)


def write_tipsv2(
    folder: Path, vision: Sizes = SMALL_TIPSV2_VISION, text: Sizes = SMALL_TIPSV2_TEXT
) -> None:
    """A TIPSv2 of 56 px: 4 x 4 cells."""
    ranker_weights.write_tipsv2(folder, vision, text)


def write_fgclip2(
    folder: Path, vision: Sizes = SMALL_FGCLIP2_VISION, text: Sizes = SMALL_FGCLIP2_TEXT
) -> None:
    """An FG-CLIP 2 of 4 x 4 positions, 24 tokens a label and 40 a long text."""
    ranker_weights.write_fgclip2(folder, vision, text, 40)


def write_siglip(folder: Path) -> None:
    """A SigLIP 2 of 160 px in the layout of open_clip: a bias, a tokenizer of its own, squashed pictures."""
    config: dict[str, Any] = {
        "embed_dim": 64,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 160,
            "timm_model_name": "test_vit",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": {
            "context_length": 16,
            "vocab_size": 16,
            "hf_tokenizer_name": "timm/ViT-B-16-SigLIP2-256",
            "tokenizer_kwargs": {"clean": "canonicalize"},
            "width": 64,
            "heads": 2,
            "layers": 2,
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
            "norm_kwargs": {"eps": 1e-6},
            "act_kwargs": {"approximate": "tanh"},
        },
    }
    words = ("a", "tree", "red", "car", "dog", "cat", "sky")
    ranker_weights.write_siglip(folder, config, words)
