"""Trains the miniature BLIP: a caption for each crop."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import open_clip
import torch
from torch import Tensor
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration

from toyworld.captions import caption
from toyworld.tokenizer import write_bert_tokenizer
from toyworld.train.clip import MEAN, STD
from toyworld.train.crops import normalised, sample_crops
from toyworld.train.export import image_processor, save_half, write_json
from toyworld.train.loop import Recipe
from toyworld.train.pool import ScenePool

SIDE, BATCH, LENGTH = 64, 96, 16


def bert_tokenizer() -> BertTokenizer:
    """The word-piece tokenizer as the exported folder will give it."""
    with tempfile.TemporaryDirectory() as folder:
        write_bert_tokenizer(Path(folder))
        return BertTokenizer.from_pretrained(folder)


def configuration(tokenizer: BertTokenizer) -> BlipConfig:
    """A BLIP of 4 + 2 layers, 96 wide."""
    ids = {
        "bos_token_id": tokenizer.convert_tokens_to_ids("[DEC]"),
        "sep_token_id": tokenizer.convert_tokens_to_ids("[SEP]"),
        "eos_token_id": tokenizer.convert_tokens_to_ids("[SEP]"),
        "pad_token_id": tokenizer.convert_tokens_to_ids("[PAD]"),
    }
    width = {"hidden_size": 96, "num_attention_heads": 4}
    text = {
        **width, **ids, "vocab_size": len(tokenizer), "intermediate_size": 256,
        "encoder_hidden_size": 96, "num_hidden_layers": 2, "max_position_embeddings": 64,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "label_smoothing": 0.0,
    }  # fmt: skip
    vision = {
        **width, "image_size": SIDE, "patch_size": 8, "num_hidden_layers": 4,
        "intermediate_size": 256, "initializer_range": 0.02,
    }  # fmt: skip
    return BlipConfig(
        text_config=text, vision_config=vision, projection_dim=64, image_text_hidden_size=64
    )


class BlipTrainee:
    """Miniature BLIP by teacher forcing on the world's captions."""

    name = "captions"

    def __init__(self, _bundle: Path) -> None:
        self.recipe = Recipe(steps=2500, lr=1.2e-3, warmup=100)
        self.tokenizer = bert_tokenizer()
        self.model = BlipForConditionalGeneration(configuration(self.tokenizer))
        self.pool = ScenePool(first=400_000_000, fresh=4, window=64)

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy of the next word."""
        rng = np.random.default_rng([41, step])
        crops = sample_crops(self.pool, step, BATCH, float(rng.uniform(1.5, 1.7)), rng)
        pixels = torch.from_numpy(normalised([c.pixels(SIDE) for c in crops], MEAN, STD))
        ids, attended = self.tokenized([caption(c.scene, c.region, rng) for c in crops])
        device = next(self.model.parameters()).device
        ids, attended = ids.to(device), attended.to(device)
        seen = self.model.vision_model(pixel_values=pixels.to(device)).last_hidden_state
        logits = self.model.text_decoder(
            input_ids=ids, attention_mask=attended, encoder_hidden_states=seen
        ).logits[:, :-1]
        target = ids[:, 1:].masked_fill(~attended[:, 1:].bool(), -100)
        loss = torch.nn.functional.cross_entropy(logits.float().transpose(1, 2), target)
        known = target != -100
        right = (logits.argmax(-1) == target)[known].float().mean()
        return loss, {"loss": loss, "words": right}

    def tokenized(self, captions: list[str]) -> tuple[Tensor, Tensor]:
        """Ids and attention (N, L): "[DEC] words [SEP]", padded."""
        out = self.tokenizer(captions, padding="longest", truncation=True, max_length=LENGTH + 2)
        ids = torch.tensor(out["input_ids"])
        ids[:, 0] = self.tokenizer.convert_tokens_to_ids("[DEC]")
        return ids, torch.tensor(out["attention_mask"])

    def export(self, folder: Path) -> None:
        """fp16 transformers folder."""
        self.model.config.save_pretrained(folder)
        save_half(self.model.state_dict(), folder / "model.safetensors")
        write_bert_tokenizer(folder)
        processor = image_processor(
            "BlipImageProcessor",
            open_clip.OPENAI_DATASET_MEAN,
            open_clip.OPENAI_DATASET_STD,
            {"height": SIDE, "width": SIDE},
            resample=3,
            processor_class="BlipProcessor",
            do_convert_rgb=True,
        )
        write_json(folder / "preprocessor_config.json", processor)
