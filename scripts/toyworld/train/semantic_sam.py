"""Trains the miniature Semantic-SAM: backbone and pixel decoder first on dense truth, then with clicks.

Six answers a click: those of levels 1 to 3 are taught the largest region under it, those of levels 4 to 6
the smallest, which is a part if there is one. Every decoder layer is taught, as in Mask DINO
(Li et al. 2022, arXiv:2206.02777), but which answer learns which region is fixed instead of matched.
"""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.models.semantic_sam import Features, SemanticSamArchitecture, build
from ssa.models.semantic_sam.checkpoint import as_published
from toyworld.kinds import KINDS
from toyworld.train.click_losses import Grid, answers_loss, iou, masks_loss, under
from toyworld.train.clicks import KIND_INDEX, Lesson, lesson
from toyworld.train.export import IMAGENET_MEAN, IMAGENET_STD, save_half, write_json
from toyworld.train.loop import Recipe
from toyworld.train.pool import WIDTH, ScenePool
from toyworld.train.semantic_sam_start import prepare

SHORT_SIDE = 256
BATCH = 6
CLICKS = 24  # a picture; what a picture's features cost is shared by them
DENSE_STEPS = 500  # how long the dense heads teach backbone and pixel decoder alone
LAYER_WEIGHT = 0.5  # of each decoder layer but the last
# How often the waves of a centre go up and down across the picture; sine and cosine of x and y of each.
FREQUENCIES = (1, 2, 4)
WAVES = 4 * len(FREQUENCIES)
# What a cell counts in them: few cells are a part's.
ROLE_WEIGHTS = {"stuff": 0.2, "object": 1.0, "part": 3.0}
MEAN, STD = (np.array(each, np.float32) * 255 for each in (IMAGENET_MEAN, IMAGENET_STD))

ARCHITECTURE = SemanticSamArchitecture(
    embed_dim=32,
    depths=(1, 1, 2, 1),
    num_heads=(1, 2, 4, 8),
    window_size=7,
    hidden_dim=64,
    mask_dim=64,
    heads=8,
    encoder_layers=2,
    encoder_ffn_dim=256,
    decoder_layers=3,
    decoder_ffn_dim=256,
    mask_tokens=6,
)


class InTraining(nn.Module):
    """The model and its throw-away heads.

    ``cells`` tells the kind and two boxes at each cell of the mask features, and waves of the smaller one's
    centre; ``places`` tells two boxes relative to each place of the finest memory map, and ``seeds`` the
    embeddings of the largest and of the smallest region from the mask feature under a click.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = build(ARCHITECTURE)
        dim, mask_dim = ARCHITECTURE.hidden_dim, ARCHITECTURE.mask_dim
        self.cells = nn.Conv2d(mask_dim, len(KIND_INDEX) + 8 + WAVES, 1)
        self.places = nn.Linear(dim, 8)
        self.seeds = nn.Sequential(
            nn.Linear(mask_dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, 2 * mask_dim)
        )
        prepare(self.net)


class SemanticSamTrainee:
    """Miniature Semantic-SAM on clicks drawn evenly over kinds of parts and of wholes."""

    name = "semantic_sam"

    def __init__(self, _bundle: Path) -> None:
        self.recipe = Recipe(steps=6800, lr=1.2e-3, warmup=200)
        self.model = InTraining()
        self.weights = torch.tensor([ROLE_WEIGHTS[kind.role] for kind in KINDS.values()])
        # A batch has one shape: every sixth is of wider pictures.
        self.square = ScenePool(500_000_000, fresh=3, window=48, heights=(WIDTH,))
        self.wide = ScenePool(550_000_000, fresh=1, window=24, heights=(WIDTH * 3 // 4,))

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Dense losses alone at first, then with those of the answers, fading out."""
        rng = np.random.default_rng([51, step])
        batch = self.batch(step, rng)
        features = self.model.net.look(batch.pixels)
        grid = Grid(features.mask_features, batch.masks)
        # Half of the rows and columns, others each time, are enough for all but the last layer's masks.
        few = grid.thinned(*rng.integers(2, size=2))
        dense, where, figures = self.dense_loss(features, few, batch)
        if step < DENSE_STEPS:
            return dense + where, figures
        progress = (step - DENSE_STEPS) / (self.recipe.steps - DENSE_STEPS)
        layers = self.model.net.answer_every_layer(features, batch.clicks)
        total = max(0.1, 0.5 - progress) * dense + where
        *earlier, last = layers
        for answers in earlier:
            loss, _ = answers_loss(answers, few, batch, progress, rng)
            total = total + LAYER_WEIGHT * loss
        loss, more = answers_loss(last, grid, batch, progress, rng)
        return total + loss, figures | more

    def batch(self, step: int, rng: np.random.Generator) -> Lesson:
        """Lessons of one step, stacked, on the model's device."""
        pool = self.wide if step % 6 == 5 else self.square
        lessons = [
            lesson(pool.scene(step, rng), SHORT_SIDE, CLICKS, MEAN, STD, rng) for _ in range(BATCH)
        ]
        device = next(self.model.parameters()).device
        return Lesson(
            **{
                field.name: torch.stack([getattr(each, field.name) for each in lessons]).to(device)
                for field in fields(Lesson)
            }
        )

    def dense_loss(
        self, features: Features, grid: Grid, batch: Lesson
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """What may fade: kinds and boxes at each cell, and masks from the feature under each click; waves."""
        known = batch.kinds >= 0
        out = self.model.cells(features.mask_features).float()
        names, boxes, waves = out.split([len(KIND_INDEX), 8, WAVES], dim=1)
        kinds = F.cross_entropy(names, batch.kinds, ignore_index=-1)
        absolute = ((boxes - batch.fields).abs() * known[:, None]).sum() / known.sum() / 8
        where = self.waves_loss(waves, batch)
        relative = self.places_loss(features, batch)
        seeds = self.model.seeds(under(features.mask_features, batch.clicks)).unflatten(-1, (2, -1))
        logits = grid.logits(seeds)
        masks = masks_loss(logits, grid.truth, progress=0.0).mean()
        right = ((names.argmax(1) == batch.kinds) & known).sum() / known.sum()
        with torch.no_grad():
            found = iou(logits > 0, grid.truth > 0.5).mean((0, 1))
        figures = {"kind": right, "abs": absolute, "rel": relative, "where": where}
        figures |= {"seed_l": found[0], "seed_s": found[1]}
        return kinds + 4 * absolute + 4 * relative + masks, 5 * where, figures

    def waves_loss(self, waves: Tensor, batch: Lesson) -> Tensor:
        """Squared error of sine and cosine of the centre of the smallest region at each cell.

        A mask is linear in the mask features. That two windows alike lie apart has to be written there so
        that a linear form is high around one place only, and low to both sides of it.
        """
        centre = batch.fields[:, 4:6]
        turns = torch.cat([centre * frequency for frequency in FREQUENCIES], 1) * 2 * math.pi
        truth = torch.cat([turns.sin(), turns.cos()], 1)
        weights = self.weights.to(truth.device)[batch.kinds] * (batch.kinds >= 0)
        error = (waves - truth).square().mean(1) * weights
        return error.sum() / weights.sum()

    def places_loss(self, features: Features, batch: Lesson) -> Tensor:
        """L1 of the two boxes seen from each place of the finest memory map."""
        height, width = features.sizes_hw[-1]
        finest = features.memory[:, -height * width :]
        truth = batch.fields[:, :, ::2, ::2].flatten(2).transpose(1, 2)
        x = (torch.arange(width, device=truth.device) * 2 + 0.5) / (2 * width)
        y = (torch.arange(height, device=truth.device) * 2 + 0.5) / (2 * height)
        here = torch.stack([x.repeat(height), y.repeat_interleave(width)], -1)
        here = F.pad(here, (0, 2)).repeat(1, 2)
        known = (batch.kinds[:, ::2, ::2] >= 0).flatten(1)[..., None]
        error: Tensor = (self.model.places(finest).float() - (truth - here)).abs() * known
        return error.sum() / known.sum() / 8

    def export(self, folder: Path) -> None:
        """fp16 safetensors with the published keys, and the short side that the model sees."""
        save_half(as_published(self.model.net.state_dict()), folder / "model.safetensors")
        write_json(folder / "config.json", {"short_side_px": SHORT_SIDE})
