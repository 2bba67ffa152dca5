"""The model against the public implementation, number for number."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ssa.models.semantic_sam import CropEmbedding, SemanticSamMaskProposer
from tests.semantic_sam_reference import outputs, picture, reference_model
from tests.small_sam import CPU

CASES = (
    *("click3", "click3_pad", "click3_isolated"),
    *("click1_0", "click1_1", "click1_2", "boxes_pb101"),
)
MASKS, SCORES = 1e-4, 1e-5


@pytest.fixture(scope="module")
def proposer() -> SemanticSamMaskProposer:
    return SemanticSamMaskProposer(reference_model(), CPU, short_side_px=None)


def prompts(boxes: Tensor, embedding: CropEmbedding) -> Tensor:
    """Boxes relative to the picture, as (1, N, 4) relative to what the model is given."""
    (high, wide), (padded_h, padded_w) = embedding.input_hw, embedding.padded_hw
    return (boxes * torch.tensor([wide / padded_w, high / padded_h] * 2))[None]


@pytest.mark.parametrize("case", CASES)
def test_answers_are_the_public_implementations(
    proposer: SemanticSamMaskProposer, case: str
) -> None:
    expected = outputs(case)
    embedding = proposer.embed(picture(expected["input.image"]))
    with torch.inference_mode():
        answers = proposer.model.decoder(
            embedding.outlook,
            prompts(expected["input.points"], embedding),
            isolate_clicks=case.endswith("isolated"),
            prompt_kinds=expected["input.pb"].long()[None],
        )
        masks = torch.einsum("bnkc,chw->bnkhw", answers.mask_embeddings, embedding.mask_features)
    assert masks.abs().max() > 1  # there is something to compare
    torch.testing.assert_close(
        masks.flatten(1, 2), expected["output.pred_masks_lowres"], atol=MASKS, rtol=0
    )
    torch.testing.assert_close(answers.scores, expected["output.pred_ious"], atol=SCORES, rtol=0)
    torch.testing.assert_close(
        answers.boxes.flatten(1, 2), expected["output.pred_boxes"], atol=SCORES, rtol=0
    )


def test_what_the_model_sees_is_the_public_implementations(
    proposer: SemanticSamMaskProposer,
) -> None:
    expected = outputs("click3_pad")
    crop = picture(expected["input.image"])
    pixels = proposer._pixels(crop, crop.shape[:2])
    torch.testing.assert_close(pixels, expected["inter.padded_input"], atol=1e-6, rtol=0)
    with torch.inference_mode():
        maps = proposer.model.backbone(pixels)
        features = proposer.model.look(pixels)
    for number, each in enumerate(maps, start=2):
        torch.testing.assert_close(
            each, expected[f"inter.backbone_res{number}"], atol=SCORES, rtol=0
        )
    torch.testing.assert_close(
        features.mask_features, expected["inter.mask_features"], atol=MASKS, rtol=0
    )


def test_clicks_influence_each_other_unless_isolated(proposer: SemanticSamMaskProposer) -> None:
    expected = outputs("click3")
    embedding = proposer.embed(picture(expected["input.image"]))
    boxes = prompts(expected["input.points"], embedding)
    with torch.inference_mode():
        decoder = proposer.model.decoder
        alone = decoder(embedding.outlook, boxes[:, :1])
        isolated = decoder(embedding.outlook, boxes)
        mixed = decoder(embedding.outlook, boxes, isolate_clicks=False)
    torch.testing.assert_close(isolated.scores[:, :1], alone.scores, atol=SCORES, rtol=0)
    assert (mixed.scores[:, :1] - alone.scores).abs().max() > 100 * SCORES


def test_pictures_in_a_batch_are_answered_as_one_by_one(proposer: SemanticSamMaskProposer) -> None:
    crops = [picture(outputs(case)["input.image"])[:96, :96] for case in ("click3", "click3_pad")]
    pixels = torch.cat([proposer._pixels(crop, (96, 96)) for crop in crops])
    boxes = torch.tensor([[[0.3, 0.4, 0.005, 0.005]], [[0.6, 0.7, 0.005, 0.005]]])
    with torch.inference_mode():
        model = proposer.model
        together = model.answer(model.look(pixels), boxes)
        for row in range(2):
            own = slice(row, row + 1)
            alone = model.answer(model.look(pixels[own]), boxes[own])
            torch.testing.assert_close(together.scores[own], alone.scores, atol=SCORES, rtol=0)


def test_the_last_layers_answer_is_the_answer(proposer: SemanticSamMaskProposer) -> None:
    pixels = proposer._pixels(picture(outputs("click3")["input.image"]), (128, 160))
    boxes = torch.tensor([[[0.3, 0.4, 0.005, 0.005]]])
    with torch.inference_mode():
        model = proposer.model
        features = model.look(pixels)
        *_, last = model.answer_every_layer(features, boxes)
        torch.testing.assert_close(last.scores, model.answer(features, boxes).scores)
