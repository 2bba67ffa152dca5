"""The published sizes of what may stand in a role of a bundle, as data: what writes a folder of each.

Weights are random, so nothing is known of accuracy here. Sizes are those of the models' own papers and
repositories; what isn't said is the class's own default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import open_clip
import torch
import transformers

from benchmarks.captioner_weights import write_florence
from benchmarks.point_sizes import PUBLISHED, write_published
from benchmarks.random_weights import (
    Sizes,
    write_blip,
    write_clipseg,
    write_oneformer,
    write_open_clip,
    write_sam,
)
from benchmarks.ranker_weights import write_fgclip2, write_siglip, write_tipsv2
from benchmarks.real_sizes import (
    BART_BASE,
    DAVIT_BASE,
    SIZES,
    SWIN_LARGE,
    VIT_B,
    VIT_B_16,
    VIT_H,
)
from ssa.config import LabelSettings
from ssa.labelling.labels import load_labels

LABELS = ("wheel", "window", "tree", "road", "sky")
"""What rankers and choosers are asked about; the tokenizers that are made here know them."""

# Florence-2-large: DaViT-L and BART-large.
DAVIT_LARGE: Sizes = {
    **DAVIT_BASE,
    "embed_dim": [256, 512, 1024, 2048],
    "num_heads": [8, 16, 32, 64],
    "num_groups": [8, 16, 32, 64],
    "projection_dim": 1024,
}
BART_LARGE: Sizes = {
    "d_model": 1024,
    "encoder_layers": 12,
    "decoder_layers": 12,
    "encoder_attention_heads": 16,
    "decoder_attention_heads": 16,
    "encoder_ffn_dim": 4096,
    "decoder_ffn_dim": 4096,
    "max_position_embeddings": 4096,
}

TIPSV2_L_VISION: Sizes = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
TIPSV2_L_TEXT: Sizes = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
}
# Pictures of up to 1,024 patches, a vocabulary of 256,000, long texts of 196 tokens.
FGCLIP2_B_TEXT: Sizes = {"vocab_size": 256000, "bos_token_id": 2, "eos_token_id": 1}
FGCLIP2_LONG_TEXT = 196

# Letters, marks and places come on top: with these a Florence-2 has its 51,289 tokens.
FLORENCE_WORDS = 50189


@dataclass(frozen=True, slots=True)
class Part:
    """A model of its published size: its role in a bundle, what writes a folder of it, its settings."""

    role: str
    write: Callable[[Path], None]
    settings: LabelSettings = field(default_factory=LabelSettings)


ONE_LOOK = LabelSettings(ranker_looks_once=True)


def _oneformer(folder: Path) -> None:
    size = SIZES["base"].ade20k
    write_oneformer(folder, load_labels("ade20k"), size.swin, size.sizes, size.edges)


def _universal(make: Callable[[], tuple[Any, Any]], folder: Path) -> None:
    """A closed-set segmentor of transformers, and its processor."""
    torch.manual_seed(0)
    model, processor = make()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _mask2former() -> tuple[Any, Any]:
    backbone = transformers.SwinConfig(
        **SWIN_LARGE, out_features=["stage1", "stage2", "stage3", "stage4"]
    )
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone, num_queries=100, id2label=dict(enumerate(load_labels("ade20k")))
    )
    edges = {"shortest_edge": 640, "longest_edge": 2560}
    return (
        transformers.Mask2FormerForUniversalSegmentation(config),
        transformers.Mask2FormerImageProcessor(size=edges),
    )


def _eomt() -> tuple[Any, Any]:
    config = transformers.EomtConfig(
        image_size=512, num_queries=100, id2label=dict(enumerate(load_labels("ade20k")))
    )
    processor = transformers.EomtImageProcessor(
        size={"shortest_edge": 512, "longest_edge": None}, do_split_image=True
    )
    return transformers.EomtForUniversalSegmentation(config), processor


def _siglip(name: str, folder: Path) -> None:
    write_siglip(folder, open_clip.get_model_config(name), LABELS)


def _blip(size: str, folder: Path) -> None:
    write_blip(folder, SIZES[size].blip_vision, SIZES[size].blip_text, SIZES[size].blip_vocabulary)


def _florence(vision: Sizes, text: Sizes, folder: Path) -> None:
    """One that never ends by itself: its answers have as many tokens as they may."""
    write_florence(folder, vision, text, side=768, eagerness=0.0, words=FLORENCE_WORDS)


def _clipseg(folder: Path) -> None:
    write_clipseg(folder, {"reduce_dim": 64, "vision_config": VIT_B_16}, refined=True)


def _fgclip2(folder: Path) -> None:
    write_fgclip2(folder, {"num_patches": 1024}, FGCLIP2_B_TEXT, FGCLIP2_LONG_TEXT)


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "SAM ViT-H": Part("sam", partial(write_sam, architecture=VIT_H)),
        "SAM ViT-B": Part("sam", partial(write_sam, architecture=VIT_B)),
        **{name: Part("sam", partial(write_published, name)) for name in PUBLISHED},
        "OneFormer Swin-L, ADE20K": Part("ade20k_segmentor", _oneformer),
        "Mask2Former Swin-L, ADE20K": Part("ade20k_segmentor", partial(_universal, _mask2former)),
        "EoMT-L 512, ADE20K": Part("ade20k_segmentor", partial(_universal, _eomt)),
        "BLIP-large": Part("captions", partial(_blip, "base")),
        "BLIP-base": Part("captions", partial(_blip, "light")),
        "Florence-2-base": Part("captions", partial(_florence, DAVIT_BASE, BART_BASE)),
        "Florence-2-large": Part("captions", partial(_florence, DAVIT_LARGE, BART_LARGE)),
        "CLIP L/14": Part("clip", partial(write_open_clip, model_cfg=SIZES["base"].clip)),
        "CLIP B/32": Part("clip", partial(write_open_clip, model_cfg=SIZES["light"].clip)),
        "SigLIP 2 So400m/16, 384 px": Part("clip", partial(_siglip, "ViT-SO400M-16-SigLIP2-384")),
        "SigLIP 2 B/16, 224 px": Part("clip", partial(_siglip, "ViT-B-16-SigLIP2")),
        "CLIP L/14, one look": Part(
            "clip", partial(write_open_clip, model_cfg=SIZES["base"].clip), ONE_LOOK
        ),
        "SigLIP 2 So400m/16, 384 px, one look": Part(
            "clip", partial(_siglip, "ViT-SO400M-16-SigLIP2-384"), ONE_LOOK
        ),
        "TIPSv2 L/14": Part(
            "clip", partial(write_tipsv2, vision=TIPSV2_L_VISION, text=TIPSV2_L_TEXT)
        ),
        "TIPSv2 B/14": Part("clip", partial(write_tipsv2, vision={}, text={})),
        "FG-CLIP 2 B/16": Part("clip", _fgclip2),
        "CLIPSeg rd64-refined": Part("clipseg", _clipseg),
    }
)
"""Today's parts and those that may stand in their place, by name."""
