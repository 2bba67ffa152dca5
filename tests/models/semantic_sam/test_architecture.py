"""A Semantic-SAM's sizes are read off its weights, the published ones' and any others'."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssa.errors import WeightsError
from ssa.models.semantic_sam import SemanticSamArchitecture, architecture_of, build

SMALL = SemanticSamArchitecture(
    embed_dim=16,
    depths=(1, 1, 2, 1),
    num_heads=(1, 2, 4, 4),
    window_size=4,
    mlp_ratio=2.0,
    hidden_dim=32,
    mask_dim=24,
    heads=4,
    encoder_layers=2,
    encoder_ffn_dim=40,
    decoder_layers=1,
    decoder_ffn_dim=56,
    mask_tokens=6,
)


@pytest.mark.parametrize(
    "sizes",
    [
        SMALL,
        replace(SMALL, depths=(2, 1, 1, 1), window_size=3),
        replace(SMALL, heads=2, encoder_layers=1, decoder_layers=3, mask_dim=32),
    ],
)
def test_sizes_come_back_from_the_weights(sizes: SemanticSamArchitecture) -> None:
    assert architecture_of(build(sizes).state_dict()) == sizes


def test_a_tensor_that_is_missing_is_named() -> None:
    state = build(SMALL).state_dict()
    del state["decoder.mask_tokens.weight"]
    with pytest.raises(WeightsError, match=r"'decoder\.mask_tokens\.weight' is missing"):
        architecture_of(state)


def test_it_looks_once_and_answers_any_clicks_with_six_masks_each() -> None:
    torch.manual_seed(0)
    model = build(SMALL)
    with torch.no_grad():
        features = model.look(torch.rand(1, 3, 64, 96))
        clicks = torch.rand(1, 3, 4) * torch.tensor([1, 1, 0.01, 0.01])
        answers = model.answer(features, clicks)
        (each,) = model.answer_every_layer(features, clicks)
    assert features.mask_features.shape == (1, 24, 16, 24)
    assert answers.scores.shape[:2] == (1, 3)
    torch.testing.assert_close(each.scores, answers.scores)
