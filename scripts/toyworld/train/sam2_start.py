"""Weights that a miniature SAM 2.1 begins with: the miniature SAM's prompt encoder and decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import Sam2Model


def begin_as(sam: Sam2Model, teacher: dict[str, Tensor]) -> None:
    """Give prompt encoder and decoder the miniature SAM's weights (segment_anything's keys)."""
    known = from_segment_anything(teacher)
    loaded = sam.load_state_dict(known, strict=False)
    own = ("vision_encoder.", "mask_decoder.conv_s", "no_memory", *SCORE_PARTS)
    wrong = [key for key in loaded.missing_keys if not key.startswith(own)]
    if wrong or loaded.unexpected_keys:
        raise ValueError(f"SAM does not fit: {wrong} {loaded.unexpected_keys}")
    # The sigmoid at the IoU head's end, first made near to none: slope 1 and value 1/2 where SAM says 1/2.
    last = sam.mask_decoder.iou_prediction_head.proj_out
    with torch.no_grad():
        last.bias.sub_(0.5).mul_(4)
        last.weight.mul_(4)
    for convolution in (sam.mask_decoder.conv_s0, sam.mask_decoder.conv_s1):
        nn.init.normal_(convolution.weight, std=0.02)
        nn.init.zeros_(convolution.bias)


SCORE_PARTS = ("mask_decoder.obj_score_token", "mask_decoder.pred_obj_score_head")
RENAMED = (
    ("pe_layer.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
    ("prompt_encoder.mask_downscaling.0.", "prompt_encoder.mask_embed.conv1."),
    ("prompt_encoder.mask_downscaling.1.", "prompt_encoder.mask_embed.layer_norm1."),
    ("prompt_encoder.mask_downscaling.3.", "prompt_encoder.mask_embed.conv2."),
    ("prompt_encoder.mask_downscaling.4.", "prompt_encoder.mask_embed.layer_norm2."),
    ("prompt_encoder.mask_downscaling.6.", "prompt_encoder.mask_embed.conv3."),
    ("mask_decoder.output_upscaling.0.", "mask_decoder.upscale_conv1."),
    ("mask_decoder.output_upscaling.1.", "mask_decoder.upscale_layer_norm."),
    ("mask_decoder.output_upscaling.3.", "mask_decoder.upscale_conv2."),
    (".layers.0.weight", ".proj_in.weight"),
    (".layers.0.bias", ".proj_in.bias"),
    (".layers.1.weight", ".layers.0.weight"),
    (".layers.1.bias", ".layers.0.bias"),
    (".layers.2.weight", ".proj_out.weight"),
    (".layers.2.bias", ".proj_out.bias"),
    (".mlp.lin1.", ".mlp.proj_in."),
    (".mlp.lin2.", ".mlp.proj_out."),
    (".out_proj.", ".o_proj."),
    (".norm_final_attn.", ".layer_norm_final_attn."),
    *((f".norm{number}.", f".layer_norm{number}.") for number in (1, 2, 3, 4)),
)  # fmt: skip


def from_segment_anything(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """SAM's keys and tensors of prompt encoder and decoder → transformers' SAM 2's."""
    points = [state[f"prompt_encoder.point_embeddings.{i}.weight"] for i in range(4)]
    out = {"prompt_encoder.point_embed.weight": torch.cat(points)}
    for key, value in state.items():
        if key.startswith(("prompt_encoder.", "mask_decoder.")) and "point_embeddings" not in key:
            out[_renamed(key)] = value.clone()
    places = out["prompt_encoder.shared_embedding.positional_embedding"]
    out["shared_image_embedding.positional_embedding"] = places.clone()
    return out


def _renamed(key: str) -> str:
    for old, new in RENAMED:
        if old in key:
            return key.replace(old, new)
    return key
