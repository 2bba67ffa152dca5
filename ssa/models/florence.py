"""Florence-2: of what a crop is about, a category and a description (Xiao et al. 2023, arXiv:2311.06242).

The model knows regions by places: thousandths of the picture's width and height. Here the picture is the
crop, of which a small thing fills more than of the whole picture, and the region is what the crop is about,
where it says so: the box of the mask. Both questions share one look at the crop.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from ssa.device import Placement, memory_errors_told
from ssa.labelling.noun_lists import HEAD
from ssa.models.shared.greedy import search_greedily
from ssa.models.shared.pixels import PixelRecipe
from ssa.models.shared.pretrained import fed_float32, load_transformer, opening
from ssa.pictures.canvas import Crops
from ssa.types import BoxXYXY, RGBImage

TASKS = ("<REGION_TO_CATEGORY>", "<REGION_TO_DESCRIPTION>")

PLACES = 1000
"""Along each side of a picture."""

SEEN_AT_ONCE = 2
"""Crops that go through the vision tower together on a CPU: its first layers take 0.4 GB a crop."""


class FlorenceCaptioner:
    """Says "category: description" of each crop, all of a batch at once, by the likeliest word at each step.

    Everything computes in the placement's number type but for the words' scores, which are float32: close
    ones would come out equal.
    """

    def __init__(
        self, model: Any, spec: PixelRecipe, processor: Any, placement: Placement, longest: int
    ) -> None:
        self._tokenizer = processor.tokenizer
        self._questions = [processor.task_prompts_with_input[task] for task in TASKS]
        places = self._tokenizer.convert_tokens_to_ids([_place(i) for i in range(PLACES)])
        if len(set(places)) < PLACES:
            raise ValueError(
                f"expected a tokenizer that knows {PLACES} places; got {len(set(places))}"
            )
        # An answer repeats its region after its words: there it ends. One token more begins it.
        search_greedily(model, longest + 1, ends=places)
        self._model = _placed(model, placement.dtype)
        self._spec = spec
        self._placement = placement

    @classmethod
    def load(cls, folder: Path, placement: Placement, longest: int) -> FlorenceCaptioner:
        """The model in ``folder``, as transformers writes it; a text has at most ``longest`` tokens.

        Raises ``WeightsError`` when the folder is missing or damaged, or needs its publisher's own code.
        """
        with opening(folder, "captions", ("config.json", "model.safetensors")):
            _check_layout(folder)
            model_class = transformers.Florence2ForConditionalGeneration
            model = load_transformer(model_class, folder, placement.device)
            processor = transformers.Florence2Processor.from_pretrained(
                folder, local_files_only=True
            )
            spec = PixelRecipe.of(processor.image_processor)
            return cls(model, spec, processor, placement, longest)

    @memory_errors_told
    @torch.inference_mode()
    def caption(self, crops: Sequence[RGBImage]) -> list[str]:
        """One caption a crop, "car: a red car"; crops are (h, w, 3) uint8 RGB of any sizes.

        What either says may be empty. Of ``Crops`` that say what they are about, that is told of.
        """
        if not crops:
            return []
        regions = _regions(crops)
        asked = [one.format(input=region) for one in self._questions for region in regions]
        answers = self._answers(self._look(crops), asked)
        return list(map(_headed, answers[: len(crops)], answers[len(crops) :]))

    def _look(self, crops: Sequence[RGBImage]) -> Tensor:
        """(N, P, D): what the vision tower sees of each crop."""
        place = self._placement
        at_once = len(crops) if place.in_bulk else SEEN_AT_ONCE
        seen = []
        for start in range(0, len(crops), at_once):
            part = crops[start : start + at_once]
            pixels = self._spec.batch(part, place.device, place.dtype, in_bulk=place.in_bulk)
            seen.append(self._model.get_image_features(pixels).pooler_output)
        return torch.cat(seen)

    def _answers(self, seen: Tensor, asked: Sequence[str]) -> list[str]:
        """The answers to Q questions about each of N crops (N, P, D); ``asked`` has Q times N."""
        marks = self._tokenizer
        texts = marks(
            [f"{marks.bos_token}{text}{marks.eos_token}" for text in asked],
            add_special_tokens=False,
            padding=True,
            padding_side="right",
            return_tensors="pt",
        ).to(self._placement.device)
        words = self._model.get_input_embeddings()(texts["input_ids"])
        patches = seen.repeat(len(asked) // len(seen), 1, 1)
        visible = torch.cat(
            [texts["attention_mask"].new_ones(patches.shape[:2]), texts["attention_mask"]], 1
        )
        encoded = self._model.model.language_model.encoder(
            inputs_embeds=torch.cat([patches, words], 1), attention_mask=visible
        )
        tokens = self._model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=encoded.last_hidden_state),
            attention_mask=visible,
        )
        answers = marks.batch_decode(tokens, skip_special_tokens=True)
        # Not every folder counts places as special.
        return [answer.partition("<loc_")[0].strip() for answer in answers]


def _headed(name: str, description: str) -> str:
    if not name and not description:
        return ""
    return f"{name.replace(HEAD, ' ')}{HEAD} {description}".strip()


def _placed(model: Any, dtype: torch.dtype) -> Any:
    """The model in ``dtype``, with float32 scores of words."""
    if dtype != torch.float32:
        scores = deepcopy(model.lm_head)  # Its weights are the word embeddings' own.
        model.to(dtype)
        fed_float32(scores)
        model.lm_head = scores
    return model


def _check_layout(folder: Path) -> None:
    if "auto_map" in json.loads((folder / "config.json").read_bytes()):
        raise ValueError(
            "expected the layout of transformers (as of florence-community/Florence-2-base); "
            "this one needs its publisher's own code, which is never run"
        )


def _regions(crops: Sequence[RGBImage]) -> list[str]:
    """What each crop is about, in places; of crops that don't say, all."""
    if not isinstance(crops, Crops) or crops.about_xyxy is None:
        return [_in_places((0, 0, 1, 1), (0, 0, 1, 1))] * len(crops)
    return [
        _in_places(about, box)
        for about, box in zip(crops.about_xyxy, crops.boxes_xyxy, strict=True)
    ]


def _in_places(about_xyxy: BoxXYXY, crop_xyxy: BoxXYXY) -> str:
    """A box in the frame of a crop: "<loc_0><loc_0><loc_999><loc_999>" is all of it."""
    left, top, right, bottom = crop_xyxy
    starts, lengths = (left, top) * 2, (right - left, bottom - top) * 2
    shares = (
        (value - start) * PLACES // length
        for value, start, length in zip(about_xyxy, starts, lengths, strict=True)
    )
    return "".join(_place(min(max(share, 0), PLACES - 1)) for share in shares)


def _place(number: int) -> str:
    return f"<loc_{number}>"
