"""The published models' sizes as data, and a whole bundle of them with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.random_weights import (
    Sizes,
    write_blip,
    write_clipseg,
    write_oneformer,
    write_open_clip,
    write_sam,
)
from ssa.labelling.labels import load_labels
from ssa.models.sam import SamArchitecture
from ssa.weights import SHIPPED_ROOT, Bundle, load_manifest, open_bundle

VIT_B = SamArchitecture(
    embed_dim=768, depth=12, num_heads=12, global_blocks=(2, 5, 8, 11), encoder_mlp_dim=3072
)
VIT_H = SamArchitecture(
    embed_dim=1280, depth=32, num_heads=16, global_blocks=(7, 15, 23, 31), encoder_mlp_dim=5120
)

SWIN_TINY: Sizes = {
    "embed_dim": 96,
    "depths": [2, 2, 6, 2],
    "num_heads": [3, 6, 12, 24],
    "window_size": 7,
}
SWIN_LARGE: Sizes = {
    "embed_dim": 192,
    "depths": [2, 2, 18, 2],
    "num_heads": [6, 12, 24, 48],
    "window_size": 12,
    "image_size": 384,
}

# Florence-2-base: DaViT-B and BART-base. What isn't said is transformers' own choice.
DAVIT_BASE: Sizes = {
    "depths": [1, 1, 9, 1],
    "patch_stride": [4, 2, 2, 2],
    "embed_dim": [128, 256, 512, 1024],
    "projection_dim": 768,
}
BART_BASE: Sizes = {
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
    "max_position_embeddings": 1024,
}

CLIP_TEXT: Sizes = {
    "context_length": 77,
    "vocab_size": 49408,
    "width": 512,
    "heads": 8,
    "layers": 12,
}
CLIP_VIT_B_32: Sizes = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
    "text_cfg": CLIP_TEXT,
    "quick_gelu": True,
}
CLIP_VIT_L_14: Sizes = {
    "embed_dim": 768,
    "vision_cfg": {"image_size": 224, "layers": 24, "width": 1024, "patch_size": 14},
    "text_cfg": {**CLIP_TEXT, "width": 768, "heads": 12},
    "quick_gelu": True,
}

# BLIP's own 1e-10 would make all pictures alike.
BLIP_BASE_VISION: Sizes = {"image_size": 384, "initializer_range": 0.02}
BLIP_BASE_TEXT: Sizes = {"num_attention_heads": 12}
BLIP_LARGE_VISION: Sizes = {
    **BLIP_BASE_VISION,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
}
BLIP_LARGE_TEXT: Sizes = {**BLIP_BASE_TEXT, "encoder_hidden_size": 1024}

# The class's own default is 32.
VIT_B_16: Sizes = {"patch_size": 16}


@dataclass(frozen=True, slots=True)
class OneFormerSize:
    """A OneFormer: its backbone, all else, and the sides in pixels that a picture is resized to."""

    swin: Sizes
    sizes: Sizes
    edges: tuple[int, int]


@dataclass(frozen=True, slots=True)
class BundleSize:
    """All that sizes a bundle; whatever isn't said is the class's own default."""

    sam: SamArchitecture
    coco: OneFormerSize
    ade20k: OneFormerSize
    blip_vision: Sizes
    blip_text: Sizes
    clip: Sizes
    clipseg: Sizes
    clipseg_refined: bool
    blip_vocabulary: int = 30524


COCO_SWIN_LARGE = OneFormerSize(SWIN_LARGE, {"num_queries": 150}, (800, 1333))

SIZES: Mapping[str, BundleSize] = MappingProxyType(
    {
        "light": BundleSize(
            sam=VIT_B,
            coco=COCO_SWIN_LARGE,
            ade20k=OneFormerSize(SWIN_TINY, {"num_queries": 150}, (512, 2048)),
            blip_vision=BLIP_BASE_VISION,
            blip_text=BLIP_BASE_TEXT,
            clip=CLIP_VIT_B_32,
            clipseg={"reduce_dim": 16, "vision_config": VIT_B_16},
            clipseg_refined=False,
        ),
        "base": BundleSize(
            sam=VIT_H,
            coco=COCO_SWIN_LARGE,
            ade20k=OneFormerSize(SWIN_LARGE, {"num_queries": 250}, (640, 2560)),
            blip_vision=BLIP_LARGE_VISION,
            blip_text=BLIP_LARGE_TEXT,
            clip=CLIP_VIT_L_14,
            clipseg={"reduce_dim": 64, "vision_config": VIT_B_16},
            clipseg_refined=True,
        ),
    }
)


def write_bundle(root: Path, name: str) -> Bundle:
    """A bundle of the published sizes with random weights under ``root``, ready to be loaded.

    Noun phrases are taken by the miniature's pipeline, the only one that is always at hand.
    """
    bundle, size = Bundle(root, load_manifest(SHIPPED_ROOT).bundle(name)), SIZES[name]
    write_sam(bundle.folder("sam"), size.sam)
    for source, model in (("coco", size.coco), ("ade20k", size.ade20k)):
        folder = bundle.folder(f"{source}_segmentor")
        write_oneformer(folder, load_labels(source), model.swin, model.sizes, model.edges)
    write_blip(bundle.folder("captions"), size.blip_vision, size.blip_text, size.blip_vocabulary)
    write_open_clip(bundle.folder("clip"), size.clip)
    write_clipseg(bundle.folder("clipseg"), size.clipseg, refined=size.clipseg_refined)
    bundle.folder("nouns").symlink_to(open_bundle(SHIPPED_ROOT, "tiny").folder("nouns"))
    return bundle
