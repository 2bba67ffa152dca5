"""A OneFormer as a segmentor: a picture in, its label map out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers.image_utils import SizeDict

from ssa.device import Placement, memory_errors_told
from ssa.errors import WeightsError
from ssa.models.oneformer.model import OneFormer
from ssa.models.shared.class_scores import best_class, class_scores, label_map
from ssa.models.shared.pretrained import (
    TRANSFORMER_FILES,
    class_names,
    load_transformer,
    opening,
    shown,
)
from ssa.models.shared.uploading import on_device
from ssa.pictures.canvas import Canvas
from ssa.types import LabelMap, RGBImage

# The backbone halves the picture five times; a side shorter than this would vanish on the way.
SHORTEST_SIDE_PX = 32


class OneFormerSegmentor:
    """Labels every pixel of a picture with a class of ``labels``; ``source`` names the set."""

    def __init__(
        self, model: Any, processor: Any, placement: Placement, source: str, labels: tuple[str, ...]
    ) -> None:
        self._images = processor.image_processor
        self._placement = placement
        self._source = source
        self._labels = labels
        task = _task_tokens(processor).to(placement.device)
        self._model = OneFormer(model, task, placement.dtype)
        self._mean, self._std = (
            (torch.tensor(values) * (1.0 / self._images.rescale_factor)).to(placement.device)
            for values in (self._images.image_mean, self._images.image_std)
        )

    @classmethod
    def load(
        cls,
        folder: Path,
        placement: Placement,
        source: str,
        labels: tuple[str, ...] | None = None,
    ) -> OneFormerSegmentor:
        """The model in ``folder``: config, preprocessor_config, tokenizer files, model.safetensors.

        Its classes are called by ``labels``, or as its own config has them. Raises ``WeightsError`` when
        the folder is damaged, has no names or other than as many classes as ``labels``.
        """
        with opening(folder, f"{source} segmentor", TRANSFORMER_FILES):
            model = load_transformer(
                transformers.OneFormerForUniversalSegmentation,
                folder,
                placement.device,
                # The backbone's last norm and the loss are read in training only.
                unused=("swin.layernorm", "criterion."),
                is_training=False,
            )
            processor = _load_processor(folder, model.config.task_seq_len)
            labels = labels or class_names(model.config)
            if model.config.num_labels != len(labels):
                raise WeightsError(
                    f"{source} segmentor: expected {len(labels)} classes; "
                    f"the model in {shown(folder)} has {model.config.num_labels}"
                )
            return cls(model, processor, placement, source, labels)

    @memory_errors_told
    def segment(
        self, image: RGBImage | Canvas, *, coarse: bool = False, plain: bool = False
    ) -> LabelMap:
        """The class of each pixel of ``image``, (H, W, 3) uint8 RGB of any size, as (H, W) int16.

        ``coarse``, of each cell of a grid that is coarser where the picture is large.
        """
        image_hw, bulk = image.shape[:2], self._placement.in_bulk
        found = best_class(
            self.scores(image), image_hw, antialias=not plain, coarse=coarse, in_bulk=bulk
        )
        return label_map(self._source, self._labels, found, image_hw, in_bulk=bulk)

    @memory_errors_told
    @torch.inference_mode()
    def scores(self, image: RGBImage | Canvas) -> Tensor:
        """Each class's score in each cell of a grid over ``image``, (C, h, w) float32."""
        pixels = self._prepare(image).to(self._placement.dtype)
        return class_scores(*self._model(pixels))

    def _prepare(self, image: RGBImage | Canvas) -> Tensor:
        """The model's input (1, 3, h, w) float32, number for number what its processor makes of a picture.

        Without a batch, for which the processor moves all pixels of a large picture first.
        """
        edges = self._images.size
        size = input_size(image.shape[:2], edges.shortest_edge, edges.longest_edge)
        resized = self._images.resize(
            on_device(image, self._placement.device), SizeDict(**size), self._images.resample
        )
        mean, std = self._mean.view(3, 1, 1), self._std.view(3, 1, 1)
        pixels: Tensor = (resized.float() - mean).div_(std)
        return pixels[None]


def _load_processor(folder: Path, task_seq_len: int) -> Any:
    image_processor = transformers.OneFormerImageProcessor.from_pretrained(
        folder,
        local_files_only=True,
        # Class names serve training only, and the processor would look for them on the network.
        class_info_file=None,
    )
    steps = (image_processor.do_resize, image_processor.do_rescale, image_processor.do_normalize)
    if not all(steps):
        raise ValueError("expected a processor that resizes, rescales and normalises")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return transformers.OneFormerProcessor(
        image_processor, tokenizer, max_seq_length=task_seq_len, task_seq_length=task_seq_len
    )


def _task_tokens(processor: Any) -> Tensor:
    """What the model is asked for, always the same: (1, tokens)."""
    nothing = torch.zeros(3, SHORTEST_SIDE_PX, SHORTEST_SIDE_PX, dtype=torch.uint8)
    asked = processor(images=[nothing], task_inputs=["semantic"], return_tensors="pt")
    tokens: Tensor = asked["task_inputs"]
    return tokens


def input_size(
    image_hw: tuple[int, ...], shortest_edge: int, longest_edge: int | None
) -> dict[str, int]:
    """The processor's ``size`` for a picture: its own rule, but no side under ``SHORTEST_SIDE_PX``.

    Only pictures more than some 40 times as long as wide are affected; these are stretched.
    """
    height, width = image_hw
    scale = shortest_edge / min(height, width)
    if longest_edge:
        scale = min(scale, longest_edge / max(height, width))
    if min(height, width) * scale >= SHORTEST_SIDE_PX:
        size = {"shortest_edge": shortest_edge}
        return size | {"longest_edge": longest_edge} if longest_edge else size
    return {
        "height": max(round(height * scale), SHORTEST_SIDE_PX),
        "width": max(round(width * scale), SHORTEST_SIDE_PX),
    }
