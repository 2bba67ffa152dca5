"""What a click's answers should be, as losses: masks, boxes, and the IoU that each mask was said to have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss

from ssa.models.semantic_sam import Answers
from toyworld.train.clicks import Lesson

PART_WEIGHT = 2.0
# By level: 1 → 3, 2 → 2, 3 → 0 are wholes; 4 → 4, 5 → 1, 6 → 5 parts.
WHOLE_TOKENS, PART_TOKENS = (3, 2, 0), (4, 1, 5)


@dataclass(frozen=True, slots=True)
class Grid:
    """What masks are drawn on, features (B, C, h, w), and what they should be, (B, N, 2, h, w)."""

    features: Tensor
    truth: Tensor

    def thinned(self, row: int, column: int) -> Grid:
        """Every second row and column, from the ones given."""
        return Grid(self.features[..., row::2, column::2], self.truth[..., row::2, column::2])

    def logits(self, embeddings: Tensor) -> Tensor:
        """(B, N, 2, C) → (B, N, 2, h, w) float32."""
        masks = torch.einsum("bnkc,bchw->bnkhw", embeddings, self.features)
        return masks.float()


def under(maps: Tensor, clicks: Tensor) -> Tensor:
    """(B, C, h, w) at the centres of clicks (B, N, 4) → (B, N, C), the nearest cell's."""
    height, width = maps.shape[-2:]
    x = (clicks[..., 0] * width).long().clamp(0, width - 1)
    y = (clicks[..., 1] * height).long().clamp(0, height - 1)
    at = (y * width + x)[:, None].expand(-1, maps.shape[1], -1)
    return maps.flatten(2).gather(2, at).transpose(1, 2)


def answers_loss(
    answers: Answers, grid: Grid, batch: Lesson, progress: float, rng: np.random.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    """Boxes of all answers; masks and scores of one whole and one part of each click, drawn by chance.

    Masks cost far more than boxes, and the three of a kind are taught the same.
    """
    tokens = [rng.choice(each, answers.scores.shape[:2]) for each in (WHOLE_TOKENS, PART_TOKENS)]
    chosen = torch.from_numpy(np.stack(tokens, -1)).to(batch.clicks.device)
    embeddings = answers.mask_embeddings.gather(
        2, chosen[..., None].expand(-1, -1, -1, answers.mask_embeddings.shape[-1])
    )
    scores = answers.scores.gather(2, chosen).float()
    logits = grid.logits(embeddings)
    weights = torch.ones_like(scores)
    on_part = (batch.boxes[:, :, 0] - batch.boxes[:, :, 1]).abs().sum(-1) > 0
    weights[..., 1] += (PART_WEIGHT - 1) * on_part
    weights = weights / weights.mean()
    masks = (masks_loss(logits, grid.truth, progress) * weights).mean()
    with torch.no_grad():
        cut, truth = logits > 0, grid.truth > 0.5
        ious = torch.maximum(iou(cut, truth), iou(cut, truth.flip(2)))
        own = iou(cut, truth)
    score = F.mse_loss(scores, ious)
    boxes = boxes_loss(answers.boxes.float(), batch.boxes)
    figures = {
        "mask": masks,
        "box": boxes,
        "iou_l": own[..., 0].mean(),
        "iou_p": own[..., 1][on_part].mean() if on_part.any() else own.new_tensor(0.0),
        "s_err": score**0.5,
    }
    return 2 * masks + boxes + score, figures


def boxes_loss(boxes: Tensor, truth: Tensor) -> Tensor:
    """L1 and generalised IoU (Rezatofighi et al. 2019) of boxes (B, N, 6, 4) against (B, N, 2, 4)."""
    target = torch.empty_like(boxes)
    target[:, :, list(WHOLE_TOKENS)] = truth[:, :, :1]
    target[:, :, list(PART_TOKENS)] = truth[:, :, 1:]
    overlap: Tensor = generalized_box_iou_loss(corners(boxes), corners(target), reduction="mean")
    return overlap + 5 * (boxes - target).abs().mean()


def corners(boxes: Tensor) -> Tensor:
    """cx, cy, w, h → x0, y0, x1, y1."""
    centre, side = torch.split(boxes, 2, dim=-1)
    return torch.cat([centre - side / 2, centre + side / 2], -1)


def masks_loss(logits: Tensor, truth: Tensor, progress: float) -> Tensor:
    """Loss of each of (..., h, w) mask logits.

    Dice + class-balanced cross-entropy early on and dice + cross-entropy weighted by the square of the
    error later, blended between 20 % and 50 % of the run.
    """
    p = logits.sigmoid()
    dice = 1 - (2 * (p * truth).sum((-2, -1)) + 1) / ((p + truth).sum((-2, -1)) + 1)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    blend = min(1.0, max(0.0, (progress - 0.2) / 0.3))
    if blend == 0:
        share = truth.mean((-2, -1), keepdim=True).clamp(0.01, 0.99)
        balance = torch.lerp(0.5 / (1 - share), 0.5 / share, truth)
        return dice + (entropy * balance).mean((-2, -1))
    focal = (entropy * (12 * (p - truth).square() + 3)).mean((-2, -1))
    if blend == 1:
        return dice + focal
    share = truth.mean((-2, -1), keepdim=True).clamp(0.01, 0.99)
    balance = torch.lerp(0.5 / (1 - share), 0.5 / share, truth)
    return dice + (1 - blend) * (entropy * balance).mean((-2, -1)) + blend * focal


def iou(a: Tensor, b: Tensor) -> Tensor:
    """(..., h, w) bool, twice → (...) intersection over union."""
    return (a & b).sum((-2, -1)) / (a | b).sum((-2, -1)).clamp(min=1)
