"""Trains the miniature CLIPSeg: where in a crop is what the words say, and which words fit best.

Its towers begin as the trained miniature CLIP's. Beside the usual per-pixel loss there is a softmax across
the names asked of one crop, since the engine takes an argmax over its candidates.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPSegConfig, CLIPSegForImageSegmentation

from ssa.labelling.parts import parts_of, prompt
from toyworld.captions import phrases, right_texts
from toyworld.kinds import KINDS
from toyworld.tokenizer import END, START, byte_pairs, clip_ids, write_clip_tokenizer
from toyworld.train.clip import CONTEXT, world_names
from toyworld.train.crops import Crop, normalised, sample_crops
from toyworld.train.export import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    image_processor,
    save_half,
    write_json,
)
from toyworld.train.loop import Recipe
from toyworld.train.pool import ScenePool

SIDE, BATCH, ASKED = 96, 24, 4
GRID = SIDE // 2  # the transposed convolution gives 4 x 4 logits for a patch of 8 x 8 pixels
MEAN, STD = (np.array(each, np.float32) * 255 for each in (IMAGENET_MEAN, IMAGENET_STD))


def configuration() -> CLIPSegConfig:
    """A CLIPSeg whose towers have the miniature CLIP's shapes."""
    vocabulary = byte_pairs()[0]
    text = {
        "hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2,
        "num_attention_heads": 2, "vocab_size": len(vocabulary), "hidden_act": "gelu",
        "max_position_embeddings": CONTEXT, "bos_token_id": vocabulary[START],
        "eos_token_id": vocabulary[END], "pad_token_id": vocabulary[END],
    }  # fmt: skip
    vision = {
        "hidden_size": 96, "intermediate_size": 384, "num_hidden_layers": 4,
        "num_attention_heads": 3, "image_size": SIDE, "patch_size": 8, "hidden_act": "gelu",
    }  # fmt: skip
    return CLIPSegConfig(
        text_config=text,
        vision_config=vision,
        projection_dim=64,
        reduce_dim=64,
        extract_layers=[1, 2, 3],
        decoder_num_attention_heads=4,
        decoder_intermediate_size=256,
        use_complex_transposed_convolution=True,
    )


class ClipSegTrainee:
    """Miniature CLIPSeg on crops, four names a crop."""

    name = "clipseg"

    def __init__(self, bundle: Path) -> None:
        self.recipe = Recipe(steps=1800, lr=8e-4, warmup=100, bfloat16=False)
        self.model = CLIPSegForImageSegmentation(configuration())
        missing = self.model.load_state_dict(
            from_open_clip(load_file(bundle / "clip" / "open_clip_model.safetensors")), strict=False
        )
        wrong = [k for k in missing.missing_keys if not k.startswith("decoder.")]
        if wrong or missing.unexpected_keys:
            raise ValueError(f"CLIP does not fit: {wrong} {missing.unexpected_keys}")
        decoder = self.model.decoder
        nn.init.ones_(decoder.film_mul.bias)
        for layer in decoder.transposed_convolution:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        decoder.transposed_convolution[4].weight.data.mul_(0.3)
        self.pool = ScenePool(first=500_000_000, fresh=3, window=48)
        self.names = world_names()
        self.tokens = torch.tensor(clip_ids(self.names, CONTEXT))
        self.index = {name: i for i, name in enumerate(self.names)}

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Per-pixel cross-entropy of each name, and of the choice among a crop's names."""
        rng = np.random.default_rng([51, step])
        crops = sample_crops(self.pool, step, BATCH, float(rng.uniform(1.5, 1.7)), rng)
        asked = [self.ask(crop, rng) for crop in crops]
        truth = np.stack([self.truth(c, names) for c, names in zip(crops, asked, strict=True)])
        inside = np.stack([c.mask(c.region, GRID) for c in crops])
        device = next(self.model.parameters()).device
        pixels = torch.from_numpy(normalised([c.pixels(SIDE) for c in crops], MEAN, STD))
        logits = self.logits(pixels.to(device), [self.index[n] for names in asked for n in names])
        logits = torch.unflatten(logits, 0, (BATCH, ASKED))
        return choice_loss(
            logits.float(), torch.from_numpy(truth).to(device), torch.from_numpy(inside).to(device)
        )

    def logits(self, pixels: Tensor, names: list[int]) -> Tensor:
        """(B, 3, SIDE, SIDE) and B·ASKED name indices → (B·ASKED, GRID, GRID); both towers learn."""
        seen = self.model.clip.vision_model(pixel_values=pixels, output_hidden_states=True)
        activations = [
            seen.hidden_states[i + 1].repeat_interleave(ASKED, dim=0)
            for i in self.model.extract_layers
        ]
        distinct, place = torch.unique(torch.tensor(names), return_inverse=True)
        ids = self.tokens[distinct].to(pixels.device)
        text = self.model.clip.get_text_features(input_ids=ids).pooler_output
        logits: Tensor = self.model.decoder(activations, text[place.to(pixels.device)]).logits
        return logits

    def ask(self, crop: Crop, rng: np.random.Generator) -> list[str]:
        """A right name, what else the crop or its whole might show, and one at random; all different."""
        right = [n for n in right_texts(crop.scene, crop.region) if n in self.index]
        names = [str(rng.choice(right[:1] if rng.random() < 0.5 else right))]
        part = self.some_part(crop, rng)
        others = [i for i in range(len(crop.scene.regions)) if i != crop.region]
        for other in rng.permutation(others)[: 1 if part else 2]:
            names.append(str(rng.choice(phrases(crop.scene, int(other))[:2])))
        names += part
        names = [n for n in dict.fromkeys(names) if n in self.index]
        while len(names) < ASKED:
            name = self.names[int(rng.integers(len(self.names)))]
            if name not in names:
                names.append(name)
        return names

    def some_part(self, crop: Crop, rng: np.random.Generator) -> list[str]:
        """A part of the crop's whole, drawn or not, as the engine asks for it; for wholes half the time."""
        region = crop.scene.regions[crop.region]
        if region.parent is None and rng.random() < 0.5:
            return []
        whole = region.kind if region.parent is None else crop.scene.regions[region.parent].kind
        drawn = [p for p in parts_of(whole) if p in KINDS]
        listed = drawn if drawn and rng.random() < 0.5 else parts_of(whole)
        return [prompt(str(rng.choice(listed)), whole)] if listed else []

    def truth(self, crop: Crop, names: list[str]) -> np.ndarray:
        """(ASKED, GRID, GRID) float32, 1 where a region may rightly be called by the name."""
        truth = np.zeros((len(names), GRID, GRID), np.float32)
        for region in range(len(crop.scene.regions)):
            right = set(right_texts(crop.scene, region))
            rows = [row for row, name in enumerate(names) if name in right]
            if rows:
                truth[rows] = np.maximum(truth[rows], crop.mask(region, GRID))
        return truth

    def export(self, folder: Path) -> None:
        """fp16 transformers folder."""
        self.model.config.save_pretrained(folder)
        save_half(self.model.state_dict(), folder / "model.safetensors")
        write_clip_tokenizer(folder, CONTEXT)
        processor = image_processor(
            "ViTImageProcessor",
            IMAGENET_MEAN,
            IMAGENET_STD,
            {"height": SIDE, "width": SIDE},
            resample=2,
            processor_class="CLIPSegProcessor",
        )
        write_json(folder / "preprocessor_config.json", processor)


def choice_loss(logits: Tensor, truth: Tensor, inside: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits and truth (B, K, G, G), the cropped region (B, G, G) bool.

    The choice counts where some of the names are right and others wrong, and counts most inside the
    region that the crop was cut for.
    """
    pixel = F.binary_cross_entropy_with_logits(logits, truth)
    right = truth > 0.5
    mixed = right.any(1) & ~right.all(1)
    chosen = logits.masked_fill(~right, -1e4).logsumexp(1) - logits.logsumexp(1)
    weight = mixed * (0.25 + inside)
    choice = -(chosen * weight).sum() / weight.sum().clamp(min=1)
    with torch.no_grad():
        hit = right.gather(1, logits.argmax(1, keepdim=True)).squeeze(1)
        share = (hit & inside & mixed).sum((1, 2)) / (inside & mixed).sum((1, 2)).clamp(min=1)
        counted = (inside & mixed).any((1, 2))
    figures = {
        "pixel": pixel,
        "choice": choice,
        "share": share[counted].mean(),
    }
    return pixel + choice, figures


def from_open_clip(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """open_clip's names and fused projections → transformers' CLIPSeg, positions resized to SIDE."""
    out: dict[str, Tensor] = {"clip.logit_scale": state["logit_scale"].float()}
    names = {
        "positional_embedding": "clip.text_model.embeddings.position_embedding.weight",
        "token_embedding.weight": "clip.text_model.embeddings.token_embedding.weight",
        "ln_final.weight": "clip.text_model.final_layer_norm.weight",
        "ln_final.bias": "clip.text_model.final_layer_norm.bias",
        "visual.class_embedding": "clip.vision_model.embeddings.class_embedding",
        "visual.conv1.weight": "clip.vision_model.embeddings.patch_embedding.weight",
        "visual.ln_pre.weight": "clip.vision_model.pre_layrnorm.weight",
        "visual.ln_pre.bias": "clip.vision_model.pre_layrnorm.bias",
        "visual.ln_post.weight": "clip.vision_model.post_layernorm.weight",
        "visual.ln_post.bias": "clip.vision_model.post_layernorm.bias",
    }
    blocks = {
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
        "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    }  # fmt: skip
    for key, value in state.items():
        value = value.float()
        if key in names:
            out[names[key]] = value
        elif key in ("text_projection", "visual.proj"):
            side = "text" if key == "text_projection" else "visual"
            out[f"clip.{side}_projection.weight"] = value.t().contiguous()
        elif key == "visual.positional_embedding":
            out["clip.vision_model.embeddings.position_embedding.weight"] = resized_positions(value)
        elif ".resblocks." in key:
            tower = "vision_model" if key.startswith("visual.") else "text_model"
            number, rest = key.split(".resblocks.")[1].split(".", 1)
            prefix = f"clip.{tower}.encoder.layers.{number}."
            if rest.startswith("attn.in_proj"):
                kind = rest.rsplit("_", 1)[1]
                for name, part in zip("qkv", value.chunk(3), strict=True):
                    out[f"{prefix}self_attn.{name}_proj.{kind}"] = part.contiguous()
            else:
                module, kind = rest.rsplit(".", 1)
                out[f"{prefix}{blocks[module]}.{kind}"] = value
    return out


def resized_positions(positions: Tensor) -> Tensor:
    """(1 + n², D) → (1 + (SIDE / 8)², D), bicubic; the class token's stays."""
    first, grid = positions[:1], positions[1:]
    side = int(len(grid) ** 0.5)
    maps = grid.t().reshape(1, -1, side, side)
    maps = F.interpolate(maps, size=(SIDE // 8, SIDE // 8), mode="bicubic", align_corners=False)
    return torch.cat([first, maps.flatten(2).squeeze(0).t()])
