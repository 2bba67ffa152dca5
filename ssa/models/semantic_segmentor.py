"""Any semantic segmentor of transformers: SegFormer, Mask2Former, MaskFormer, EoMT, UperNet, BEiT, DPT, ...

Two kinds of answers become class scores on a grid: one score a class and cell (SegFormer), or queries with
a class and a mask each (MaskFormer and its heirs). From there on all is alike, and equals what the model's
own image processor makes of them, in memory that doesn't grow with the picture.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from torchvision.transforms.v2 import functional as vision
from transformers.image_transforms import get_size_with_aspect_ratio
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING,
    MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING,
)

from ssa.device import Placement, memory_errors_told
from ssa.models.shared.backbone import quick_backbone
from ssa.models.shared.class_scores import best_class, class_scores, label_map
from ssa.models.shared.pixels import resize_bilinear
from ssa.models.shared.pretrained import (
    TRANSFORMER_FILES,
    class_names,
    fed_float32,
    load_transformer,
    opening,
)
from ssa.models.shared.uploading import on_device
from ssa.pictures.canvas import Canvas
from ssa.types import LabelMap, RGBImage

# A picture more than so many times as long as wide is stretched before the model's processor sees it:
# resizing by the shorter side would make a strip of millions of pixels, by the longer one of none.
MOST_ELONGATED = 16

# No model sees anything in fewer pixels, and not every processor enlarges.
SHORTEST_SIDE_PX = 32

# Sides of the grid on which transformers evaluates these models' queries, whatever their own.
_QUERY_GRIDS = {"mask2former": (384, 384)}

# What inference never reads, by pieces of their keys: losses, heads for training, a backbone's last norm.
_UNUSED = ("criterion.", "auxiliary_head.", "swin.layernorm")


class SemanticSegmentor:
    """Labels every pixel of a picture with a class of its own closed set; ``source`` names it."""

    def __init__(
        self, model: Any, processor: Any, placement: Placement, source: str, labels: tuple[str, ...]
    ) -> None:
        self._model = _placed(model, placement.dtype)
        self._processor = _seeing_all(processor)
        self._placement = placement
        self._source = source
        self._labels = labels

    @classmethod
    def load(
        cls,
        folder: Path,
        placement: Placement,
        source: str,
        labels: tuple[str, ...] | None = None,
    ) -> SemanticSegmentor:
        """The model in ``folder``: config, preprocessor_config, model.safetensors; its config names classes.

        A voter is given the ``labels`` of its role: classes are then called as people do (``plain_name``),
        and by those labels where the config numbers as many and names none. Raises ``WeightsError`` when
        the folder is damaged, holds no semantic segmentor or names no classes.
        """
        with opening(folder, f"segmentor {source!r}", TRANSFORMER_FILES):
            config = transformers.AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            names = class_names(config, labels)
            if labels:
                names = tuple(map(plain_name, names))
            model = load_transformer(_model_class(config), folder, placement.device, _UNUSED)
            processor = transformers.AutoImageProcessor.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        return cls(model, processor, placement, source, names)

    @memory_errors_told
    def segment(
        self, image: RGBImage | Canvas, *, coarse: bool = False, plain: bool = False
    ) -> LabelMap:
        """The class of each pixel of ``image``, (H, W, 3) uint8 RGB of any size, as (H, W) int16.

        ``coarse``, of each cell of a grid that is coarser where the picture is large. ``plain`` changes
        nothing: scores are never smoothed.
        """
        bulk = self._placement.in_bulk
        found = best_class(
            self.scores(image), image.shape[:2], antialias=False, coarse=coarse, in_bulk=bulk
        )
        return label_map(self._source, self._labels, found, image.shape[:2], in_bulk=bulk)

    @memory_errors_told
    @torch.inference_mode()
    def scores(self, image: RGBImage | Canvas) -> Tensor:
        """Each class's score in each cell of a grid over ``image``, (C, h, w) float32."""
        seen = _in_proportion(on_device(image, self._placement.device), self._processor)
        inputs = self._processor(
            images=[seen],
            # Never guessed: a picture 1 or 3 pixels wide looks like channels last.
            input_data_format="channels_first",
            device=self._placement.device,
            return_tensors="pt",
        )
        pixels = inputs["pixel_values"].to(self._placement.device, self._placement.dtype)
        if _works_in_squares(self._processor):
            return self._merged_squares(pixels, inputs["patch_offsets"], seen.shape[1:])
        return self._scores(pixels, _QUERY_GRIDS.get(self._model.config.model_type))

    def _scores(self, pixels: Tensor, query_grid: tuple[int, int] | None) -> Tensor:
        """Each class's score in each cell of a grid, (C, h, w) float32, for one input (1, 3, H, W).

        Masks of queries are brought to ``query_grid`` before they are read.
        """
        outputs = self._model(pixel_values=pixels)
        if "class_queries_logits" in outputs:
            classes, masks = outputs.class_queries_logits, outputs.masks_queries_logits
        elif "pred_masks" in outputs:  # DETR's names of the same
            classes, masks = outputs.logits, outputs.pred_masks
        else:
            scores: Tensor = outputs.logits[0].float()
            return scores
        if query_grid:
            masks = resize_bilinear(masks.float(), query_grid, antialias=False)
        return class_scores(classes[0], masks[0])

    def _merged_squares(
        self, squares: Sequence[Tensor], offsets: Sequence[Tensor], seen_hw: tuple[int, ...]
    ) -> Tensor:
        """EoMT's scores (C, h, w) over the resized picture: the mean of the squares cut from it in a row.

        ``squares`` are its inputs (3, s, s); an offset holds a picture's number and where along the longer
        side its square begins and ends. Without offsets there is one input, padded at the right and foot.
        """
        size = self._processor.size
        grid = size.shortest_edge, size.longest_edge or size.shortest_edge
        hw = get_size_with_aspect_ratio(seen_hw, size.shortest_edge, size.longest_edge)
        total = squares[0].new_zeros((len(self._labels), *hw), dtype=torch.float32)
        times = torch.zeros_like(total[:1])
        spans = [(int(start), int(stop)) for _, start, stop in offsets] or [(0, max(hw))]
        for square, (start, stop) in zip(squares, spans, strict=True):
            rows, columns = slice(0, hw[0]), slice(0, hw[1])
            if seen_hw[0] > seen_hw[1]:
                rows = slice(start, stop)
            else:
                columns = slice(start, stop)
            part = total[:, rows, columns]
            part += self._scores(square[None], grid)[:, : part.shape[1], : part.shape[2]]
            times[:, rows, columns] += 1
        return total / times


def _model_class(config: Any) -> Any:
    """The class that answers for a config with semantic classes; ``ValueError`` where there is none."""
    for known in (
        MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING,
        MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING,
    ):
        if type(config) in known:
            return known[type(config)]
    raise ValueError(f"expected a semantic segmentor; its config is of a {config.model_type!r}")


def _placed(model: Any, dtype: torch.dtype) -> Any:
    """The model in ``dtype``; where queries sample features, the backbone alone, which is most of the work.

    Fewer bits could not tell neighbouring places apart there.
    """
    base = getattr(model, "model", None)
    pixels = getattr(base, "pixel_level_module", None)
    if base is None or pixels is None:
        return model.to(dtype)
    pixels.encoder = quick_backbone(pixels.encoder, dtype)
    fed_float32(pixels.decoder)
    fed_float32(base.transformer_module)
    return model


def plain_name(name: str) -> str:
    """A class as people call it: of ADE20K's synonyms the first, without COCO's marks of what was merged."""
    first = re.split(r"[;,]", name)[0].strip()
    return re.sub(r"-(merged|other|stuff)(?=-|$)", "", first) or name


def _seeing_all(processor: Any) -> Any:
    """The processor without cropping and padding: what it makes is the whole picture and nothing else.

    Its own post-processing takes the input for the picture, whatever was cut off or added.
    """
    if _works_in_squares(processor):
        # The model knows one size; see _merged_squares.
        processor.do_pad = not processor.do_split_image
        return processor
    if getattr(processor, "do_center_crop", False) and processor.size.height:
        processor.size = processor.crop_size
    processor.do_center_crop = processor.do_pad = False
    processor.pad_size = None
    return processor


def _works_in_squares(processor: Any) -> bool:
    """Whether the processor is EoMT's."""
    return hasattr(processor, "do_split_image")


def _in_proportion(pixels: Tensor, processor: Any) -> Tensor:
    """A picture (3, h, w) uint8, its shorter side stretched where it is too short for the processor."""
    height, width = pixels.shape[1:]
    longest = processor.size.longest_edge if processor.do_resize else None
    elongated = min(MOST_ELONGATED, (longest or math.inf) / SHORTEST_SIDE_PX)
    least = math.ceil(max(height, width) / elongated)
    if not processor.do_resize:
        least = max(least, SHORTEST_SIDE_PX)
    if min(height, width) >= least:
        return pixels
    stretched: Tensor = vision.resize(
        pixels, [max(height, least), max(width, least)], antialias=True
    )
    return stretched
