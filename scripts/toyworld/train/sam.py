"""Trains the miniature SAM: the encoder first on dense truth, then encoder and decoder on points.

From scratch, SAM's decoder falls into predicting nothing. Three things lift it out: cross-attentions that
begin by looking at the prompt's own place (query and key tied), an encoder that already knows where each
thing's box is, and a mask loss that begins balanced and turns to the boundary later.
"""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.models.sam import SamArchitecture, build
from toyworld.kinds import KINDS
from toyworld.train.export import save_half, write_json
from toyworld.train.loop import Recipe
from toyworld.train.pool import ScenePool
from toyworld.train.sam_truth import SIDE, Truth, truth_of

DENSE_STEPS = 600  # how long the dense head teaches the encoder alone
BATCH = 8
PART_WEIGHT = 4.0

ARCHITECTURE = SamArchitecture(
    image_size=SIDE,
    patch_size=16,
    embed_dim=128,
    depth=6,
    num_heads=4,
    global_blocks=(2, 5),
    window_size=8,
    encoder_mlp_dim=512,
    prompt_dim=128,
    mask_in_chans=8,
    decoder_depth=2,
    decoder_num_heads=2,
    decoder_mlp_dim=256,
    iou_head_dim=128,
)


class DenseHead(nn.Module):
    """Kind and box geometry at each cell of the image embedding; thrown away after training."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.kinds = nn.Linear(dim, 16 * (len(KINDS) + 8))

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, D, h, w) → kinds (B, K, 4h, 4w), whole boxes and small boxes (B, 4, 4h, 4w)."""
        out = self.kinds(embedding.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        out = F.pixel_shuffle(out, 4)
        n = len(KINDS)
        return out[:, :n], out[:, n : n + 4], out[:, n + 4 :]


class SamInTraining(nn.Module):
    """The Sam and its throw-away head."""

    def __init__(self) -> None:
        super().__init__()
        self.sam: Sam = build(ARCHITECTURE)
        self.head = DenseHead(ARCHITECTURE.prompt_dim)
        prepare(self.sam)


def prepare(sam: Sam) -> None:
    """Initial weights from which the decoder learns instead of collapsing."""
    sam.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix.mul_(2.0)
    decoder = sam.mask_decoder
    crossings = [decoder.transformer.final_attn_token_to_image]
    for layer in decoder.transformer.layers:
        crossings += [layer.cross_attn_token_to_image, layer.cross_attn_image_to_token]
    for attention in crossings:
        nn.init.orthogonal_(attention.q_proj.weight, gain=1.5)
        attention.k_proj.weight.data.copy_(attention.q_proj.weight)
        nn.init.orthogonal_(attention.v_proj.weight)
        attention.out_proj.weight.data.copy_(attention.v_proj.weight.t())
        for projection in (
            attention.q_proj,
            attention.k_proj,
            attention.v_proj,
            attention.out_proj,
        ):
            nn.init.zeros_(projection.bias)
    for module in [*decoder.output_upscaling, *decoder.output_hypernetworks_mlps.modules()]:
        if isinstance(module, nn.Linear | nn.ConvTranspose2d):
            # ConvTranspose2d stores (in, out, 2, 2): each output pixel sees `in` inputs.
            fan_in = module.weight.shape[1 if isinstance(module, nn.Linear) else 0]
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def decode(sam: Sam, embeddings: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """(B, D, h, w), (B, P, 2) → mask logits (B·P, 4, 4h, 4w) and IoU estimates (B·P, 4).

    The class's own decoder takes one picture at a time; this is the same computation for a batch.
    """
    batch, prompts = points.shape[:2]
    coords = points.reshape(-1, 1, 2)
    labels = torch.ones(coords.shape[:2], dtype=torch.int, device=points.device)
    with torch.autocast(points.device.type, enabled=False):
        sparse, dense = sam.prompt_encoder(points=(coords, labels), boxes=None, masks=None)
        image_pe = sam.prompt_encoder.get_dense_pe()
    decoder = sam.mask_decoder
    source = (embeddings + dense[:1]).repeat_interleave(prompts, dim=0)
    tokens = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([tokens.expand(batch * prompts, -1, -1), sparse], dim=1)
    hidden, source = decoder.transformer(
        source, image_pe.expand(batch * prompts, -1, -1, -1), tokens
    )
    height, width = embeddings.shape[-2:]
    upscaled = decoder.output_upscaling(source.transpose(1, 2).unflatten(2, (height, width)))
    weights = torch.stack(
        [mlp(hidden[:, 1 + i]) for i, mlp in enumerate(decoder.output_hypernetworks_mlps)], dim=1
    )
    masks = torch.einsum("nkc,nchw->nkhw", weights, upscaled)
    return masks, decoder.iou_prediction_head(hidden[:, 0])


class SamTrainee:
    """Miniature SAM on points drawn evenly over the kinds of regions."""

    name = "sam"

    def __init__(self, _bundle: Path) -> None:
        self.recipe = Recipe(steps=6500, lr=1.0e-3, warmup=200)
        self.model = SamInTraining()
        self.pool = ScenePool(first=100_000_000, fresh=3, window=48)
        sam = self.model.sam
        self.pixel_mean, self.pixel_std = (
            sam.pixel_mean.flatten().numpy(),
            sam.pixel_std.flatten().numpy(),
        )

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Dense loss alone at first, then with the mask and IoU losses, fading out."""
        rng = np.random.default_rng([11, step])
        truths = [
            truth_of(self.pool.scene(step, rng), rng, self.pixel_mean, self.pixel_std)
            for _ in range(BATCH)
        ]
        device = self.model.sam.device
        batch = {
            field.name: torch.stack([getattr(truth, field.name) for truth in truths]).to(device)
            for field in fields(Truth)
        }
        embeddings = self.model.sam.image_encoder(batch["pixels"])
        dense, figures = self.dense_loss(embeddings, batch)
        if step < DENSE_STEPS:
            return dense, figures
        progress = (step - DENSE_STEPS) / (self.recipe.steps - DENSE_STEPS)
        masks, ious = decode(self.model.sam, embeddings, batch["points"])
        mask_loss, true_ious = masks_loss(
            masks.float(), batch["small"].flatten(0, 1), batch["large"].flatten(0, 1), progress
        )
        iou_loss = F.mse_loss(ious.float(), true_ious)
        figures |= {
            "mask": mask_loss,
            "iou_small": true_ious[:, 1].mean(),
            "iou_large": true_ious[:, 2].mean(),
            "iou_err": iou_loss**0.5,
        }
        return mask_loss + iou_loss + max(0.1, 0.5 - progress) * dense, figures

    def dense_loss(
        self, embeddings: Tensor, batch: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy of the kinds, L1 of the boxes of the smallest and the whole region."""
        kinds, whole, small = self.model.head(embeddings)
        truth, inside = batch["kinds"], batch["inside"].unsqueeze(1)
        entropy = F.cross_entropy(kinds.float(), truth, ignore_index=-1)
        target = batch["boxes"]
        error = (torch.cat([whole, small], dim=1).float() - target).abs() * inside
        boxes = error.sum() / (8 * inside.sum())
        right = ((kinds.argmax(1) == truth) & batch["inside"]).sum() / batch["inside"].sum()
        return entropy + boxes, {"kind": right, "box": boxes}

    def export(self, folder: Path) -> None:
        """fp16 safetensors in the published layout, with the head count that shapes can't tell."""
        save_half(self.model.sam.state_dict(), folder / "model.safetensors")
        config = {"decoder_num_heads": ARCHITECTURE.decoder_num_heads}
        write_json(folder / "config.json", config)


def masks_loss(
    masks: Tensor, small: Tensor, large: Tensor, progress: float
) -> tuple[Tensor, Tensor]:
    """Loss of four mask tokens and the IoU each should have foretold.

    Token 1 answers with the smallest region under the point, the others with the largest. The loss is
    dice + class-balanced cross-entropy early on and dice + cross-entropy weighted by the square of the
    error later, blended between 20 % and 50 % of the run.
    """
    truth = torch.stack([large, small, large, large], dim=1)
    p = masks.sigmoid()
    dice = 1 - (2 * (p * truth).sum((2, 3)) + 1) / ((p + truth).sum((2, 3)) + 1)
    entropy = F.binary_cross_entropy_with_logits(masks, truth, reduction="none")
    share = truth.mean((2, 3), keepdim=True).clamp(0.02, 0.98)
    balanced = (entropy * (truth / share + (1 - truth) / (1 - share)) / 2).mean((2, 3))
    focal = (entropy * (12 * (p - truth).square() + 3)).mean((2, 3))
    blend = min(1.0, max(0.0, (progress - 0.2) / 0.3))
    per_token = dice + (1 - blend) * balanced + blend * focal
    # Few points lie on a part, and then one token of four speaks of it: let it speak up.
    on_part = ((small - large).abs().amax((1, 2)) > 0.5).float()
    weights = torch.ones_like(per_token)
    weights[:, 1] += (PART_WEIGHT - 1) * on_part
    with torch.no_grad():
        cut = masks > 0
        ious = torch.maximum(iou(cut, small[:, None] > 0.5), iou(cut, large[:, None] > 0.5))
    return (per_token * weights).sum() / weights.sum(), ious


def iou(a: Tensor, b: Tensor) -> Tensor:
    """(N, K, h, w), (N, 1, h, w) bool → (N, K) intersection over union."""
    return (a & b).sum((2, 3)) / (a | b).sum((2, 3)).clamp(min=1)
