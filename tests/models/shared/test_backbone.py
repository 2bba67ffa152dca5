from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import SwinConfig
from transformers.models.swin.modeling_swin import SwinBackbone

from ssa.models.shared.backbone import QuickBackbone, quick_backbone

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=on_a_gpu)]
STAGES = ["stage1", "stage2", "stage3", "stage4"]


def swin(**changes: object) -> SwinBackbone:
    """A backbone with weights large enough that attention and its biases tell."""
    config = SwinConfig(
        **{
            "embed_dim": 16,
            "depths": [1, 2, 3, 1],
            "num_heads": [1, 2, 4, 8],
            "window_size": 4,
            "out_features": STAGES,
        }
        | changes
    )
    torch.manual_seed(0)
    backbone = SwinBackbone(config).eval().requires_grad_(False)
    for weight in backbone.parameters():
        weight.copy_(torch.randn(weight.shape) * (0.3 if weight.ndim > 1 else 1.0))
    return backbone


def maps(backbone: object, pixels: Tensor) -> tuple[Tensor, ...]:
    with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
        found: tuple[Tensor, ...] = backbone(pixels).feature_maps  # type: ignore[operator]
    return found


@pytest.mark.parametrize("size_hw", [(64, 64), (37, 90), (33, 5), (96, 130)])
@pytest.mark.parametrize("pictures", [1, 2])
@pytest.mark.parametrize("device", DEVICES)
def test_the_same_maps_as_transformers_own(
    size_hw: tuple[int, int], pictures: int, device: str
) -> None:
    plain = swin()
    pixels = torch.randn(pictures, 3, *size_hw)
    expected = maps(plain, pixels)
    quick = quick_backbone(plain.to(device), torch.float32)
    assert isinstance(quick, QuickBackbone)
    for theirs, mine in zip(expected, maps(quick, pixels.to(device)), strict=True):
        assert theirs.std() > 0.1
        torch.testing.assert_close(mine.cpu(), theirs, atol=1e-4, rtol=1e-4)


def test_in_half_precision_it_is_much_the_same() -> None:
    pixels = torch.randn(1, 3, 64, 96)
    expected = maps(swin(), pixels)
    quick = quick_backbone(swin(), torch.bfloat16)
    for theirs, mine in zip(expected, maps(quick, pixels.bfloat16()), strict=True):
        assert mine.dtype == torch.bfloat16
        assert (mine.float() - theirs).abs().mean() < 0.1 * theirs.abs().mean()


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_act": "relu"},
        {"layer_norm_eps": 1e-3},
        {"qkv_bias": False},
        {"use_absolute_embeddings": True},
        {"out_features": STAGES[2:]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_one_built_in_another_way_stays_as_it_is(change: dict[str, object]) -> None:
    plain = swin(**change)
    assert quick_backbone(plain, torch.float32) is plain


def test_what_is_no_swin_stays_as_it_is_in_the_number_type() -> None:
    plain = torch.nn.Linear(2, 2)
    assert quick_backbone(plain, torch.bfloat16) is plain
    assert plain.weight.dtype == torch.bfloat16
