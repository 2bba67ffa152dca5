"""Captions of crops: pixels, vision tower, words."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import transformers

from ssa.device import Placement, memory_errors_told
from ssa.models.blip.decoding import GreedyDecoder
from ssa.models.shared.pixels import PixelRecipe
from ssa.models.shared.pretrained import TRANSFORMER_FILES, fed_float32, load_transformer, opening
from ssa.models.shared.towers import SelfAttention, in_place
from ssa.types import RGBImage


class BlipCaptioner:
    """Captions crops, all of a batch at once, taking the likeliest word at each step.

    Everything computes in the placement's number type but for the words' scores, which are float32: close
    ones would come out equal.
    """

    def __init__(
        self,
        model: Any,
        spec: PixelRecipe,
        tokenizer: Any,
        placement: Placement,
        max_new_tokens: int,
    ) -> None:
        _place(model, placement.dtype)
        self._vision = model.vision_model
        self._decoder = GreedyDecoder(model.text_decoder, max_new_tokens, in_bulk=placement.in_bulk)
        self._spec = spec
        self._tokenizer = tokenizer
        self._placement = placement

    @classmethod
    def load(cls, folder: Path, placement: Placement, max_new_tokens: int) -> BlipCaptioner:
        """The model in ``folder``: config, preprocessor_config, tokenizer files, model.safetensors.

        Raises ``WeightsError`` when the folder is missing or damaged.
        """
        blip = transformers.BlipForConditionalGeneration
        with opening(folder, "captions", TRANSFORMER_FILES):
            model = load_transformer(blip, folder, placement.device)
            processor = transformers.BlipImageProcessor.from_pretrained(
                folder, local_files_only=True
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            spec = PixelRecipe.of(processor)
        return cls(model, spec, tokenizer, placement, max_new_tokens)

    @memory_errors_told
    @torch.inference_mode()
    def caption(self, crops: Sequence[RGBImage]) -> list[str]:
        """One caption a crop, perhaps empty; crops are (h, w, 3) uint8 RGB of any sizes."""
        if not crops:
            return []
        place = self._placement
        pixels = self._spec.batch(crops, place.device, place.dtype, in_bulk=place.in_bulk)
        tokens = self._decoder(self._vision(pixel_values=pixels).last_hidden_state)
        captions = self._tokenizer.batch_decode(tokens.tolist(), skip_special_tokens=True)
        return [caption.strip() for caption in captions]


def _place(model: Any, dtype: torch.dtype) -> None:
    """Put the model into ``dtype``, with float32 scores of words and a quicker vision tower."""
    scores = deepcopy(model.text_decoder.cls)  # Its weights may be the word embeddings' own.
    model.to(dtype)
    fed_float32(scores)
    model.text_decoder.cls = scores
    for layer in model.vision_model.encoder.layers:
        plain = layer.self_attn
        layer.self_attn = SelfAttention(plain.qkv, plain.projection, plain.num_heads)
        layer.mlp.activation_fn = in_place(layer.mlp.activation_fn)
