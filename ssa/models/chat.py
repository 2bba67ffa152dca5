"""Any chat model of transformers that sees pictures (Qwen3-VL, SmolVLM, ...), asked for a list of nouns.

Pictures go through the model's own processor, whatever it makes of them; before it they are bounded, for some
processors cut what is large into thousands of pieces, and refuse what is thin. What the model says is data:
``ssa.labelling.noun_lists`` reads it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from jinja2 import TemplateError
from PIL import Image
from torch import Tensor

from ssa.device import Placement, memory_errors_told
from ssa.labelling.noun_lists import CUT_OFF
from ssa.models.shared.greedy import search_greedily
from ssa.models.shared.pretrained import load_transformer, opening
from ssa.types import RGBImage

QUESTION = (
    "Name the main thing in the middle of this picture. Answer with a short list of common nouns in lower "
    "case, separated by commas: its best name first, then other names for it, then its visible parts. "
    "No sentence, no other text."
)

LONGEST_SIDE_PX = 768
"""Larger crops are shrunk: in Qwen3-VL such a square takes 576 tokens."""

SHORTEST_SIDE_PX = 32
LONGEST_RATIO = 8
"""What is smaller, or thinner for its length, is stretched."""


class ChatCaptioner:
    """Says which nouns name each crop, all of a batch at once, by the likeliest word at each step.

    Everything computes in the placement's number type, in which the weights are read as well: such models
    are large.
    """

    def __init__(self, model: Any, processor: Any, placement: Placement, longest: int) -> None:
        self._prompt = _prompt(processor)
        begin = processor.tokenizer.bos_token
        # Where the template has written the mark that begins a text, the tokenizer adds no second one.
        begun = begin is not None and self._prompt.startswith(begin)
        self._marks = {"add_special_tokens": False} if begun else {}
        self._ends = torch.tensor(search_greedily(model, longest), device=placement.device)
        self._model = model
        self._processor = _prepared(processor)
        self._placement = placement

    @classmethod
    def load(cls, folder: Path, placement: Placement, longest: int) -> ChatCaptioner:
        """The model in ``folder`` with its processor and chat template; it says at most ``longest`` tokens.

        Nothing of the folder is run. Raises ``WeightsError`` when it is missing or damaged, or its model
        doesn't chat.
        """
        with opening(folder, "captions", ("config.json",)):
            own_code = {"local_files_only": True, "trust_remote_code": False}
            processor = transformers.AutoProcessor.from_pretrained(folder, **own_code)
            if not getattr(processor, "chat_template", None):
                raise ValueError(
                    "expected a model that chats about pictures; it has no chat template"
                )
            model = load_transformer(
                transformers.AutoModelForImageTextToText,
                folder,
                placement.device,
                dtype=placement.dtype,
                trust_remote_code=False,
            )
            return cls(model, processor, placement, longest)

    @memory_errors_told
    @torch.inference_mode()
    def caption(self, crops: Sequence[RGBImage]) -> list[str]:
        """What the model says of each crop, (h, w, 3) uint8 RGB of any size; it may be empty.

        A text that came to its bound ends in "…".
        """
        if not crops:
            return []
        inputs = self._processor(
            text=[self._prompt] * len(crops),
            images=[[_bounded(crop)] for crop in crops],
            padding=True,
            return_tensors="pt",
            **self._marks,
        ).to(self._placement.device, self._placement.dtype)
        tokens = self._model.generate(**inputs)[:, inputs["input_ids"].shape[1] :]
        return self._texts(tokens)

    def _texts(self, tokens: Tensor) -> list[str]:
        """What tokens (N, T) say; an end is followed by filler."""
        texts = self._processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        ended = torch.isin(tokens, self._ends).any(1).tolist()
        return [
            text.strip() if whole else f"{text.strip()}{CUT_OFF}"
            for text, whole in zip(texts, ended, strict=True)
        ]


def _prompt(processor: Any) -> str:
    """The question about one picture, as the model's template writes it.

    Raises ``ValueError`` for a template that can't be filled in.
    """
    asked = [{"type": "image"}, {"type": "text", "text": QUESTION}]
    # Models that think aloud would come to their bound before they answer.
    silent = "enable_thinking" in str(processor.chat_template)
    try:
        written: str = processor.apply_chat_template(
            [{"role": "user", "content": asked}],
            add_generation_prompt=True,
            tokenize=False,
            **({"enable_thinking": False} if silent else {}),
        )
    except (TemplateError, TypeError) as error:
        raise ValueError(f"the chat template can't be filled in: {error}") from error
    marks = {str(getattr(processor, name, "")) for name in ("image_token", "boi_token")} - {""}
    shown = sum([written.count(mark) for mark in marks])
    if marks and shown != 1:
        raise ValueError(
            f"expected a chat template that shows a picture once; got it {shown} times"
        )
    return written


def _prepared(processor: Any) -> Any:
    """The processor for batches, which sees a crop in one piece where it can be told to.

    A name needs no small print: tiles would cost SmolVLM seventeen looks at a crop instead of one.
    """
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if getattr(processor.image_processor, "do_image_splitting", False):
        processor.image_processor.do_image_splitting = False
    return processor


def _bounded(crop: RGBImage) -> Image.Image:
    """A crop, no side longer than ``LONGEST_SIDE_PX`` and neither too short."""
    height, width = crop.shape[:2]
    picture = Image.fromarray(np.ascontiguousarray(crop))
    scale = min(1.0, LONGEST_SIDE_PX / max(height, width))
    least = max(SHORTEST_SIDE_PX, math.ceil(max(height, width) * scale / LONGEST_RATIO))
    size = max(round(width * scale), least), max(round(height * scale), least)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BICUBIC)
