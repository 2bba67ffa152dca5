"""BLIP: what a crop shows, in a few words (Li et al. 2022, arXiv:2201.12086)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from ssa.device import Placement
from ssa.pretrained import TRANSFORMER_FILES, load_transformer, opening
from ssa.types import RGBImage


class BlipCaptioner:
    """Captions crops, all of a batch at once, taking the likeliest word at each step."""

    def __init__(
        self,
        model: Any,
        image_processor: Any,
        tokenizer: Any,
        placement: Placement,
        max_new_tokens: int,
    ) -> None:
        self._model = model
        self._image_processor = image_processor
        self._tokenizer = tokenizer
        self._placement = placement
        self._max_new_tokens = max_new_tokens

    @classmethod
    def load(cls, folder: Path, placement: Placement, max_new_tokens: int) -> BlipCaptioner:
        """The model in ``folder``: config, preprocessor_config, tokenizer files, model.safetensors.

        Raises ``WeightsError`` when the folder is missing or damaged.
        """
        with opening(folder, "captions", TRANSFORMER_FILES):
            return cls(
                load_transformer(transformers.BlipForConditionalGeneration, folder, placement),
                transformers.BlipImageProcessor.from_pretrained(folder, local_files_only=True),
                transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True),
                placement,
                max_new_tokens,
            )

    @torch.inference_mode()
    def caption(self, crops: Sequence[RGBImage]) -> list[str]:
        """One caption a crop, perhaps empty; crops are (h, w, 3) uint8 RGB of any sizes."""
        if not crops:
            return []
        inputs = self._image_processor(
            # Never guessed: a crop 1 or 3 pixels high looks like channels first.
            images=list(crops),
            input_data_format="channels_last",
            return_tensors="pt",
        )
        tokens = self._model.generate(
            pixel_values=inputs["pixel_values"].to(self._placement.device, self._placement.dtype),
            max_new_tokens=self._max_new_tokens,
            do_sample=False,
            num_beams=1,
        )
        # The first token is the start mark; not every published vocabulary knows it as special.
        captions = self._tokenizer.batch_decode(tokens[:, 1:], skip_special_tokens=True)
        return [caption.strip() for caption in captions]
