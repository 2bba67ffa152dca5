"""A SAM's sizes are read off its weights, whatever they are, and shapes of no SAM are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.errors import WeightsError
from ssa.models.sam import SamArchitecture, architecture_of, build
from tests.small_sam import SMALL

SIZES = st.builds(
    lambda **more: replace(SMALL, **more),
    image_size=st.sampled_from([64, 128]),
    depth=st.integers(2, 4),
    window_size=st.sampled_from([3, 6]),
    global_blocks=st.sampled_from([(0,), (1,)]),
    encoder_mlp_dim=st.integers(30, 90),
    decoder_depth=st.integers(1, 2),
    iou_head_depth=st.integers(2, 3),
    iou_head_dim=st.integers(8, 40),
)


@settings(max_examples=15, deadline=None)
@given(SIZES)
def test_sizes_come_back_from_the_weights(sizes: SamArchitecture) -> None:
    state = build(sizes).state_dict()
    assert architecture_of(state, sizes.decoder_num_heads) == sizes


def test_shapes_of_no_sam_are_refused() -> None:
    state = build(SMALL).state_dict()
    for name, tensor, message in (
        ("image_encoder.pos_embed", torch.zeros(1, 8, 9, 32), "square grid of patches, got 8x9"),
        ("image_encoder.blocks.0.attn.rel_pos_w", torch.zeros(5, 16), "expected one window size"),
        (
            "image_encoder.patch_embed.proj.weight",
            torch.zeros(33, 3, 8, 8),
            "don't split into heads",
        ),
        ("mask_decoder.mask_tokens.weight", torch.zeros(4), "should have 2 dimensions"),
    ):
        with pytest.raises(WeightsError, match=message):
            architecture_of({**state, name: tensor})
    with pytest.raises(WeightsError, match="is this a SAM checkpoint"):
        architecture_of({"weight": torch.zeros(1)})


def test_heads_that_do_not_fit_say_where_their_number_stands() -> None:
    with pytest.raises(WeightsError, match=r'config\.json: \{"decoder_num_heads": N\}'):
        build(replace(SMALL, decoder_num_heads=3))
