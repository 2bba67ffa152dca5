"""Trains the miniature TIPSv2: what each place of a picture shows, in the words' own space, in one pass.

Its towers are as wide as each other, for the class has no projections. Features pooled under a true region
must lie nearest to that region's right names; each place alone must lie nearest to the kinds it is part of.
In the last block places keep to their own value, as they will when they are asked (``ssa.models.tipsv2``);
the picture's own token attends to all of them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Tipsv2Config, Tipsv2Model

from toyworld.captions import right_texts
from toyworld.kinds import class_names, part_prompts
from toyworld.scenes import Scene
from toyworld.tokenizer import sentence_pieces, tips_tokenizer
from toyworld.train.clip import multi_positive_loss, world_names
from toyworld.train.dense_truth import (
    KIND_NAMES,
    PATCH,
    SIDE,
    cover,
    kinds_at,
    pixels_of,
    some_regions,
)
from toyworld.train.export import image_processor, save_half, write_json
from toyworld.train.loop import Recipe
from toyworld.train.pool import ScenePool

WIDTH, BATCH = 96, 8
WIDE_EVERY = 6  # of so many steps one sees wide pictures
CONTEXT = 64  # tokens, as the published processor pads to
TEMPERATURE = 0.04  # held: shares then mean what the loss made of them
SOME = 200  # of the rarer names, so many a step
PROMPTS = ("{}", "{}", "{}", "a {}", "a photo of a {}")


def configuration() -> Tipsv2Config:
    """Five blocks for pictures, two for words, all 96 wide."""
    vision = {
        "hidden_size": WIDTH, "num_hidden_layers": 5, "num_attention_heads": 3,
        "image_size": SIDE, "patch_size": PATCH, "num_register_tokens": 1,
    }  # fmt: skip
    text = {
        "hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 3,
        "intermediate_size": 4 * WIDTH, "vocab_size": len(sentence_pieces()[0]),
        "max_position_embeddings": CONTEXT,
    }  # fmt: skip
    return Tipsv2Config(vision_config=vision, text_config=text, temperature_init_value=TEMPERATURE)


@cache
def all_names() -> tuple[str, ...]:
    """The world's names, and the classes of both lists that it has none of: wrong everywhere."""
    names = dict.fromkeys(world_names())
    return tuple(names | dict.fromkeys([*class_names("coco"), *class_names("ade20k")]))


class Tipsv2Trainee:
    """Miniature TIPSv2 by multi-positive InfoNCE of regions, places and whole pictures."""

    name = "clip"

    def __init__(self, _bundle: Path) -> None:
        self.recipe = Recipe(steps=3000, lr=1.2e-3, warmup=150)
        self.model = Tipsv2Model(configuration())
        prepare(self.model)
        self.square = ScenePool(first=1_000_000_000, fresh=3, window=48, heights=(256,))
        self.wide = ScenePool(first=1_100_000_000, fresh=1, window=48, heights=(192,))
        self.names = all_names()
        self.index = {name: i for i, name in enumerate(self.names)}
        self.kinds = torch.tensor([self.index[kind] for kind in KIND_NAMES])
        rare = set(part_prompts())
        self.common = [i for i, name in enumerate(self.names) if name not in rare]
        self.rare = [i for i, name in enumerate(self.names) if name in rare]
        tokenizer = tips_tokenizer()
        self.tokens = {
            prompt: tokenizer(
                [prompt.format(n) for n in self.names], padding=True, return_tensors="pt"
            )
            for prompt in dict.fromkeys(PROMPTS)
        }

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Regions against names, places and pictures against kinds."""
        rng = np.random.default_rng([101, step])
        of_one_shape = self.wide if step % WIDE_EVERY == 0 else self.square
        scenes = [of_one_shape.scene(step, rng) for _ in range(BATCH)]
        chosen = [some_regions(scene, rng) for scene in scenes]
        device = self.model.temperature.device
        pixels = torch.from_numpy(np.stack([pixels_of(scene) for scene in scenes]))
        features, picture = see(self.model, pixels.to(device))
        shares = torch.from_numpy(
            np.stack([cover(s, r) for s, r in zip(scenes, chosen, strict=True)])
        )
        pooled = pool(features, shares.to(device)).flatten(0, 1)
        positive = self.right(scenes, chosen).to(device)
        asked = self.asked(positive.cpu(), rng).to(device)
        words = self.say(asked, str(rng.choice(PROMPTS)))
        logits, right = similarity(pooled, words), positive[:, asked]
        region = multi_positive_loss(logits, right)
        kinds = words[torch.searchsorted(asked, self.kinds.to(device))]
        there = torch.from_numpy(np.stack([kinds_at(scene) for scene in scenes])).to(device)
        place = multi_positive_loss(similarity(features, kinds).flatten(0, 1), there.flatten(0, 1))
        whole = multi_positive_loss(similarity(picture, kinds), there.any(1))
        figures = {
            "region": region,
            "place": place,
            "picture": whole,
            "right": right.gather(1, logits.argmax(1, keepdim=True)).float().mean(),
        }
        return region + 0.5 * place + 0.1 * whole, figures

    def right(self, scenes: list[Scene], chosen: list[NDArray[np.int64]]) -> Tensor:
        """(B·R, names) bool: what each region may rightly be called."""
        rows = [(s, int(r)) for s, regions in zip(scenes, chosen, strict=True) for r in regions]
        positive = torch.zeros(len(rows), len(self.names), dtype=torch.bool)
        for row, (scene, region) in enumerate(rows):
            for name in right_texts(scene, region):
                if name in self.index:
                    positive[row, self.index[name]] = True
        return positive

    def asked(self, positive: Tensor, rng: np.random.Generator) -> Tensor:
        """Indices of the names that this step knows, rising: the common, the right and some rare ones."""
        some = rng.choice(self.rare, SOME, replace=False)
        right = positive.any(0).nonzero().flatten()
        known = [torch.tensor(self.common), torch.from_numpy(some), right]
        asked: Tensor = torch.unique(torch.cat(known))
        return asked

    def say(self, names: Tensor, prompt: str) -> Tensor:
        """(N,) indices → (N, WIDTH) embeddings."""
        ids, attended = (self.tokens[prompt][key] for key in ("input_ids", "attention_mask"))
        at, device = names.cpu(), names.device
        out = self.model.get_text_features(
            input_ids=ids[at].to(device), attention_mask=attended[at].to(device)
        )
        words: Tensor = out.pooler_output
        return words

    def export(self, folder: Path) -> None:
        """fp16 transformers folder with tokenizer and processor."""
        self.model.config.architectures = ["Tipsv2Model"]
        self.model.config.save_pretrained(folder)
        save_half(self.model.state_dict(), folder / "model.safetensors")
        tips_tokenizer().save_pretrained(folder)
        processor = image_processor(
            "Tipsv2ImageProcessor",
            (0.0, 0.0, 0.0),
            (1.0, 1.0, 1.0),
            {"height": SIDE, "width": SIDE},
            resample=2,
            processor_class="Tipsv2Processor",
            do_convert_rgb=True,
        )
        write_json(folder / "preprocessor_config.json", processor | {"do_normalize": False})


def prepare(model: Tipsv2Model) -> None:
    """Initial weights that suit narrow layers; the class's own are made for wide ones."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.xavier_normal_(module.weight)
    model.temperature.requires_grad_(False)


def see(model: Tipsv2Model, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, H, W) RGB, 0 to 1 → directions of patches (B, N, D), row by row, and features (B, D).

    Patches as ``ssa.models.tipsv2`` reads them, the whole as the class does.
    """
    tower = model.vision_model
    states = tower.embeddings(pixels)
    *layers, last = tower.encoder.layer
    for layer in layers:
        states = layer(states, None)
    attention, normed = last.attention, last.norm1(states)
    own = attention.o_proj(attention.v_proj(normed))
    patches = tower.layernorm(_onwards(last, states, own))[
        :, 1 + tower.embeddings.register_tokens.shape[1] :
    ]
    query, key, value = (
        project(tokens).unflatten(-1, (attention.num_attention_heads, -1)).transpose(1, 2)
        for project, tokens in (
            (attention.q_proj, normed[:, :1]),
            (attention.k_proj, normed),
            (attention.v_proj, normed),
        )
    )
    seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    whole = tower.layernorm(_onwards(last, states[:, :1], attention.o_proj(seen)))[:, 0]
    return F.normalize(patches.float(), dim=-1), whole


def _onwards(layer: Any, states: Tensor, attended: Tensor) -> Tensor:
    """A block's states from what its attention gave."""
    states = states + layer.layer_scale1(attended)
    onwards: Tensor = states + layer.layer_scale2(layer.mlp(layer.norm2(states)))
    return onwards


def pool(directions: Tensor, shares: Tensor) -> Tensor:
    """Directions (B, N, D) under regions that cover shares (B, R, N) of patches → their mean (B, R, D)."""
    weights = shares / shares.sum(-1, keepdim=True).clamp(min=1e-6)
    with torch.autocast(directions.device.type, enabled=False):
        return weights @ directions


def similarity(seen: Tensor, words: Tensor) -> Tensor:
    """(..., D) and (N, D) → cosines over the temperature (..., N), float32."""
    seen, words = (F.normalize(each.float(), dim=-1) for each in (seen, words))
    with torch.autocast(seen.device.type, enabled=False):
        return seen @ words.t() / TEMPERATURE
