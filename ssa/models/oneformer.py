"""OneFormer: one class of a closed set for each pixel (Jain et al. 2022, arXiv:2211.06220)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ssa.deformable import deformable_attention
from ssa.device import Placement, memory_errors_told
from ssa.errors import WeightsError
from ssa.pixels import resize_bilinear, upload
from ssa.pretrained import TRANSFORMER_FILES, fed_float32, load_transformer, opening, shown
from ssa.types import LabelMap, RGBImage

# Class scores are enlarged to the picture's size a band of rows at a time, this many numbers a band
# (32 MiB of float32): all of a 100 megapixel picture with 150 classes would take 60 GB.
BAND_NUMBERS = 2**23

# The backbone halves the picture five times; a side shorter than this would vanish on the way.
SHORTEST_SIDE_PX = 32


class OneFormerSegmentor:
    """Labels every pixel of a picture with a class of ``labels``; ``source`` names the set.

    The backbone, which is most of the work, computes in the placement's number type. The rest is float32:
    fewer bits could not tell neighbouring places apart where features are sampled.
    """

    def __init__(
        self, model: Any, processor: Any, placement: Placement, source: str, labels: tuple[str, ...]
    ) -> None:
        self._model = _placed(model, placement.dtype)
        self._processor = processor
        self._placement = placement
        self._source = source
        self._labels = labels

    @classmethod
    def load(
        cls, folder: Path, placement: Placement, source: str, labels: tuple[str, ...]
    ) -> OneFormerSegmentor:
        """The model in ``folder``: config, preprocessor_config, tokenizer files, model.safetensors.

        Raises ``WeightsError`` when the folder is damaged or its classes are not as many as ``labels``.
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
            if model.config.num_labels != len(labels):
                raise WeightsError(
                    f"{source} segmentor: expected {len(labels)} classes; "
                    f"the model in {shown(folder)} has {model.config.num_labels}"
                )
        return cls(model, processor, placement, source, labels)

    @memory_errors_told
    @torch.inference_mode()
    def segment(self, image: RGBImage) -> LabelMap:
        """The class of each pixel of ``image``, (H, W, 3) uint8 RGB of any size, as (H, W) int16."""
        inputs = self._prepare(image)
        outputs = self._model(
            pixel_values=inputs["pixel_values"].to(self._placement.device, self._placement.dtype),
            pixel_mask=inputs["pixel_mask"].to(self._placement.device),
            task_inputs=inputs["task_inputs"].to(self._placement.device),
        )
        scores = class_scores(outputs.class_queries_logits[0], outputs.masks_queries_logits[0])
        return LabelMap(self._source, best_class(scores, image.shape[:2]), self._labels)

    def _prepare(self, image: RGBImage) -> Any:
        size = self._processor.image_processor.size
        return self._processor(
            images=[upload(image, self._placement.device)],
            task_inputs=["semantic"],
            # Never guessed: a picture 1 or 3 pixels wide looks like channels last.
            input_data_format="channels_first",
            device=self._placement.device,
            size=input_size(image.shape[:2], size.shortest_edge, size.longest_edge),
            return_tensors="pt",
        )


def _placed(model: Any, dtype: torch.dtype) -> Any:
    """The model with its backbone in ``dtype`` and quick deformable attention."""
    pixels = model.model.pixel_level_module
    pixels.encoder.to(dtype)
    fed_float32(pixels.decoder)
    fed_float32(model.model.task_encoder)
    for layer in pixels.decoder.encoder.layers:
        layer.self_attn = _DeformableSelfAttention(layer.self_attn)
    return model


class _DeformableSelfAttention(nn.Module):
    """transformers' own module of this kind, with its weights, for one picture (so nothing is padding)."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.value_proj, self.output_proj = plain.value_proj, plain.output_proj
        self.sampling_offsets = plain.sampling_offsets
        self.attention_weights = plain.attention_weights
        self._shape = plain.n_heads, plain.n_levels, plain.n_points

    def forward(
        self,
        hidden_states: Tensor,
        position_embeddings: Tensor,
        reference_points: Tensor,
        spatial_shapes_list: list[tuple[int, int]],
        **_: Any,
    ) -> tuple[Tensor, None]:
        """(B, S, D) to the same shape; no attention weights to return."""
        heads, levels, points = self._shape
        queries = hidden_states + position_embeddings
        values = self.value_proj(hidden_states).unflatten(-1, (heads, -1))
        offsets = self.sampling_offsets(queries).unflatten(-1, (heads, levels, points, 2))
        weights = self.attention_weights(queries).unflatten(-1, (heads, -1)).softmax(dim=-1)
        sizes_wh = queries.new_tensor([(width, height) for height, width in spatial_shapes_list])
        attended = deformable_attention(
            values,
            spatial_shapes_list,
            reference_points[:, :, None, :, None] + offsets / sizes_wh[:, None],
            weights.unflatten(-1, (levels, points)),
        )
        return self.output_proj(attended), None


def _load_processor(folder: Path, task_seq_len: int) -> Any:
    image_processor = transformers.OneFormerImageProcessor.from_pretrained(
        folder,
        local_files_only=True,
        # Class names serve training only, and the processor would look for them on the network.
        class_info_file=None,
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return transformers.OneFormerProcessor(
        image_processor, tokenizer, max_seq_length=task_seq_len, task_seq_length=task_seq_len
    )


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


def class_scores(class_logits: Tensor, mask_logits: Tensor) -> Tensor:
    """Each class's score in each cell of the mask grid, (C, h, w) float32.

    ``class_logits`` is (Q, C + 1) with "no object" last, ``mask_logits`` (Q, h, w): a class's score is the
    sum over queries of its probability times the mask's (Cheng et al. 2021, arXiv:2107.06278, section 3.4).
    """
    classes = class_logits.float().softmax(dim=-1)[:, :-1]
    return torch.einsum("qc,qhw->chw", classes, mask_logits.float().sigmoid())


def best_class(scores: Tensor, image_hw: tuple[int, ...]) -> NDArray[np.int16]:
    """The best class of each pixel, (H, W) int16, after resizing ``scores`` (C, h, w) bilinearly.

    Equals resizing the whole with antialiasing and taking the argmax, up to rounding at ties, in memory
    that doesn't grow with the picture.
    """
    height, width = image_hw
    if height >= scores.shape[1] and width >= scores.shape[2]:
        classes = possible_winners(scores)
    else:
        classes = torch.arange(len(scores), device=scores.device)
    bands = [
        # Not argmax, which is thirty times slower along the first dimension on a CPU.
        classes[band.max(dim=0).indices].to(torch.int16)
        for band in _bands_of_rows(scores[classes], height, width)
    ]
    return torch.cat(bands).cpu().numpy()


def possible_winners(scores: Tensor) -> Tensor:
    """The classes of ``scores`` (C, h, w) that may be best somewhere between the grid's points, in order.

    Between four points a class is at most as high as at its highest one, and at least as high as at its
    lowest: one whose highest is below another's lowest loses there. Of 150 classes a dozen are left.
    """
    window = min(2, scores.shape[1]), min(2, scores.shape[2])
    highest = functional.max_pool2d(scores, window, stride=1)
    lowest = -functional.max_pool2d(-scores, window, stride=1)
    may_win = highest >= lowest.amax(dim=0)
    return may_win.flatten(1).any(dim=1).nonzero()[:, 0]


def _bands_of_rows(scores: Tensor, height: int, width: int) -> Iterator[Tensor]:
    """``scores`` (C, h, w) resized to (C, height, width), in bands (C, some rows, width)."""
    row_weights = _resizing_weights(scores.shape[1], height, scores.device)
    rows = max(1, BAND_NUMBERS // (len(scores) * width))
    for weights in torch.split(row_weights, rows):
        band = torch.einsum("chw,rh->crw", scores, weights)
        yield resize_bilinear(band[None], (len(weights), width))[0]


def _resizing_weights(old: int, new: int, device: torch.device) -> Tensor:
    """(new, old) weights of each old line in each new one: what resizing makes of a unit matrix."""
    unit = torch.eye(old, device=device)
    return resize_bilinear(unit[None, None], (new, old))[0, 0]
