"""Small semantic segmentors of many families, with random weights and drawn borders between classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf

LABELS = tuple(f"thing {number}" for number in range(7))
_ID2LABEL = dict(enumerate(LABELS))
_SQUARE = {"height": 64, "width": 64}
_EDGES = {"shortest_edge": 64, "longest_edge": 256}


def _swin() -> Any:
    stages = [f"stage{number}" for number in (1, 2, 3, 4)]
    return hf.SwinConfig(
        embed_dim=16, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], out_features=stages
    )


def _vit(**more: Any) -> dict[str, Any]:
    sizes = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2}
    return {**sizes, "image_size": 64, "patch_size": 8, "id2label": _ID2LABEL, **more}


def _detr_config(**more: Any) -> Any:
    narrow = ("encoder_ffn_dim", "decoder_ffn_dim")
    single = ("encoder_layers", "decoder_layers")
    heads = ("encoder_attention_heads", "decoder_attention_heads")
    return hf.DetrConfig(
        d_model=64,
        num_queries=10,
        **dict.fromkeys(narrow, 32),
        **dict.fromkeys(single, 1),
        **dict.fromkeys(heads, 8),
        **more,
    )


def _segformer() -> tuple[Any, Any]:
    config = hf.SegformerConfig(
        hidden_sizes=[8, 16, 16, 16],
        depths=[1] * 4,
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        id2label=_ID2LABEL,
    )
    return hf.SegformerForSemanticSegmentation(config), hf.SegformerImageProcessor(size=_SQUARE)


def _beit() -> tuple[Any, Any]:
    config = hf.BeitConfig(
        **_vit(intermediate_size=32, use_relative_position_bias=True),
        out_indices=[0, 1, 2, 3],
        pool_scales=[1, 2],
    )
    return hf.BeitForSemanticSegmentation(config), hf.BeitImageProcessor(size=_SQUARE)


def _dpt() -> tuple[Any, Any]:
    config = hf.DPTConfig(
        **_vit(intermediate_size=32),
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
    )
    return hf.DPTForSemanticSegmentation(config), hf.DPTImageProcessor(size=_SQUARE)


def _upernet() -> tuple[Any, Any]:
    config = hf.UperNetConfig(
        backbone_config=_swin(),
        hidden_size=16,
        pool_scales=[1, 2],
        auxiliary_channels=8,
        auxiliary_in_channels=64,
        id2label=_ID2LABEL,
    )
    return hf.UperNetForSemanticSegmentation(config), hf.SegformerImageProcessor(size=_SQUARE)


def _mask2former() -> tuple[Any, Any]:
    sizes = ("feature_size", "mask_feature_size", "hidden_dim", "encoder_feedforward_dim")
    config = hf.Mask2FormerConfig(
        backbone_config=_swin(),
        dim_feedforward=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=4,
        num_queries=10,
        id2label=_ID2LABEL,
        **dict.fromkeys(sizes, 32),
    )
    model = hf.Mask2FormerForUniversalSegmentation(config)
    return model, hf.Mask2FormerImageProcessor(size=_EDGES)


def _maskformer() -> tuple[Any, Any]:
    config = hf.MaskFormerConfig(
        backbone_config=_swin(),
        fpn_feature_size=32,
        mask_feature_size=32,
        decoder_config=_detr_config(),
        id2label=_ID2LABEL,
    )
    model = hf.MaskFormerForInstanceSegmentation(config)
    return model, hf.MaskFormerImageProcessor(size=_EDGES)


def _detr() -> tuple[Any, Any]:
    stages = [f"stage{number}" for number in (1, 2, 3, 4)]
    backbone = hf.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1] * 4, out_features=stages
    )
    config = _detr_config(backbone_config=backbone, id2label=_ID2LABEL)
    return hf.DetrForSegmentation(config), hf.DetrImageProcessor(size=_EDGES)


def _eomt(**processing: Any) -> tuple[Any, Any]:
    sizes = _vit(num_blocks=1, num_upscale_blocks=1, num_queries=10, num_register_tokens=1)
    return hf.EomtForUniversalSegmentation(hf.EomtConfig(**sizes)), hf.EomtImageProcessor(
        **processing
    )


def _eomt_in_squares() -> tuple[Any, Any]:
    size = {"shortest_edge": 64, "longest_edge": None}
    return _eomt(size=size, do_split_image=True)


def _eomt_padded() -> tuple[Any, Any]:
    return _eomt(size={"shortest_edge": 64, "longest_edge": 64}, do_pad=True)


FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "segformer": _segformer,
    "beit": _beit,
    "dpt": _dpt,
    "upernet": _upernet,
    "mask2former": _mask2former,
    "maskformer": _maskformer,
    "detr": _detr,
    "eomt": _eomt_in_squares,
    "eomt padded": _eomt_padded,
}


def write_segmentor(folder: Path, family: str) -> None:
    """config.json, preprocessor_config.json and model.safetensors of one of ``FAMILIES``."""
    torch.manual_seed(0)
    model, processor = FAMILIES[family]()
    _draw_borders(model)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _draw_borders(model: Any) -> None:
    """Louder weights where queries end: the initial ones say the same class everywhere."""
    classes, queries = ("class_predictor", "class_labels"), ("queries_", "query.", "query_position")
    ends = (*classes, *queries, "mask_embed", "mask_head", "bbox_attention")
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if any(end in name for end in ends):
                weights.normal_()
