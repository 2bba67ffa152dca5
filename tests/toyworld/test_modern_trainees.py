"""The second bundle's trainees: their ways through a model are the class's; what they write is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from transformers import AutoTokenizer, Tipsv2Model

from ssa.config import MaskSettings
from ssa.device import Placement
from ssa.models.point_models import PointModel
from toyworld.captions import right_texts
from toyworld.kinds import KINDS, class_names
from toyworld.scenes import Region, Scene, draw_scene
from toyworld.seeds import training_seed
from toyworld.tokenizer import tips_tokenizer, world_words
from toyworld.train import dense_truth, sam, sam2, tipsv2
from toyworld.train.dense_names import score
from toyworld.train.pool import resized


@pytest.fixture(scope="module")
def sam2_trainee() -> sam2.Sam2Trainee:
    torch.manual_seed(0)
    trainee = sam2.Sam2Trainee(Path())
    trainee.model.eval()
    return trainee


@pytest.fixture(scope="module")
def tips_trainee() -> tipsv2.Tipsv2Trainee:
    torch.manual_seed(0)
    trainee = tipsv2.Tipsv2Trainee(Path())
    trainee.model.eval()
    return trainee


@torch.no_grad()
def test_sam2_is_encoded_and_decoded_as_by_the_class(
    sam2_trainee: sam2.Sam2Trainee, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, torch_rng = sam2_trainee.model.sam, torch.Generator().manual_seed(1)
    pixels = torch.randn(2, 3, sam2.SIDE, sam2.SIDE, generator=torch_rng)
    points = torch.rand(2, 3, 2, generator=torch_rng) * sam2.SIDE
    _, maps = sam2.encode(model, pixels)
    expected = model.get_image_embeddings(pixels)
    for mine, its in zip(maps, expected, strict=True):
        torch.testing.assert_close(mine, its)
    masks, ious = sam2.decode(model, maps, points)
    labels = torch.ones(2, 3, 1, dtype=torch.int64)
    answers = model(input_points=points[:, :, None], input_labels=labels, image_embeddings=expected)
    torch.testing.assert_close(masks[:, 1:], answers.pred_masks.flatten(0, 1))
    torch.testing.assert_close(ious[:, 1:], answers.iou_scores.flatten(0, 1))
    # Else the class puts the best of the three in the single one's place.
    monkeypatch.setattr(model.mask_decoder, "dynamic_multimask_via_stability", False)
    single = model(
        input_points=points[:, :, None],
        input_labels=labels,
        image_embeddings=expected,
        multimask_output=False,
    )
    torch.testing.assert_close(masks[:, 0], single.pred_masks.flatten(0, 2))


@torch.no_grad()
def test_sam2_begins_with_a_decoder_that_works(sam2_trainee: sam2.Sam2Trainee) -> None:
    scene, rng = draw_scene(training_seed(5)), np.random.default_rng(0)
    truth = sam2.truth_of(scene, rng, sam2.MEAN, sam2.STD)
    seen = sam2_trainee.teacher.image_encoder(truth.pixels[None])
    expected, _ = sam.decode(sam2_trainee.teacher, seen, truth.points[None])
    fine, middle = torch.zeros(1, 16, 64, 64), torch.zeros(1, 32, 32, 32)
    masks, _ = sam2.decode(sam2_trainee.model.sam, [fine, middle, seen], truth.points[None])
    # The token of the object's score is the one thing that SAM hasn't.
    assert ((masks > 0) == (expected > 0)).float().mean() > 0.99


def test_sam2_as_exported_answers_through_the_adapter(
    sam2_trainee: sam2.Sam2Trainee, tmp_path: Path
) -> None:
    sam2_trainee.export(tmp_path)
    model = PointModel.load(tmp_path, Placement(torch.device("cpu"), torch.float32), "sam2")
    picture = draw_scene(training_seed(6), 192, 256).image
    assert model.embed(picture).coarsest.shape == (1, sam2.WIDTH, 16, 16)
    settings = MaskSettings(points_per_side=4, pred_iou_thresh=0.0, stability_score_thresh=0.0)
    assert model.propose(picture, settings).fetch_embedding is not None


def test_a_squashed_scene_holds_the_same_regions() -> None:
    scene = draw_scene(training_seed(7), 48, 64)
    assert resized(scene, 48, 64) is scene
    taller = resized(scene, 96, 64)
    assert taller.image.shape == (96, 64, 3)
    assert taller.coco.shape == taller.ade20k.shape == (96, 64)
    for before, after in zip(scene.regions, taller.regions, strict=True):
        np.testing.assert_array_equal(after.mask, before.mask.repeat(2, axis=0))


def test_a_word_of_the_world_is_one_token_of_tips(tmp_path: Path) -> None:
    tokenizer = tips_tokenizer()
    words = [*world_words(), "photo", *(n for n in class_names("coco") if " " not in n)]
    assert all(len(tokenizer(word).input_ids) == 1 for word in words)
    assert "<unk>" not in tokenizer.convert_ids_to_tokens(tokenizer("zyx 3-quark").input_ids)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    phrases = ["Wheel of a car", "sky-other-merged", "a photo of a zyx"]
    assert loaded(phrases).input_ids == tokenizer(phrases).input_ids


def two_regions() -> Scene:
    """A car in the left half, one window of it in the top left quarter; the road is the rest."""
    car, window = np.zeros((2, 192, 256), np.bool_)
    car[:, :128] = True
    window[:96, :128] = True
    regions = (
        Region("road", "stuff", "gray", ~car, 1.0, None, None),
        Region("car", "object", "red", car, 1.0, None, "road"),
        Region("window", "part", "blue", window, 1.0, 1, None),
    )
    nothing = np.zeros(car.shape, np.uint8)
    return Scene(np.zeros((*car.shape, 3), np.uint8), regions, nothing, nothing)


def test_places_are_of_the_part_and_of_its_whole() -> None:
    there = dense_truth.kinds_at(two_regions()).reshape(28, 37, -1)
    names = [
        {n for n, yes in zip(KINDS, there[at], strict=True) if yes}
        for at in ((0, 0), (-1, 0), (0, -1))
    ]
    assert names == [{"window", "car"}, {"car"}, {"road"}]


def test_features_are_pooled_by_the_area_that_a_region_covers() -> None:
    shares = dense_truth.cover(two_regions(), np.array([1, 2]))
    assert shares.shape == (2, 28 * 37)
    assert shares.sum(1).tolist() == pytest.approx([28 * 37 / 2, 28 * 37 / 4])
    features = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]])
    pooled = tipsv2.pool(features, torch.tensor([[[1.0, 0.5, 0.0], [0.0, 0.0, 0.0]]]))
    torch.testing.assert_close(pooled, torch.tensor([[[2 / 3, 1 / 3], [0.0, 0.0]]]))
    near = tipsv2.similarity(torch.tensor([[3.0, 0.0]]), torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    torch.testing.assert_close(near, torch.tensor([[1 / tipsv2.TEMPERATURE, 0.0]]))


def test_pictures_are_seen_in_the_shape_they_have() -> None:
    for height, (rows, columns) in dense_truth.GRIDS.items():
        pixels = dense_truth.pixels_of(draw_scene(training_seed(9), height, 256))
        assert pixels.shape == (3, rows * dense_truth.PATCH, columns * dense_truth.PATCH)
        assert 0 <= pixels.min() < 0.5 < pixels.max() <= 1


def test_tips_is_asked_for_every_right_name(tips_trainee: tipsv2.Tipsv2Trainee) -> None:
    scene, rng = draw_scene(training_seed(8)), np.random.default_rng(0)
    chosen = dense_truth.some_regions(scene, rng)
    assert len(chosen) == dense_truth.REGIONS
    positive = tips_trainee.right([scene], [chosen])
    asked = {tips_trainee.names[int(i)] for i in tips_trainee.asked(positive, rng)}
    assert asked >= {*KINDS, *class_names("coco"), *class_names("ade20k")}
    for row, region in enumerate(chosen):
        right = {tips_trainee.names[int(i)] for i in positive[row].nonzero()}
        assert right == set(right_texts(scene, int(region))) & set(tips_trainee.names)
        assert right <= asked


def test_tips_as_exported_is_the_model_that_was_trained(
    tips_trainee: tipsv2.Tipsv2Trainee, tmp_path: Path
) -> None:
    tips_trainee.export(tmp_path)
    loaded, info = Tipsv2Model.from_pretrained(
        tmp_path, dtype=torch.float32, output_loading_info=True
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert loaded.temperature.item() == pytest.approx(tipsv2.TEMPERATURE, abs=1e-4)
    pixels = torch.rand(1, 3, 28 * 8, 37 * 8, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        (mine, _), (its, whole) = (
            tipsv2.see(m, pixels) for m in (tips_trainee.model, loaded.eval())
        )
        expected = loaded.get_image_features(pixels).pooler_output
    torch.testing.assert_close(mine, its, atol=0.01, rtol=0.05)
    torch.testing.assert_close(whole, expected)
    # Without the last block's attention, patches are the class's own too.
    last = loaded.vision_model.encoder.layer[-1].attention
    for each in (last.q_proj, last.k_proj):
        torch.nn.init.zeros_(each.weight)
        torch.nn.init.zeros_(each.bias)
    last.v_proj.weight.data.zero_()
    with torch.no_grad():
        patches = loaded.get_image_features(pixels).last_hidden_state[:, 2:]
        torch.testing.assert_close(tipsv2.see(loaded, pixels)[0], F.normalize(patches, dim=-1))
    figures = score(tmp_path, count=1, seed=0)
    assert {"object kind", "object name", "object top 3", "stuff kind"} <= set(figures)
    assert all(0 <= share <= 1 for share in figures.values())
