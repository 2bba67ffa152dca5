"""TIPSv2: cells of a picture and texts in one space (Cao et al. 2026, arXiv:2604.12012).

In the last block a cell keeps to its own value, as its authors do for segmentation without training and
MaskCLIP did first (Zhou et al. 2022, arXiv:2112.01071): attention would mix it with the rest of the picture
just before it is compared. Pictures keep their shape, on a grid of as many cells as the square has that the
model was trained on. Labels are asked for as they are, without a sentence around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional

from ssa.device import Placement
from ssa.models.shared.dense import GridRanker, grid_for
from ssa.models.shared.pixels import PixelRecipe, cells_along
from ssa.models.shared.pretrained import load_transformer, opening
from ssa.models.shared.towers import SelfAttention, in_place, joint
from ssa.types import RGBImage

FILES = ("config.json", "model.safetensors")
TOKENIZERS = ("tokenizer.json", "tokenizer.model")

# Tokens of all but the longest labels: padding is masked, so fewer of it changes nothing but time.
SHORT_TEXT = 16


def load_tipsv2(folder: Path, placement: Placement, side_px: int | None = None) -> GridRanker:
    """The model in ``folder``: config, image processor's config, tokenizer, model.safetensors.

    Pictures get as many cells as a square of ``side_px`` has, a multiple of the model's patch; position
    embeddings are interpolated. Without, the image processor's size holds. Raises ``WeightsError``
    when it is no multiple, and when the folder is missing or damaged.
    """
    with opening(folder, "TIPSv2", FILES):
        # Without either, transformers makes a tokenizer that knows no word.
        if not any((folder / name).is_file() for name in TOKENIZERS):
            raise ValueError(f"expected a tokenizer, {' or '.join(TOKENIZERS)}; got neither")
        model = load_transformer(transformers.Tipsv2Model, folder, placement.device)
        processor = transformers.Tipsv2ImageProcessor.from_pretrained(folder, local_files_only=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        recipe = _recipe(processor)
        return GridRanker(Tipsv2Encoder(model, recipe, tokenizer, placement, side_px))


class Tipsv2Encoder:
    """Cells in the placement's number type; texts, which are few, in float32."""

    def __init__(
        self,
        model: Any,
        recipe: PixelRecipe,
        tokenizer: Any,
        placement: Placement,
        side_px: int | None = None,
    ) -> None:
        self._patch_px = int(model.config.vision_config.patch_size)
        self._cells = cells_along(side_px or recipe.side_px, self._patch_px)
        self.model = _placed(model, placement.dtype)
        self._recipe, self._tokenizer, self._placement = recipe, tokenizer, placement
        self._skipped = 1 + int(model.config.vision_config.num_register_tokens)
        self.scale = 1 / float(model.temperature)

    def encode_cells(self, image: RGBImage) -> Tensor:
        """(rows, columns, D) float32 of length 1 for a picture (H, W, 3) uint8 RGB."""
        rows, columns = grid_for(image.shape[0], image.shape[1], self._cells)
        size_hw = rows * self._patch_px, columns * self._patch_px
        pixels = self._recipe.whole(image, size_hw, self._placement.device, self._placement.dtype)
        states = self.model.vision_model(pixel_values=pixels).last_hidden_state
        cells = states[0, self._skipped :].view(rows, columns, -1)
        return functional.normalize(cells.float(), dim=-1)

    def finish(self, pooled: Tensor) -> Tensor:
        """Means of cells are of the space of texts."""
        return pooled

    def encode_labels(self, labels: list[str]) -> Sequence[Tensor]:
        """(D,) float32 each, for labels of one padded length."""
        tokens = self._tokenizer(
            labels,
            padding="max_length",
            truncation=True,
            max_length=self.padded_length(labels[0]),
            return_tensors="pt",
        ).to(self._placement.device)
        encoded: Tensor = self.model.text_model(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        ).pooler_output
        return encoded.unbind()

    def padded_length(self, label: str) -> int:
        """How many tokens a label is padded to; were it the longest of a batch, others would have a say."""
        longest = int(self.model.config.text_config.max_position_embeddings)
        tokens = self._tokenizer(label, truncation=True, max_length=longest).input_ids
        return min(SHORT_TEXT, longest) if len(tokens) <= SHORT_TEXT else longest


class _OwnValue(nn.Module):
    """Self-attention in which each token attends to itself alone."""

    def __init__(self, value: nn.Module, projection: nn.Module) -> None:
        super().__init__()
        self.value, self.projection = value, projection

    def forward(self, hidden_states: Tensor, **_: Any) -> tuple[Tensor, None]:
        return self.projection(self.value(hidden_states)), None


def _placed(model: Any, dtype: torch.dtype) -> Any:
    """The model with its vision tower in ``dtype``, whose last block lets each cell keep to itself."""
    model.vision_model.to(dtype)
    layers = model.vision_model.encoder.layer
    for layer in layers[:-1]:
        plain = layer.attention
        if plain.q_proj.bias is not None:
            qkv = joint(plain.q_proj, plain.k_proj, plain.v_proj)
            layer.attention = SelfAttention(qkv, plain.o_proj, plain.num_attention_heads)
    last = layers[-1].attention
    layers[-1].attention = _OwnValue(last.v_proj, last.o_proj)
    for layer in layers:
        if hasattr(layer.mlp, "activation_fn"):
            layer.mlp.activation_fn = in_place(layer.mlp.activation_fn)
    return model


def _recipe(processor: Any) -> PixelRecipe:
    """How pictures are resized and normalised: by default colours from 0 to 1 stay as they are.

    Raises ``ValueError`` for a processor that does anything else.
    """
    if not processor.do_normalize:
        processor.do_normalize = True
        processor.image_mean, processor.image_std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return PixelRecipe.of(processor)
