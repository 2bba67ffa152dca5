"""Lessons for clicks are true to the scene, their losses reward the truth, and what is exported loads."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ssa.device import choose_placement
from ssa.models.semantic_sam import Answers, SemanticSamMaskProposer, build
from ssa.models.shared.deformable import deformable_attention
from toyworld.scenes import Scene, draw_scene
from toyworld.seeds import training_seed
from toyworld.train import semantic_sam, semantic_sam_start
from toyworld.train.click_losses import (
    PART_TOKENS,
    WHOLE_TOKENS,
    Grid,
    answers_loss,
    boxes_loss,
    masks_loss,
    under,
)
from toyworld.train.clicks import Lesson, coverage, lesson, region_boxes, sample_clicks
from toyworld.train.sam_truth import region_maps


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A scene with parts, wider than high."""
    for number in range(50):
        drawn = draw_scene(training_seed(number), 48, 64)
        if sum(region.role == "part" for region in drawn.regions) >= 2:
            return drawn
    raise AssertionError("no scene with parts")


@pytest.fixture(scope="module")
def taught(scene: Scene) -> Lesson:
    """The scene enlarged to 72 x 96 pixels, padded to 96 x 96, with 40 clicks."""
    rng = np.random.default_rng(0)
    return lesson(scene, 72, 40, semantic_sam.MEAN, semantic_sam.STD, rng)


def test_a_lesson_is_padded_below_and_right(taught: Lesson) -> None:
    assert taught.pixels.shape == (3, 96, 96)
    assert taught.pixels[:, :72].abs().sum(0).gt(0).all()
    assert not taught.pixels[:, 72:].any()
    assert taught.masks.shape == (40, 2, 24, 24)
    assert not taught.masks[:, :, 18:].any()
    assert (taught.kinds[18:] == -1).all()
    assert (taught.kinds[:18] >= 0).all()


def test_both_regions_of_a_click_lie_under_it(taught: Lesson) -> None:
    maps = taught.masks.flatten(0, 1)[:, None]
    clicks = taught.clicks.repeat_interleave(2, 0)[:, None]
    assert (under(maps, clicks) > 0).all()
    centre, side = taught.boxes.split(2, dim=-1)
    away = (taught.clicks[:, None, :2] - centre).abs()
    assert (away <= side / 2).all()
    assert (taught.masks[:, 1] <= taught.masks[:, 0] + 1e-6).all()  # a part lies in its whole


def test_clicks_are_small_boxes_of_the_picture_without_its_padding(taught: Lesson) -> None:
    sides = torch.tensor([0.005, 0.005 * 72 / 96])
    torch.testing.assert_close(taught.clicks[:, 2:], sides.expand(40, 2))
    assert taught.clicks[:, 1].max() < 72 / 96


def test_fields_hold_the_boxes_of_the_regions_at_each_cell(taught: Lesson) -> None:
    here = under(taught.fields[None], taught.clicks[None])[0]
    inside = (taught.masks[:, 1].amax((1, 2)) == 1) & (
        under(taught.masks[:, 1, None], taught.clicks[:, None])[:, 0, 0] == 1
    )
    assert inside.any()
    torch.testing.assert_close(here[inside], taught.boxes.flatten(1)[inside])


def test_coverage_keeps_the_area() -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[3:17, 5:31] = True
    cells = coverage(mask, (64, 64), (64, 96))
    assert cells.shape == (16, 24)
    assert cells.sum() * 16 == pytest.approx(mask.sum())


def test_boxes_of_regions_by_hand(scene: Scene) -> None:
    boxes = region_boxes(scene)
    for (cx, cy, w, h), region in zip(boxes, scene.regions, strict=True):
        ys, xs = np.nonzero(region.mask)
        assert (cx - w / 2) * 64 == pytest.approx(xs.min(), abs=1e-3)
        assert (cy + h / 2) * 48 == pytest.approx(ys.max() + 1, abs=1e-3)


def test_about_two_clicks_of_five_ask_for_parts(scene: Scene) -> None:
    smallest, _ = region_maps(scene)
    clicks = sample_clicks(scene, smallest, 600, np.random.default_rng(1))
    roles = [scene.regions[smallest[y, x]].role for x, y in clicks]
    assert 0.35 < roles.count("part") / 600 < 0.6
    assert roles.count("stuff") > 60


def test_sampling_reads_what_deformable_attention_reads() -> None:
    torch.manual_seed(0)
    sizes = [(5, 7), (3, 4)]
    values = torch.randn(2, 47, 3, 4, requires_grad=True)
    places = torch.rand(2, 6, 3, 2, 5, 2) * 1.4 - 0.2  # some outside
    weights = torch.rand(2, 6, 3, 2, 5)
    expected = deformable_attention(values, sizes, places, weights)
    found = semantic_sam_start.read_by_sampling(values, sizes, places, weights)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_the_last_map_layer_begins_by_telling_where_a_cell_is() -> None:
    torch.manual_seed(0)
    net = build(semantic_sam.ARCHITECTURE)
    semantic_sam_start.prepare(net)
    attention = net.pixel_decoder.transformer.encoder.layers[-1].self_attn
    told: list[torch.Tensor] = []
    look = attention.around_points
    attention.around_points = lambda *each: told.append(look(*each)) or told[-1]
    with torch.no_grad():
        net.look(torch.randn(3, 3, 256, 256))
    finest = told[0][:, :1024]
    turn = (torch.arange(32) + 0.5).repeat(32) / 32 * 2 * math.pi
    place = torch.stack([turn.sin(), turn.cos()], 1)
    known = torch.cat([finest, torch.ones(3, 1024, 1)], 2)
    # A linear form of what two pictures' cells are told says where a third one's are.
    form = torch.linalg.lstsq(known[:2].flatten(0, 1), place.repeat(2, 1)).solution
    assert (known[2] @ form - place).abs().mean() < 0.2  # 0.64 if it knew nothing


@pytest.mark.parametrize("progress", [0.0, 0.35, 1.0])
def test_the_masks_loss_is_least_for_the_truth(progress: float) -> None:
    truth = torch.zeros(1, 1, 2, 8, 8)
    truth[..., :3, :3] = 1
    right = masks_loss((truth - 0.5) * 40, truth, progress)
    nothing = masks_loss(torch.full_like(truth, -20), truth, progress)
    assert right.shape == (1, 1, 2)
    assert right.max() < 1e-3
    assert (nothing > right + 0.8).all()


def test_perfect_answers_cost_nothing(taught: Lesson) -> None:
    batch = Lesson(*(getattr(taught, name)[None, :8] for name in ("pixels", "clicks", "masks")),
                   taught.boxes[None, :8], taught.kinds[None], taught.fields[None])  # fmt: skip
    # One channel a mask: an embedding picks its own.
    truth = (batch.masks > 0.5).float()
    features = ((truth - 0.5) * 40).flatten(1, 2)
    own = torch.eye(16).unflatten(0, (8, 2))
    order = [0 if token in WHOLE_TOKENS else 1 for token in range(6)]
    answers = Answers(own[None, :, order], torch.ones(1, 8, 6), batch.boxes[:, :, order])
    rng = np.random.default_rng(0)
    loss, figures = answers_loss(answers, Grid(features, truth), batch, 1.0, rng)
    assert loss.item() == pytest.approx(0, abs=1e-2)
    assert figures["iou_l"] == figures["iou_p"] == 1
    swapped = Answers(own[None, :, [1 - o for o in order]], answers.scores, answers.boxes)
    assert answers_loss(swapped, Grid(features, truth), batch, 1.0, rng)[0] > 0.5


def test_boxes_of_wholes_and_parts_are_told_apart() -> None:
    truth = torch.tensor([[[[0.5, 0.5, 0.8, 0.8], [0.3, 0.3, 0.1, 0.1]]]])
    boxes = torch.empty(1, 1, 6, 4)
    boxes[:, :, list(WHOLE_TOKENS)] = truth[:, :, :1]
    boxes[:, :, list(PART_TOKENS)] = truth[:, :, 1:]
    assert boxes_loss(boxes, truth).item() == pytest.approx(0, abs=1e-5)
    assert boxes_loss(boxes.flip(2), truth).item() > 1


def test_what_is_exported_answers_as_it_was_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trainee = semantic_sam.SemanticSamTrainee(tmp_path)
    trainee.model.half().float()  # what fp16 keeps
    trainee.export(tmp_path)
    proposer = SemanticSamMaskProposer.load(tmp_path, choose_placement("cpu", "float32"))
    pixels = torch.randn(1, 3, 64, 64)
    clicks = torch.tensor([[[0.3, 0.4, 0.005, 0.005]]])
    with torch.no_grad():
        expected, found = (
            model.answer(model.look(pixels), clicks)
            for model in (trainee.model.net, proposer.model)
        )
    torch.testing.assert_close(found.scores, expected.scores, atol=1e-5, rtol=1e-4)
    embeddings = found.mask_embeddings, expected.mask_embeddings
    torch.testing.assert_close(*embeddings, atol=1e-5, rtol=1e-4)
    # The short side that the model was taught stands beside it.
    image = np.zeros((32, 48, 3), np.uint8)
    assert min(proposer.embed(image).input_hw) == semantic_sam.SHORT_SIDE


def test_a_step_teaches_every_weight_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(semantic_sam, "BATCH", 1)
    monkeypatch.setattr(semantic_sam, "CLICKS", 6)
    monkeypatch.setattr(semantic_sam, "SHORT_SIDE", 64)
    torch.manual_seed(0)
    trainee = semantic_sam.SemanticSamTrainee(tmp_path)
    loss, figures = trainee.loss(semantic_sam.DENSE_STEPS)
    loss.backward()
    assert {"kind", "mask", "box", "iou_p"} <= set(figures)
    untaught = {
        name
        for name, weight in trainee.model.named_parameters()
        if weight.grad is None or not weight.grad.isfinite().all()
    }
    assert untaught == set()
