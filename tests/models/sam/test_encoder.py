"""Our way through the image encoder's weights against the package's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssa.models.sam import SamArchitecture, encoder
from tests.small_sam import SMALL, random_sam

ARCHITECTURES = {
    "windows beyond the grid": SMALL,
    "windows that fit": replace(SMALL, window_size=4),
    "a window larger than the grid": replace(SMALL, window_size=20),
    "only windows": replace(SMALL, global_blocks=()),
    "no windows": replace(SMALL, global_blocks=(0, 1, 2), window_size=0),
    "many heads": replace(SMALL, num_heads=8, image_size=96),
}


def pixels(architecture: SamArchitecture) -> torch.Tensor:
    side = architecture.image_size
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.inference_mode()
def test_features_are_the_packages(name: str) -> None:
    sam, picture = random_sam(ARCHITECTURES[name]), pixels(ARCHITECTURES[name])
    expected = sam.image_encoder(picture)
    assert expected.std() > 0.1
    features = encoder.encode(sam.image_encoder, picture)
    torch.testing.assert_close(features, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("scores", [1, 16**3 * 5, 10**9])
@torch.inference_mode()
def test_scores_in_pieces_of_any_size_make_the_same_features(
    monkeypatch: pytest.MonkeyPatch, scores: int
) -> None:
    sam, picture = random_sam(), pixels(SMALL)
    expected = encoder.encode(sam.image_encoder, picture)
    monkeypatch.setattr(encoder, "SCORES_AT_ONCE_ON_CPU", scores)
    features = encoder.encode(sam.image_encoder, picture)
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)


@given(st.integers(1, 30), st.integers(1, 10), st.integers(1, 10**5))
def test_pieces_hold_each_row_of_each_head_once_and_no_more_scores_than_told(
    heads: int, side: int, scores: int
) -> None:
    held = torch.zeros(heads, side, dtype=torch.int64)
    for piece in encoder._pieces(heads, side, scores):
        rows = held[piece].numel()
        assert rows == 1 or rows * side**3 <= scores
        held[piece] += 1
    assert (held == 1).all()


def test_both_kinds_of_attention_are_the_same() -> None:
    q, k, v = torch.randn(3, 4, 9, 8, generator=torch.Generator().manual_seed(2))
    bias = torch.randn(4, 5, 9, generator=torch.Generator().manual_seed(3))
    plain = encoder._plain(q[:, :5], k, v, bias)
    torch.testing.assert_close(encoder._fused(q[:, :5], k, v, bias), plain)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.inference_mode()
def test_features_are_the_same_on_a_gpu(name: str) -> None:
    sam, picture = random_sam(ARCHITECTURES[name]), pixels(ARCHITECTURES[name])
    expected = sam.image_encoder(picture)
    # By default convolutions there round each factor to eleven bits (TF32), 5e-4 of it; with all of float32's
    # what remains is the order of additions, as between two ways on a CPU, and so is the bound.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        features = encoder.encode(sam.image_encoder.cuda(), picture.cuda())
    torch.testing.assert_close(features.cpu(), expected, atol=1e-4, rtol=1e-4)
