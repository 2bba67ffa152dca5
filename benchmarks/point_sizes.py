"""The published sizes of promptable models of transformers, as data, and folders of them with random weights.

SAM 2.1's are of its paper (Ravi et al. 2024, arXiv:2408.00714) and its released configurations; of the other
families the class's own defaults are the published size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import transformers

from ssa.models.point_models import FAMILIES


def _sam2(width: int, heads: int, blocks: list[int], whole: list[int], **more: Any) -> Any:
    """SAM 2.1 with a Hiera of ``width`` channels that doubles from stage to stage.

    ``whole`` are the blocks that attend to the whole picture.
    """
    widths = [width << stage for stage in range(4)]
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=width,
        num_attention_heads=heads,
        blocks_per_stage=blocks,
        embed_dim_per_stage=widths,
        num_attention_heads_per_stage=[heads << stage for stage in range(4)],
        global_attention_blocks=whole,
        **more,
    )
    vision = transformers.Sam2VisionConfig(
        backbone_config=backbone.to_dict(), backbone_channel_list=widths[::-1]
    )
    return transformers.Sam2Model(transformers.Sam2Config(vision_config=vision.to_dict()))


def _edgetam() -> Any:
    # The default's own config has a misspelt key, with which timm would build another network.
    backbone = transformers.TimmWrapperConfig(
        architecture="repvit_m1",
        model_args={"features_only": True, "out_indices": [0, 1, 2, 3], "in_chans": 3},
    )
    vision = transformers.EdgeTamVisionConfig(backbone_config=backbone.to_dict())
    return transformers.EdgeTamModel(transformers.EdgeTamConfig(vision_config=vision.to_dict()))


SMALL_WINDOWS = {"window_size_per_stage": [8, 4, 14, 7]}
LARGE_WINDOWS = {"window_size_per_stage": [8, 4, 16, 8]}
WIDE = {"window_positional_embedding_background_size": [14, 14]}

PUBLISHED: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "sam2.1-tiny": lambda: _sam2(96, 1, [1, 2, 7, 2], [5, 7, 9], **SMALL_WINDOWS),
        "sam2.1-small": lambda: _sam2(96, 1, [1, 2, 11, 2], [7, 10, 13], **SMALL_WINDOWS),
        "sam2.1-base-plus": lambda: _sam2(
            112, 2, [2, 3, 16, 3], [12, 16, 20], **SMALL_WINDOWS, **WIDE
        ),
        "sam2.1-large": lambda: _sam2(144, 2, [2, 6, 36, 4], [23, 33, 43], **LARGE_WINDOWS),
        "edgetam": _edgetam,
        "sam-hq-vit-b": lambda: transformers.SamHQModel(transformers.SamHQConfig()),
        "sam3-tracker": lambda: transformers.Sam3TrackerModel(transformers.Sam3TrackerConfig()),
    }
)
"""What makes each, by name."""


def write_published(name: str, folder: Path) -> None:
    """A model of ``PUBLISHED`` with random weights, in the layout of its repository."""
    torch.manual_seed(0)
    model = PUBLISHED[name]().eval()
    model.save_pretrained(folder)
    family = FAMILIES[model.config.model_type]
    getattr(transformers, family.processor)().save_pretrained(folder)
