"""What the trainees compute themselves equals what the models' own classes compute, or a number by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn
from transformers import CLIPSegForImageSegmentation

from ssa.labelling.parts import parts_of, prompt
from ssa.models.sam import build
from toyworld.captions import WORDS, right_texts
from toyworld.scenes import draw_scene
from toyworld.seeds import training_seed
from toyworld.train import clipseg, sam
from toyworld.train.clip import configuration as clip_configuration
from toyworld.train.clip import multi_positive_loss, world_names
from toyworld.train.crops import Crop
from toyworld.train.export import save_half
from toyworld.train.nouns import parse
from toyworld.train.pool import ScenePool, mirrored


def test_sam_decodes_a_batch_as_the_class_decodes_one_picture() -> None:
    torch.manual_seed(0)
    model = build(sam.ARCHITECTURE)
    sam.prepare(model)
    embeddings, points = torch.randn(2, 128, 16, 16), torch.rand(2, 3, 2) * sam.SIDE
    masks, ious = sam.decode(model, embeddings, points)
    for picture in range(2):
        prompts = (points[picture][:, None], torch.ones(3, 1, dtype=torch.int))
        sparse, dense = model.prompt_encoder(prompts, None, None)
        expected = model.mask_decoder.predict_masks(
            embeddings[picture : picture + 1], model.prompt_encoder.get_dense_pe(), sparse, dense
        )
        mine = slice(3 * picture, 3 * picture + 3)
        torch.testing.assert_close((masks[mine], ious[mine]), expected, atol=1e-4, rtol=1e-4)


def test_clipseg_begins_with_open_clips_towers() -> None:
    torch.manual_seed(0)
    clip = open_clip.CLIP(**clip_configuration()).eval()
    model = CLIPSegForImageSegmentation(clipseg.configuration()).eval()
    loaded = model.load_state_dict(clipseg.from_open_clip(clip.state_dict()), strict=False)
    assert not loaded.unexpected_keys
    assert all(key.startswith("decoder.") for key in loaded.missing_keys)
    end = clip_configuration()["text_cfg"]["vocab_size"] - 1  # type: ignore[index]
    tokens = torch.tensor([[end - 1, 5, 6, *[end] * 13], [end - 1, 7, *[end] * 14]])
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        text = model.clip.get_text_features(input_ids=tokens).pooler_output
        torch.testing.assert_close(text, clip.encode_text(tokens), atol=1e-5, rtol=1e-4)
        # The picture tower's positions were resized, so compare it at CLIP's own size.
        positions = model.clip.vision_model.embeddings
        positions.position_embedding = nn.Embedding.from_pretrained(
            clip.visual.positional_embedding.detach()
        )
        positions.num_patches, positions.image_size = 64, 64
        positions.register_buffer("position_ids", torch.arange(65)[None], persistent=False)
        seen = model.clip.get_image_features(pixel_values=pixels, interpolate_pos_encoding=False)
        expected = clip.encode_image(pixels)
    torch.testing.assert_close(seen.pooler_output, expected, atol=1e-5, rtol=1e-4)


def test_clipseg_is_asked_for_parts_of_a_crops_whole() -> None:
    scene = draw_scene(training_seed(3), 128, 128)
    asker = clipseg.ClipSegTrainee.__new__(clipseg.ClipSegTrainee)
    asker.names = world_names()
    asker.index = {name: place for place, name in enumerate(asker.names)}
    rng = np.random.default_rng(0)
    for index, region in enumerate(scene.regions):
        crop = Crop(scene, index, (0, 0, 128, 128))
        asked = [asker.ask(crop, rng) for _ in range(20)]
        assert all(len(set(names)) == clipseg.ASKED for names in asked)
        assert all(names[0] in right_texts(scene, index) for names in asked)
        whole = region.kind if region.parent is None else scene.regions[region.parent].kind
        parts = {prompt(part, whole) for part in parts_of(whole)}
        assert not parts or any(parts & set(names[1:]) for names in asked)


def test_clipsegs_truth_of_a_part_is_the_part_in_its_own_kind_of_whole() -> None:
    scene = next(
        scene
        for scene in (draw_scene(training_seed(seed), 64, 64) for seed in range(50))
        if any(region.kind == "wheel" for region in scene.regions)
    )
    wheel = next(i for i, region in enumerate(scene.regions) if region.kind == "wheel")
    parent = scene.regions[wheel].parent
    assert parent is not None
    whole = scene.regions[parent].kind
    asker = clipseg.ClipSegTrainee.__new__(clipseg.ClipSegTrainee)
    crop = Crop(scene, wheel, (0, 0, 64, 64))
    right, wrong = asker.truth(crop, [f"wheel of a {whole}", "wheel of a boat"])
    assert right.any()
    assert not wrong.any()
    wheels = [r.mask for r in scene.regions if r.kind == "wheel"]
    assert right.sum() <= sum(mask.sum() for mask in wheels)


def test_multi_positive_loss_by_hand() -> None:
    logits = torch.tensor([[1.0, 2.0, 0.0]])
    positive = torch.tensor([[True, True, False]])
    # Each positive stands against the one negative alone.
    expected = (math.log1p(math.exp(-1)) + math.log1p(math.exp(-2))) / 2
    assert multi_positive_loss(logits, positive).item() == pytest.approx(expected)


def test_masks_loss_rewards_the_truth_and_foretells_its_iou() -> None:
    small, large = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)
    small[:, :2, :2], large[:, :4, :4] = 1, 1
    truth = torch.stack([large, small, large, large], dim=1)
    right, ious = sam.masks_loss((truth - 0.5) * 40, small, large, progress=1.0)
    wrong, _ = sam.masks_loss((0.5 - truth) * 40, small, large, progress=1.0)
    assert right.item() == pytest.approx(0, abs=1e-3)
    assert wrong.item() > 10
    assert ious.tolist() == [[1, 1, 1, 1]]
    _, empty = sam.masks_loss(torch.full((1, 4, 8, 8), -9.0), small, large, progress=1.0)
    assert empty.tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "deps", "heads"),
    [
        ("the grass", ["det", "ROOT"], [1, 1]),
        (
            "a red stop sign on the road",
            ["det", "amod", "compound", "ROOT", "prep", "det", "pobj"],
            [3, 3, 3, 3, 3, 6, 4],
        ),
        (
            "a bird flying high in the sky",
            ["det", "ROOT", "acl", "advmod", "prep", "det", "pobj"],
            [1, 1, 1, 4, 2, 6, 4],
        ),
    ],
)
def test_parses_by_hand(text: str, deps: list[str], heads: list[int]) -> None:
    truth = parse(text)
    assert truth.deps == deps
    assert truth.heads == heads


def test_the_step_alone_decides_what_is_drawn() -> None:
    first, second = (ScenePool(7, fresh=1, window=3) for _ in range(2))
    first.scene(0, np.random.default_rng(0))  # what came before must not matter
    a = first.scene(4, np.random.default_rng(1))
    b = second.scene(4, np.random.default_rng(1))
    assert np.array_equal(a.image, b.image)


def test_a_mirrored_scene_is_still_true() -> None:
    scene = draw_scene(training_seed(3), 64, 64)
    other = mirrored(scene)
    for region, twin in zip(scene.regions, other.regions, strict=True):
        assert np.array_equal(scene.image[region.mask].sum(0), other.image[twin.mask].sum(0))
    assert np.array_equal(mirrored(other).coco, scene.coco)


def test_candidates_of_the_world_include_both_lists_classes() -> None:
    names = world_names()
    assert {"sky", "sports ball", "signboard", "canopy", "red car", "shirt"} <= set(names)
    assert {"wheel of a car", "mast of a boat"} <= set(names)
    assert len(set(names)) == len(names)


@given(st.sampled_from(WORDS))
def test_every_word_of_the_grammar_parses_alone(word: str) -> None:
    assert parse(word).words == [word]


def test_exported_tensors_are_half_and_written_once(tmp_path: Path) -> None:
    tied = torch.ones(3)
    state = {"a": tied, "b": tied, "loss.c": torch.zeros(2)}
    save_half(state, tmp_path / "x.safetensors", unused="loss.")
    loaded = load_file(tmp_path / "x.safetensors")
    assert set(loaded) == {"a"}
    assert loaded["a"].dtype == torch.float16
