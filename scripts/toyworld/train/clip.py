"""Trains the miniature CLIP: each crop against every name in the drawn world at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import open_clip
import torch
from torch import Tensor

from ssa.labelling.labels import LABEL_SETS, load_labels
from toyworld.captions import right_texts
from toyworld.kinds import KINDS, class_id, part_prompts
from toyworld.tokenizer import byte_pairs, clip_ids, write_clip_tokenizer
from toyworld.train.crops import normalised, sample_crops
from toyworld.train.export import save_half, write_json
from toyworld.train.loop import Recipe
from toyworld.train.pool import ScenePool

SIDE, CONTEXT, BATCH = 64, 16, 128
MEAN = np.array(open_clip.OPENAI_DATASET_MEAN, np.float32) * 255
STD = np.array(open_clip.OPENAI_DATASET_STD, np.float32) * 255


def configuration() -> dict[str, object]:
    """open_clip's model configuration: 4 layers 96 wide, text 2 layers 64 wide."""
    return {
        "embed_dim": 64,
        "vision_cfg": {
            "image_size": SIDE, "patch_size": 8, "width": 96, "layers": 4, "head_width": 32,
        },
        "text_cfg": {
            "context_length": CONTEXT, "vocab_size": len(byte_pairs()[0]), "width": 64,
            "heads": 2, "layers": 2,
        },
    }  # fmt: skip


@cache
def world_names() -> tuple[str, ...]:
    """Every text that could be asked: kinds, coloured too, synonyms, both lists' classes, parts of wholes."""
    names: dict[str, None] = {}
    for kind in KINDS.values():
        for name in (kind.name, *kind.synonyms, *(f"{c} {kind.name}" for c in kind.colours)):
            names[name] = None
        if kind.role != "part":
            for source in LABEL_SETS:
                names[load_labels(source)[class_id(kind.name, source)]] = None
    # What a caption of a person also names; never the right name of a region.
    names |= dict.fromkeys(["shirt", *(f"{colour} shirt" for colour in KINDS["person"].colours)])
    return tuple(names | dict.fromkeys(part_prompts()))


class ClipTrainee:
    """Miniature CLIP by multi-positive InfoNCE over all the world's names."""

    name = "clip"

    def __init__(self, _bundle: Path) -> None:
        self.recipe = Recipe(steps=1200, lr=1.5e-3, warmup=80)
        self.model = open_clip.CLIP(**configuration())
        self.pool = ScenePool(first=300_000_000, fresh=4, window=64)
        self.tokens = torch.tensor(clip_ids(world_names(), CONTEXT))
        self.index = {name: i for i, name in enumerate(world_names())}

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Each right name of a crop against all wrong ones."""
        rng = np.random.default_rng([31, step])
        # The engine crops at 1.2; a little around it makes the model robust to loose masks.
        crops = sample_crops(self.pool, step, BATCH, float(rng.uniform(1.1, 1.35)), rng)
        pixels = torch.from_numpy(normalised([c.pixels(SIDE) for c in crops], MEAN, STD))
        positive = torch.zeros(BATCH, len(self.index), dtype=torch.bool)
        for row, crop in enumerate(crops):
            for name in right_texts(crop.scene, crop.region):
                if name in self.index:
                    positive[row, self.index[name]] = True
        device = self.model.logit_scale.device
        image, text, scale = self.model(pixels.to(device), self.tokens.to(device))
        logits = (scale * image @ text.t()).float()
        positive = positive.to(device)
        loss = multi_positive_loss(logits, positive)
        right = positive.gather(1, logits.argmax(1, keepdim=True)).float().mean()
        return loss, {"loss": loss, "right": right}

    def export(self, folder: Path) -> None:
        """fp16 open_clip folder (``local-dir:``) with its tokenizer."""
        save_half(self.model.state_dict(), folder / "open_clip_model.safetensors")
        config = configuration()
        config["text_cfg"]["hf_tokenizer_name"] = "."  # type: ignore[index]
        preprocess = {
            "mean": list(open_clip.OPENAI_DATASET_MEAN),
            "std": list(open_clip.OPENAI_DATASET_STD),
            "interpolation": "bicubic",
            "resize_mode": "squash",
        }
        write_json(
            folder / "open_clip_config.json", {"model_cfg": config, "preprocess_cfg": preprocess}
        )
        write_clip_tokenizer(folder, CONTEXT)


def multi_positive_loss(logits: Tensor, positive: Tensor) -> Tensor:
    """Mean over rows and their positives of -log p(positive among itself and the negatives)."""
    negatives = logits.masked_fill(positive, float("-inf")).logsumexp(1, keepdim=True)
    per_name = torch.logaddexp(negatives, logits) - logits
    return ((per_name * positive).sum(1) / positive.sum(1).clamp(min=1)).mean()
