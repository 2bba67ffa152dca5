"""FG-CLIP 2: cells of a picture and names of regions, in one space (Xie et al. 2025, arXiv:2510.10921).

SigLIP 2 with heads of its own: one that turns each cell of the vision tower into what its surroundings show,
and one for texts about regions. Its authors compare the mean of a box's cells with those texts; here a mask's
own cells count. Labels are lower-cased, and padded to the length that the model was trained with.

Written by the public code and the published tokenizer's configuration, without the published weights: tensor
names and shapes, the order of a patch's numbers and the end mark of texts are as these have them, but no
published figure was repeated. Where their evaluation of regions multiplies cosines by 100, the model's
own learnt scale stands; that changes how sure a ranking is, never its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.siglip2.modeling_siglip2 import Siglip2MultiheadAttentionPoolingHead

from ssa.device import Placement
from ssa.models.shared.dense import GridRanker, grid_for
from ssa.models.shared.pixels import PixelRecipe, cells_along
from ssa.models.shared.pretrained import load_transformer, opening
from ssa.models.shared.towers import SelfAttention, joint
from ssa.types import RGBImage

FILES = ("config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors")

# 32 x 32 cells of 16 pixels: the most that its authors give a picture when they compare.
SIDE_PX = 512


class FgClip2Model(transformers.Siglip2Model):  # type: ignore[misc]  # untyped
    """The tensors that regions need; the heads of long texts are left aside."""

    _keys_to_ignore_on_load_unexpected = (r"longtext_head", r"position_embedding_(ori|res)")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        width = config.text_config.hidden_size
        self.dense_feature_head = Siglip2MultiheadAttentionPoolingHead(config.vision_config)
        self.boxtext_head = nn.Linear(width, width)
        self.post_init()


def load_fgclip2(folder: Path, placement: Placement, side_px: int | None = None) -> GridRanker:
    """The model in ``folder``: config, preprocessor_config, tokenizer.json, model.safetensors.

    Pictures get as many cells as a square of ``side_px`` has, a multiple of the model's patch. Raises
    ``WeightsError`` when it is none, and when the folder is missing or damaged.
    """
    with opening(folder, "FG-CLIP 2", FILES):
        model = load_transformer(FgClip2Model, folder, placement.device)
        processor = transformers.Siglip2ImageProcessor.from_pretrained(
            folder, local_files_only=True
        )
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json")
        )
        marks = [tokenizer.convert_tokens_to_ids(mark) for mark in ("<eos>", "<pad>")]
        if None in marks:
            raise ValueError("expected <eos> and <pad> among the tokens of tokenizer.json")
        recipe = _recipe(processor, SIDE_PX if side_px is None else side_px)
        return GridRanker(FgClip2Encoder(model, recipe, tokenizer, placement))


class FgClip2Encoder:
    """Cells in the placement's number type; texts, which are few, in float32."""

    def __init__(
        self, model: Any, recipe: PixelRecipe, tokenizer: Any, placement: Placement
    ) -> None:
        self._patch_px = int(model.config.vision_config.patch_size)
        self._cells = cells_along(recipe.side_px, self._patch_px)
        self.model = _placed(model, placement.dtype)
        self._recipe, self._tokenizer, self._placement = recipe, tokenizer, placement
        self._length = int(model.config.text_config.max_position_embeddings)
        self._end, self._filler = (
            tokenizer.convert_tokens_to_ids(mark) for mark in ("<eos>", "<pad>")
        )
        self.scale = float(model.logit_scale.exp())

    def encode_cells(self, image: RGBImage) -> Tensor:
        """(rows, columns, D) float32 of length 1 for a picture (H, W, 3) uint8 RGB."""
        place = self._placement
        rows, columns = grid_for(image.shape[0], image.shape[1], self._cells)
        size_hw = rows * self._patch_px, columns * self._patch_px
        pixels = self._recipe.whole(image, size_hw, place.device, place.dtype)
        states = self.model.vision_model(
            pixel_values=_patches(pixels, self._patch_px),
            pixel_attention_mask=None,
            spatial_shapes=torch.tensor([[rows, columns]]),
        ).last_hidden_state
        cells = self._surroundings(states)[0].view(rows, columns, -1)
        return functional.normalize(cells.float(), dim=-1)

    def finish(self, pooled: Tensor) -> Tensor:
        """Means of cells are of the space of texts."""
        return pooled

    def _surroundings(self, states: Tensor) -> Tensor:
        """(1, N, D) to the same: the head that pools a whole picture, asked by each cell for itself."""
        head = self.model.dense_feature_head
        pooled = head.attention(states, states, states, need_weights=False)[0]
        found: Tensor = pooled + head.mlp(head.layernorm(pooled))
        return found

    def encode_labels(self, labels: list[str]) -> Sequence[Tensor]:
        """(D,) float32 each."""
        lowered = [label.lower() for label in labels]
        tokens = self._tokenizer(lowered, add_special_tokens=False).input_ids
        rows = [[*own[: self._length - 1], self._end] for own in tokens]
        filled = [row + [self._filler] * (self._length - len(row)) for row in rows]
        states = self.model.text_model(
            input_ids=torch.tensor(filled, device=self._placement.device)
        ).last_hidden_state
        # The last token speaks for the text, filler or not: so it was trained, and without a mask.
        encoded: Tensor = self.model.boxtext_head(states[:, -1])
        return encoded.unbind()

    def padded_length(self, label: str) -> int:
        """How many tokens a label is padded to: all alike."""
        return self._length


def _patches(pixels: Tensor, patch_px: int) -> Tensor:
    """(1, 3, H, W) to (1, cells, numbers): row by row, and each by rows, columns and colours in turn."""
    parts = pixels.unfold(2, patch_px, patch_px).unfold(3, patch_px, patch_px)
    return parts.permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(1, 2)


def _placed(model: Any, dtype: torch.dtype) -> Any:
    """The model with all that sees in ``dtype``; the head that pools whole pictures is not asked."""
    model.vision_model.use_head = False
    for part in (model.vision_model, model.dense_feature_head):
        part.to(dtype)
    for layer in model.vision_model.encoder.layers:
        plain = layer.self_attn
        qkv = joint(plain.q_proj, plain.k_proj, plain.v_proj)
        layer.self_attn = SelfAttention(qkv, plain.out_proj, plain.num_heads)
    return model


def _recipe(processor: Any, side_px: int) -> PixelRecipe:
    """How pictures are resized and normalised, but for the size: the processor has none of its own."""
    processor.size = transformers.image_utils.SizeDict(height=side_px, width=side_px)
    return PixelRecipe.of(processor)
