"""The model against transformers' own, number for number, with weights large enough that every part tells."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from ssa.models.oneformer.model import OneFormer
from tests.models.checkpoints import SMALL_ONEFORMER, SMALL_SWIN

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=on_a_gpu)]
STAGES = ["stage1", "stage2", "stage3", "stage4"]
TASK = torch.arange(77)[None]


def plain(**changes: Any) -> Any:
    backbone = transformers.SwinConfig(**SMALL_SWIN, out_features=STAGES, window_size=4)
    config = transformers.OneFormerConfig(
        backbone_config=backbone, num_labels=9, **dict(SMALL_ONEFORMER) | changes
    )
    torch.manual_seed(1)
    model = transformers.OneFormerForUniversalSegmentation(config).eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            spread = 1.0 if "embed" in name else 0.15 if "sampling" in name else 0.1
            weight.copy_(torch.randn(weight.shape) * spread)
        else:
            weight.add_(0.3 * torch.randn(weight.shape))
    return model


def answers(model: Any, pixels: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        found = model(pixel_values=pixels, task_inputs=TASK)
    return found.class_queries_logits[0], found.masks_queries_logits[0]


@pytest.mark.parametrize("size_hw", [(64, 96), (70, 45), (33, 128)])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"encoder_layers": 3, "decoder_layers": 7, "query_dec_layers": 3},
        {"use_task_norm": False},
        {"common_stride": 8},
    ],
    ids=["usual", "deep", "task as it is", "coarser"],
)
@pytest.mark.parametrize("device", DEVICES)
def test_the_same_answers_as_transformers_own(
    size_hw: tuple[int, int], changes: dict[str, Any], device: str
) -> None:
    own = plain(**changes)
    pixels = torch.randn(1, 3, *size_hw)
    classes, masks = answers(own, pixels)
    with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
        quick = OneFormer(own.to(device), TASK.to(device), torch.float32)
        mine = [each.cpu() for each in quick(pixels.to(device))]
    assert classes.std(0).min() > 0.01  # Queries differ, and so do their masks.
    assert masks.std(0).mean() > 0.1
    torch.testing.assert_close(mine[0], classes, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(mine[1], masks, atol=2e-3, rtol=1e-3)


def test_a_model_is_as_it_was_after_pictures_of_other_sizes() -> None:
    sizes = [(64, 96), (96, 64), (64, 64), (32, 96), (96, 96), (64, 96)]
    pictures = [torch.randn(1, 3, *size) for size in sizes]
    model = OneFormer(plain(), TASK, torch.float32)
    with torch.inference_mode():
        for pixels in pictures:
            fresh = OneFormer(plain(), TASK, torch.float32)
            assert all(map(torch.equal, model(pixels), fresh(pixels)))


@pytest.mark.parametrize("change", [{"pre_norm": True}, {"enforce_input_proj": True}])
def test_what_nobody_publishes_is_refused(change: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="expected pre_norm and enforce_input_proj to be false"):
        OneFormer(plain(**change), TASK, torch.float32)
