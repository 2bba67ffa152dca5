"""SAM 3 asked by phrases: every instance of what a phrase names, by transformers' ``Sam3Model``.

One look at a picture serves any number of phrases, a phrase is read once for all pictures, and a few at a
time are looked for. Scores and masks are those of transformers' own ``post_process_instance_segmentation``.
The published repository holds a model of videos (``sam3_video``); of that, the detector is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.sam3.modeling_sam3 import Sam3VisionEncoderOutput

from ssa.batching import BatchLimit
from ssa.device import Placement, memory_errors_told
from ssa.masks.run_lengths import area, box_of, encode
from ssa.models.shared.pretrained import load_transformer, opening
from ssa.models.shared.text_cache import LabelCache
from ssa.models.shared.uploading import upload
from ssa.stages import Progress
from ssa.types import MaskProposal, RGBImage

FILES = ("config.json", "model.safetensors", "tokenizer_config.json")

# A phrase's states are 32 KB: so many, two vocabularies' worth, are 134 MB.
CACHED_PHRASES, TEXT_BATCH = 4096, 8

# A phrase is looked for on maps of 288 x 288 x 256 numbers, 85 MB each, and 200 masks are drawn of it.
PHRASES_AT_ONCE_ON_CPU, PHRASES_AT_ONCE = 2, 8

MASK_THRESHOLD = 0.5
"""A pixel belongs to an instance when this is less than its probability."""


class Sam3Phrases:
    """Finds instances of phrases; the picture's encoder computes in the placement's number type."""

    def __init__(self, model: Any, processor: Any, placement: Placement) -> None:
        self._model, self._processor, self._placement = model, processor, placement
        model.vision_encoder.to(placement.dtype)
        self._longest = int(model.config.text_config.max_position_embeddings)
        self._texts = LabelCache[tuple[Tensor, Tensor]](self._read, CACHED_PHRASES, TEXT_BATCH)
        self.phrases_at_once = PHRASES_AT_ONCE if placement.in_bulk else PHRASES_AT_ONCE_ON_CPU
        self._limit = BatchLimit("phrases")

    @classmethod
    def load(cls, folder: Path, placement: Placement) -> Sam3Phrases:
        """The model in ``folder``: config.json, model.safetensors, the processor's and the tokenizer's files.

        Raises ``WeightsError`` when the folder is damaged or lacks a parameter.
        """
        with opening(folder, "SAM 3", FILES):
            model = load_transformer(transformers.Sam3Model, folder, placement.device)
            processor = transformers.Sam3Processor.from_pretrained(folder, local_files_only=True)
        return cls(model, processor, placement)

    def find(
        self, image: RGBImage, phrases: Sequence[str], least_score: float, progress: Progress
    ) -> list[tuple[MaskProposal, ...]]:
        """The instances of each phrase in a picture ((H, W, 3) RGB uint8), best first; perhaps none.

        ``predicted_iou`` is an instance's score: that the phrase is there at all times that this is one of
        it, more than ``least_score``. Of a phrase of more than 32 tokens the rest is not read.
        """
        if not phrases:
            return []
        size_hw = (image.shape[0], image.shape[1])
        seen, texts = self._look(image), self._texts.get(phrases)

        def ask(batch: Sequence[tuple[Tensor, Tensor]]) -> list[tuple[MaskProposal, ...]]:
            return self._ask(seen, batch, size_hw, least_score)

        found: list[tuple[MaskProposal, ...]] = []
        for _, instances in self._limit.run(ask, texts, self.phrases_at_once):
            found += instances
            progress(len(found), len(phrases))
        return found

    @memory_errors_told
    @torch.inference_mode()
    def _look(self, image: RGBImage) -> tuple[list[Tensor], list[Tensor]]:
        """What the encoder sees of a picture: maps (1, C, h, w) float32, and their cells' places."""
        device = self._placement.device
        pixels = self._processor.image_processor(
            images=[upload(image, device)],
            input_data_format="channels_first",  # a picture 1 or 3 pixels wide looks like channels last
            return_tensors="pt",
            device=device,
        )["pixel_values"].to(self._placement.dtype)
        seen = self._model.get_vision_features(pixels)
        maps, places = seen.fpn_hidden_states, seen.fpn_position_encoding
        return [one.float() for one in maps], [one.float() for one in places]

    @torch.inference_mode()
    def _read(self, phrases: list[str]) -> list[tuple[Tensor, Tensor]]:
        """Of each phrase the states of its tokens (T, C), and which of these are its own (T,)."""
        tokens = self._processor.tokenizer(
            phrases,
            return_tensors="pt",
            padding="max_length",
            truncation=True,
            max_length=self._longest,
        ).to(self._placement.device)
        read = self._model.get_text_features(tokens.input_ids, tokens.attention_mask).pooler_output
        # Cloned, else each cached row would keep its whole batch alive.
        return [
            (one.clone(), own.clone()) for one, own in zip(read, tokens.attention_mask, strict=True)
        ]

    @memory_errors_told
    @torch.inference_mode()
    def _ask(
        self,
        seen: tuple[list[Tensor], list[Tensor]],
        texts: Sequence[tuple[Tensor, Tensor]],
        size_hw: tuple[int, int],
        least_score: float,
    ) -> list[tuple[MaskProposal, ...]]:
        # The model wants a picture for each phrase: the same one, without a copy.
        maps, places = (tuple(one.expand(len(texts), -1, -1, -1) for one in part) for part in seen)
        states, own = (torch.stack(column) for column in zip(*texts, strict=True))
        answer = self._model(
            vision_embeds=Sam3VisionEncoderOutput(
                fpn_hidden_states=maps, fpn_position_encoding=places
            ),
            text_embeds=BaseModelOutputWithPooling(pooler_output=states),
            attention_mask=own,
        )
        scores = answer.pred_logits.sigmoid() * answer.presence_logits.sigmoid()
        return [
            _instances(logits, score, size_hw, least_score)
            for logits, score in zip(answer.pred_masks, scores, strict=True)
        ]


def _instances(
    logits: Tensor, scores: Tensor, size_hw: tuple[int, int], least_score: float
) -> tuple[MaskProposal, ...]:
    """Small masks (Q, h, w) whose scores (Q,) are enough, at the picture's size; none without a pixel."""
    order = scores.argsort(descending=True, stable=True)
    kept = order[scores[order] > least_score]
    # One at a time: at the picture's size they are large.
    found = (_instance(logits[i], float(scores[i]), size_hw) for i in kept.tolist())
    return tuple(one for one in found if one.area_px)


def _instance(logits: Tensor, score: float, size_hw: tuple[int, int]) -> MaskProposal:
    likely = logits.sigmoid()[None, None]
    enlarged = functional.interpolate(likely, size_hw, mode="bilinear", align_corners=False)[0, 0]
    mask = (enlarged > MASK_THRESHOLD).cpu().numpy()
    rle = encode(mask)
    surely, perhaps = ((logits > cut).sum() for cut in (1.0, -1.0))
    return MaskProposal(
        rle=rle,
        bbox_xywh=box_of(mask),
        area_px=area(rle),
        predicted_iou=score,
        stability_score=float(surely / perhaps.clamp(min=1)),
        crop_box_xywh=(0.0, 0.0, float(size_hw[1]), float(size_hw[0])),
        points_xy=(),
    )
