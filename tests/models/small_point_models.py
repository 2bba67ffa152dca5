"""Promptable models of transformers, shrunken: their real classes with seeded weights, saved as folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers

SIDE, SIDE_OF_SAM3 = 128, 112
"""The side of their square input, px: of 8 patches of 16, SAM 3's of 14."""

_PROMPTS = {"hidden_size": 32, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4}
_DECODER = {
    "hidden_size": 32,
    "mlp_dim": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "attention_downsample_rate": 2,
    "iou_head_depth": 3,
    "iou_head_hidden_dim": 32,
}
_SIZES = [[32, 32], [16, 16], [8, 8]]


def _sam2() -> Any:
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=16,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[16, 32, 64, 128],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[4, 2, 4, 2],
        global_attention_blocks=[3],
    )
    vision = transformers.Sam2VisionConfig(
        backbone_config=backbone.to_dict(),
        backbone_channel_list=[128, 64, 32, 16],
        backbone_feature_sizes=_SIZES,
        fpn_hidden_size=32,
    )
    config = transformers.Sam2Config(
        vision_config=vision.to_dict(),
        prompt_encoder_config=_PROMPTS,
        mask_decoder_config=_DECODER,
    )
    return transformers.Sam2Model(config)


def _edgetam() -> Any:
    # The default's own config has a misspelt key, with which timm would build another network.
    backbone = transformers.TimmWrapperConfig(
        architecture="repvit_m1",
        model_args={
            "features_only": True,
            "out_indices": [0, 1, 2, 3],
            "in_chans": 3,
            "embed_dim": (16, 24, 32, 48),
            "depth": (1, 1, 2, 1),
        },
    )
    vision = transformers.EdgeTamVisionConfig(
        backbone_config=backbone.to_dict(),
        backbone_channel_list=[48, 32, 24, 16],
        backbone_feature_sizes=_SIZES,
        fpn_hidden_size=32,
    )
    config = transformers.EdgeTamConfig(
        vision_config=vision.to_dict(),
        prompt_encoder_config=_PROMPTS,
        mask_decoder_config=_DECODER,
    )
    return transformers.EdgeTamModel(config)


def _sam3_tracker() -> Any:
    backbone = transformers.Sam3ViTConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE_OF_SAM3,
        patch_size=14,
        window_size=4,
        global_attn_indexes=[1],
        pretrain_image_size=56,
    )
    vision = transformers.Sam3VisionConfig(
        backbone_config=backbone.to_dict(), fpn_hidden_size=32, backbone_feature_sizes=_SIZES
    )
    config = transformers.Sam3TrackerConfig(
        vision_config=vision.to_dict(),
        prompt_encoder_config={**_PROMPTS, "image_size": SIDE_OF_SAM3, "patch_size": 14},
        mask_decoder_config=_DECODER,
    )
    return transformers.Sam3TrackerModel(config)


def _sam_hq() -> Any:
    vision = {
        "hidden_size": 32,
        "output_channels": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": 16,
        "window_size": 4,
        "global_attn_indexes": [1],
        "num_pos_feats": 16,
        "mlp_dim": 64,
    }
    config = transformers.SamHQConfig(
        vision_config=vision,
        prompt_encoder_config=_PROMPTS,
        mask_decoder_config={**_DECODER, "vit_dim": 32},
    )
    return transformers.SamHQModel(config)


def _squashed(side: int) -> Mapping[str, Any]:
    return {"size": {"height": side, "width": side}, "mask_size": {"height": 32, "width": 32}}


_MAKERS: Mapping[str, tuple[Callable[[], Any], str, Mapping[str, Any]]] = {
    "sam2": (_sam2, "Sam2ImageProcessor", _squashed(SIDE)),
    "edgetam": (_edgetam, "Sam2ImageProcessor", _squashed(SIDE)),
    "sam3_tracker": (_sam3_tracker, "Sam3ImageProcessor", _squashed(SIDE_OF_SAM3)),
    "sam_hq": (
        _sam_hq,
        "SamImageProcessor",
        {"size": {"longest_edge": SIDE}, "pad_size": {"height": SIDE, "width": SIDE}},
    ),
}
KINDS = tuple(_MAKERS)


def write_point_model(kind: str, folder: Path) -> None:
    """Write a model of one of ``KINDS`` to a folder, as its repository has it."""
    make, processor, settings = _MAKERS[kind]
    torch.manual_seed(0)
    model = make().eval()
    with torch.no_grad():
        # Fresh weights say the same of every point: rough ones tell places apart.
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.4)
    model.save_pretrained(folder)
    getattr(transformers, processor)(**settings).save_pretrained(folder)
