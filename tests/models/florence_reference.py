"""Florence-2 as transformers' documentation has it: crop by crop and question by question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import transformers

from ssa.types import RGBImage

ALL = "<loc_0><loc_0><loc_999><loc_999>"
TASKS = ("<REGION_TO_CATEGORY>", "<REGION_TO_DESCRIPTION>")


def one_by_one(
    folder: Path, crops: Sequence[RGBImage], regions: Sequence[str], longest: int
) -> list[str]:
    """What the processor and a greedy ``generate`` say of each region: "category: description"."""
    model = transformers.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    processor = transformers.AutoProcessor.from_pretrained(folder)
    captions = []
    for crop, region in zip(crops, regions, strict=True):
        answers = [_answer(model, processor, crop, task + region, longest) for task in TASKS]
        captions.append(f"{answers[0].replace(':', ' ')}: {answers[1]}".strip())
    return ["" if caption == ":" else caption for caption in captions]


def _answer(model: Any, processor: Any, crop: RGBImage, asked: str, longest: int) -> str:
    inputs = processor(
        text=asked, images=crop, input_data_format="channels_last", return_tensors="pt"
    )
    # Beside its words, one token begins an answer and one ends it.
    tokens = model.generate(**inputs, max_new_tokens=longest + 2, do_sample=False, num_beams=1)
    (text,) = processor.batch_decode(tokens)
    for mark in ("<s>", "</s>", "<pad>"):
        text = text.replace(mark, "")
    return str(text.partition("<loc_")[0].strip())
