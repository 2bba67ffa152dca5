"""Trains the miniature SAM 2.1: its encoder first copies what the miniature SAM sees, then all of it learns.

The two share prompt encoder and two-way transformer, weight by weight; so a Hiera that gives SAM's own
image embedding has a decoder that works, and only what SAM 2 adds must be learnt: finer maps that go into
the masks, and an IoU head that ends in a sigmoid.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from segment_anything.modeling import Sam
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Sam2Config, Sam2Model

from ssa.models.sam import build
from ssa.weights import SHIPPED_ROOT
from toyworld.kinds import KINDS
from toyworld.scenes import Scene
from toyworld.train.export import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    image_processor,
    save_half,
    write_json,
)
from toyworld.train.loop import Recipe
from toyworld.train.pool import ScenePool, resized
from toyworld.train.sam import ARCHITECTURE, masks_loss
from toyworld.train.sam2_start import begin_as
from toyworld.train.sam_truth import CELLS, SIDE, Truth, truth_of

TEACHER = SHIPPED_ROOT / "tiny" / "sam"
COPYING_STEPS = 800  # the encoder alone; in as many more the teacher falls silent
BATCH = 8
WIDTH = 128
MEAN, STD = (np.array(each, np.float32) * 255 for each in (IMAGENET_MEAN, IMAGENET_STD))


def configuration() -> Sam2Config:
    """A Hiera of 11 blocks, 32 to 256 wide, and the miniature SAM's decoder.

    Unlike the published sizes, the finest maps too are told what the coarse ones see.
    """
    backbone = {
        "model_type": "sam2_hiera_det_model", "image_size": [SIDE, SIDE], "hidden_size": 32,
        "blocks_per_stage": [1, 2, 6, 2], "embed_dim_per_stage": [32, 64, 128, 256],
        "num_attention_heads_per_stage": [1, 2, 4, 8], "window_size_per_stage": [8, 8, 16, 8],
        "window_positional_embedding_background_size": [16, 16], "global_attention_blocks": [],
    }  # fmt: skip
    vision = {
        "model_type": "sam2_vision_model", "backbone_config": backbone,
        "backbone_channel_list": [256, 128, 64, 32], "fpn_hidden_size": WIDTH,
        "backbone_feature_sizes": [[CELLS, CELLS], [CELLS // 2, CELLS // 2], [CELLS // 4, CELLS // 4]],
        "fpn_top_down_levels": [0, 1, 2, 3],
    }  # fmt: skip
    prompts = {
        "hidden_size": WIDTH, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 8,
    }  # fmt: skip
    decoder = {
        "hidden_size": WIDTH, "mlp_dim": 256, "num_attention_heads": 2, "iou_head_hidden_dim": WIDTH,
    }  # fmt: skip
    return Sam2Config(
        vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder
    )


class Sam2InTraining(nn.Module):
    """The model, and a throw-away head that tells kinds and boxes from the finest map."""

    def __init__(self) -> None:
        super().__init__()
        self.sam = Sam2Model(configuration())
        self.head = nn.Conv2d(WIDTH, len(KINDS) + 8, 1)
        for module in self.sam.vision_encoder.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.xavier_normal_(module.weight)
        backbone = self.sam.vision_encoder.backbone
        nn.init.trunc_normal_(backbone.pos_embed, std=0.02)
        nn.init.trunc_normal_(backbone.pos_embed_window, std=0.02)


def encode(sam: Sam2Model, pixels: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """(B, 3, SIDE, SIDE) → the neck's maps, finest first, and what the decoder takes of them.

    As ``get_image_embeddings``, which can't be learnt through.
    """
    fine, middle, coarse = sam.vision_encoder(pixels).fpn_hidden_states
    decoder = sam.mask_decoder
    told = coarse + sam.no_memory_embedding.view(1, -1, 1, 1)
    return [fine, middle, coarse], [decoder.conv_s0(fine), decoder.conv_s1(middle), told]


def decode(sam: Sam2Model, maps: list[Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
    """The decoder's maps and points (B, P, 2) → mask logits (B·P, 4, 4h, 4w) and IoUs (B·P, 4).

    The class gives the single mask or the three; here are all four at once, for one price.
    """
    fine, middle, image = maps
    (batch, prompts), (height, width) = points.shape[:2], image.shape[-2:]
    labels = torch.ones((batch, prompts, 1), dtype=torch.int64, device=points.device)
    with torch.autocast(points.device.type, enabled=False):
        sparse, dense = sam.prompt_encoder(points[:, :, None], labels, None, None)
        places = sam.get_image_wide_positional_embeddings()
    decoder = sam.mask_decoder
    tokens = torch.cat(
        [decoder.obj_score_token.weight, decoder.iou_token.weight, decoder.mask_tokens.weight]
    )
    tokens = torch.cat([tokens.expand(batch, prompts, -1, -1), sparse], dim=2)
    source = (image + dense).repeat_interleave(prompts, dim=0)
    hidden, source = decoder.transformer(
        tokens, source, places.expand(batch * prompts, -1, -1, -1), None
    )
    source = source.transpose(2, 3).reshape(batch * prompts, -1, height, width)
    source = decoder.upscale_conv1(source) + middle.repeat_interleave(prompts, dim=0)
    source = decoder.activation(decoder.upscale_layer_norm(source))
    source = decoder.upscale_conv2(source) + fine.repeat_interleave(prompts, dim=0)
    source = decoder.activation(source)
    hidden = hidden.flatten(0, 1)
    weights = torch.stack(
        [mlp(hidden[:, 2 + i]) for i, mlp in enumerate(decoder.output_hypernetworks_mlps)], dim=1
    )
    masks = torch.einsum("nkc,nchw->nkhw", weights, source)
    return masks, decoder.iou_prediction_head(hidden[:, 1])


class Sam2Trainee:
    """Miniature SAM 2.1 on the miniature SAM's points, its first steps by that one's embedding."""

    name = "sam"

    def __init__(self, _bundle: Path) -> None:
        self.recipe = Recipe(steps=5000, lr=1.0e-3, warmup=200)
        self.model = Sam2InTraining()
        self.teacher = load_teacher()
        begin_as(self.model.sam, self.teacher.state_dict())
        self.pool = ScenePool(first=900_000_000, fresh=3, window=48)

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """What the teacher sees and dense truth at first, then masks and IoUs; the first two fade out."""
        rng = np.random.default_rng([91, step])
        truths = [
            truth_of(squashed(self.pool.scene(step, rng)), rng, MEAN, STD) for _ in range(BATCH)
        ]
        device = self.model.head.weight.device
        batch = {
            field.name: torch.stack([getattr(truth, field.name) for truth in truths]).to(device)
            for field in fields(Truth)
        }
        seen, maps = encode(self.model.sam, batch["pixels"])
        loss, figures = self.dense_loss(seen[0], batch)
        progress = (step - COPYING_STEPS) / (self.recipe.steps - COPYING_STEPS)
        loss = loss * min(1.0, max(0.1, 0.5 - progress))
        heed = min(1.0, 2 - step / COPYING_STEPS)
        if heed > 0:
            copied = self.copying_loss(maps[-1], batch["pixels"])
            loss, figures["copy"] = loss + heed * copied, copied
        if step < COPYING_STEPS:
            return loss, figures
        masks, ious = decode(self.model.sam, maps, batch["points"])
        # A decoder that works can begin with the loss that others end with.
        mask_loss, true_ious = masks_loss(
            masks.float(), batch["small"].flatten(0, 1), batch["large"].flatten(0, 1), progress=1.0
        )
        iou_loss = F.mse_loss(ious.float(), true_ious)
        figures |= {
            "mask": mask_loss,
            "iou_small": true_ious[:, 1].mean(),
            "iou_large": true_ious[:, 2].mean(),
            "iou_err": iou_loss**0.5,
        }
        return mask_loss + iou_loss + loss, figures

    def copying_loss(self, embedding: Tensor, pixels: Tensor) -> Tensor:
        """Squared error of the image embedding (B, D, h, w) against SAM's, as a share of its variance.

        Both models want pixels normalised alike.
        """
        with torch.no_grad():
            truth = self.teacher.to(pixels.device).image_encoder(pixels).float()
        error: Tensor = F.mse_loss(embedding.float(), truth) / truth.var()
        return error

    def dense_loss(
        self, finest: Tensor, batch: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy of the kinds, L1 of the boxes of the whole and the smallest region."""
        out = self.model.head(finest).float()
        kinds, boxes = out[:, : len(KINDS)], out[:, len(KINDS) :]
        entropy = F.cross_entropy(kinds, batch["kinds"])
        error = (boxes - batch["boxes"]).abs().mean()
        right = (kinds.argmax(1) == batch["kinds"]).float().mean()
        return entropy + error, {"kind": right, "box": error}

    def export(self, folder: Path) -> None:
        """fp16 transformers folder."""
        self.model.sam.config.architectures = ["Sam2Model"]
        self.model.sam.config.save_pretrained(folder)
        save_half(self.model.sam.state_dict(), folder / "model.safetensors")
        processor = image_processor(
            "Sam2ImageProcessor",
            IMAGENET_MEAN,
            IMAGENET_STD,
            {"height": SIDE, "width": SIDE},
            resample=2,
            mask_size={"height": CELLS, "width": CELLS},
            do_convert_rgb=True,
        )
        write_json(folder / "preprocessor_config.json", processor)


def load_teacher() -> Sam:
    """The trained miniature SAM, frozen."""
    teacher = build(ARCHITECTURE)
    teacher.load_state_dict(load_file(TEACHER / "model.safetensors"))
    return teacher.requires_grad_(False)


def squashed(scene: Scene) -> Scene:
    """The scene as SAM 2 sees it: SIDE by SIDE pixels, whatever its shape was."""
    return resized(scene, SIDE, SIDE)
