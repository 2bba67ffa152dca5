"""SAM 3 as one is asked by phrases, shrunken: the real classes with seeded weights, saved as folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.random_weights import write_clip_tokenizer

SIDE = 112
"""The side of its square input, px: 8 patches of 14."""

_SMALL = {"hidden_size": 32, "num_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


def _config() -> Any:
    backbone = transformers.Sam3ViTConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=14,
        window_size=4,
        global_attn_indexes=[1],
        pretrain_image_size=56,
    )
    vision = transformers.Sam3VisionConfig(
        backbone_config=backbone.to_dict(),
        fpn_hidden_size=32,
        backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
    )
    text = transformers.CLIPTextConfig(
        vocab_size=49408,
        hidden_size=16,
        intermediate_size=32,
        projection_dim=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=32,
        hidden_act="gelu",
    )
    return transformers.Sam3Config(
        vision_config=vision.to_dict(),
        text_config=text.to_dict(),
        geometry_encoder_config=_SMALL,
        detr_encoder_config=_SMALL,
        detr_decoder_config={**_SMALL, "num_queries": 12},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 4},
    )


def write_sam3(folder: Path, of_videos: bool = False) -> None:
    """Write one to a folder; ``of_videos`` as its published repository has it, with a tracker beside."""
    torch.manual_seed(0)
    config = _config()
    if of_videos:
        tracker = {"vision_config": config.vision_config.to_dict()}
        both = transformers.Sam3VideoConfig(
            detector_config=config.to_dict(),
            tracker_config={"model_type": "sam3_tracker_video", **tracker},
        )
        model = transformers.Sam3VideoModel(both)
        detector = model.detector_model
    else:
        model = detector = transformers.Sam3Model(config)
    _roughen(detector)
    model.eval().save_pretrained(folder)
    pixels = transformers.Sam3ImageProcessor(
        size={"height": SIDE, "width": SIDE}, mask_size={"height": 32, "width": 32}
    )
    write_clip_tokenizer(folder)
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    if of_videos:
        moving = transformers.Sam2VideoVideoProcessor()
        transformers.Sam3VideoProcessor(pixels, moving, tokenizer).save_pretrained(folder)
    else:
        transformers.Sam3Processor(pixels, tokenizer).save_pretrained(folder)


def _roughen(model: Any) -> None:
    """Fresh weights say the same of every phrase and place: rough ones tell them apart."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
