"""The backbone of a transformers segmentor, by the house's own Swin where it is one: the same maps, sooner.

Of transformers' Swin all settings count that published segmentors differ in; one that is built in another
way stays as it is.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BackboneOutput
from transformers.models.swin.modeling_swin import SwinBackbone

from ssa.models.shared.swin import PATCH_PX, Swin

# What ``Swin`` is built of, by transformers' names.
_AS_BUILT = {
    "patch_size": PATCH_PX,
    "num_channels": 3,
    "qkv_bias": True,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "use_absolute_embeddings": False,
}

# Names of weights, transformers' and ours; queries, keys and values are put together besides.
_NAMES = (
    (r"^swin\.embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^swin\.embeddings\.norm\.", "patch_embed.norm."),
    (r"^swin\.encoder\.layers\.", "layers."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.attention\.relative_position_bias\.", ".attn."),
    (r"\.attention\.o_proj\.", ".attn.proj."),
    (r"\.attention\.([qkv]_proj)\.", r".attn.\1."),
)


class QuickBackbone(nn.Module):
    """Takes the place of a ``SwinBackbone`` whose maps of all four stages are read."""

    def __init__(self, swin: Swin) -> None:
        super().__init__()
        self.swin = swin

    def forward(self, pixel_values: Tensor) -> BackboneOutput:
        """(B, 3, H, W) to ``feature_maps``, four of (B, C, h, w), finest first."""
        return BackboneOutput(feature_maps=tuple(self.swin(pixel_values)))


def quick_backbone(plain: Any, dtype: torch.dtype) -> Any:
    """``plain`` in ``dtype`` or, if it is a Swin like ours, what says the same in half the operations."""
    if not _is_ours(plain):
        return plain.to(dtype)
    config = plain.config
    widths = [config.embed_dim * 2**stage for stage in range(len(config.depths))]
    mlp_dims = [int(config.mlp_ratio * width) for width in widths]
    with torch.device("meta"):
        swin = Swin(config.embed_dim, config.depths, config.num_heads, config.window_size, mlp_dims)
    swin.load_state_dict(_weights_of(plain), assign=True)
    swin.to(dtype).eval().requires_grad_(False).settle()
    return QuickBackbone(swin)


def _is_ours(plain: Any) -> bool:
    if not isinstance(plain, SwinBackbone):
        return False
    read = list(plain.out_features) == [f"stage{1 + stage}" for stage in range(4)]
    return read and all(getattr(plain.config, name) == value for name, value in _AS_BUILT.items())


def _weights_of(plain: SwinBackbone) -> dict[str, Tensor]:
    """By our names."""
    found: dict[str, Tensor] = {}
    for name, tensor in plain.state_dict().items():
        if not name.startswith("swin.layernorm."):  # After the last stage, where nobody looks.
            found[_renamed(name, plain.stage_names)] = tensor
    for name in [name for name in found if ".q_proj." in name]:
        parts = [found.pop(name.replace("q_proj", part)) for part in ("q_proj", "k_proj", "v_proj")]
        found[name.replace("q_proj", "qkv")] = torch.cat(parts)
    return found


def _renamed(name: str, stages: list[str]) -> str:
    for theirs, ours in _NAMES:
        name = re.sub(theirs, ours, name)
    norm = re.match(r"hidden_states_norms\.(\w+)\.", name)
    return f"norm{stages.index(norm[1]) - 1}.{name[norm.end() :]}" if norm else name
