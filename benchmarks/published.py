"""The published pipeline's models, in float32, each library called as its documentation shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from segment_anything import SamAutomaticMaskGenerator
from torch.nn import functional

from ssa.config import MaskSettings
from ssa.models.sam import PUBLISHED_DECODER_HEADS, architecture_of, build
from ssa.types import BoolMask, RGBImage

ClassIds = NDArray[np.int64]


class OneFormer:
    """The class of each pixel by OneFormer's semantic task."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._model = transformers.OneFormerForUniversalSegmentation.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, is_training=False
        )
        self._model.to(device).requires_grad_(False)
        length = self._model.config.task_seq_len
        self._processor = transformers.OneFormerProcessor(
            # Else it would look for its class names on the network.
            transformers.OneFormerImageProcessor.from_pretrained(
                folder, local_files_only=True, class_info_file=None
            ),
            transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True),
            max_seq_length=length,
            task_seq_length=length,
        )
        self._device = device

    def __call__(self, image: RGBImage) -> ClassIds:
        """(H, W), for a picture (H, W, 3) uint8 RGB."""
        inputs = self._processor(
            Image.fromarray(image), task_inputs=["semantic"], return_tensors="pt"
        ).to(self._device)
        outputs = self._model(**inputs)
        (class_ids,) = self._processor.post_process_semantic_segmentation(
            outputs, target_sizes=[image.shape[:2]]
        )
        return np.asarray(class_ids.cpu())


class Blip:
    """A caption of a crop, the likeliest word at each step."""

    def __init__(self, folder: Path, max_tokens: int, device: torch.device) -> None:
        self._model = transformers.BlipForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32
        )
        self._model.to(device).requires_grad_(False)
        self._processor = transformers.BlipProcessor.from_pretrained(folder, local_files_only=True)
        self._max_tokens = max_tokens
        self._device = device

    def __call__(self, image: RGBImage) -> str:
        """For a crop (h, w, 3) uint8 RGB."""
        inputs = self._processor(Image.fromarray(image), return_tensors="pt").to(self._device)
        tokens = self._model.generate(**inputs, max_new_tokens=self._max_tokens)
        # The start mark goes: not every vocabulary knows it as special.
        text: str = self._processor.decode(tokens[0, 1:], skip_special_tokens=True)
        return text.strip()


class Clip:
    """CLIP's softmax over a crop's candidates, in their order."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        model = f"local-dir:{folder}"
        self._model, _, self._preprocess = open_clip.create_model_and_transforms(
            model, require_pretrained=True, weights_only=True, device=device
        )
        self._model.eval().float().requires_grad_(False)
        self._tokenizer = open_clip.get_tokenizer(model)
        self._device = device

    def __call__(self, image: RGBImage, labels: Sequence[str]) -> list[float]:
        """One score a label; they sum to 1."""
        pixels = self._preprocess(Image.fromarray(image))[None].to(self._device)
        texts = self._tokenizer(list(labels)).to(self._device)
        image_features = self._model.encode_image(pixels, normalize=True)
        text_features = self._model.encode_text(texts, normalize=True)
        logits = self._model.logit_scale.exp() * image_features @ text_features.T
        scores: list[float] = logits.softmax(dim=-1)[0].tolist()
        return scores


class ClipSeg:
    """How many of a mask's pixels each candidate wins; the crop is encoded once per candidate.

    ``through_own_size``, crops and answers go through the square of the processor's own size, as in the
    published engine; else the processor makes ``side_px`` squares, and answers have the crop's size.
    """

    def __init__(
        self, folder: Path, side_px: int, device: torch.device, through_own_size: bool = False
    ) -> None:
        self._model = transformers.CLIPSegForImageSegmentation.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32
        )
        self._model.to(device).requires_grad_(False)
        size = {"height": side_px, "width": side_px}
        self._processor = transformers.CLIPSegProcessor(
            transformers.ViTImageProcessor.from_pretrained(
                folder, local_files_only=True, **({} if through_own_size else {"size": size})
            ),
            transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True),
        )
        self._side_px, self._through_own_size = side_px, through_own_size
        self._device = device

    def __call__(self, image: RGBImage, mask: BoolMask, labels: Sequence[str]) -> list[int]:
        """One count a label; ``mask`` is (h, w) in the frame of ``image`` (h, w, 3)."""
        inputs = self._processor(
            text=list(labels),
            images=[Image.fromarray(image)] * len(labels),
            padding=True,
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(self._device)
        if self._through_own_size:
            own_hw = inputs["pixel_values"].shape[-2:]
            inputs["pixel_values"] = functional.interpolate(
                inputs["pixel_values"], (self._side_px, self._side_px), mode="bilinear"
            )
            inside = torch.from_numpy(mask.astype(np.float32))[None, None]
            mask = functional.interpolate(inside, own_hw)[0, 0].bool().numpy()
        logits = self._model(**inputs, interpolate_pos_encoding=True).logits
        resized = functional.interpolate(
            logits[None], size=mask.shape, mode="bilinear", align_corners=False
        )
        winners = resized[0].argmax(dim=0).cpu().numpy()
        counts: list[int] = np.bincount(winners[mask], minlength=len(labels)).tolist()
        return counts


def load_generator(
    folder: Path, settings: MaskSettings, device: torch.device
) -> SamAutomaticMaskGenerator:
    """segment_anything's own mask generator, with masks as run lengths, which is what is kept."""
    shared = {name: value for name, value in asdict(settings).items() if name != "granularities"}
    return SamAutomaticMaskGenerator(load_sam(folder).to(device), output_mode="coco_rle", **shared)


def load_sam(folder: Path) -> Any:
    """segment_anything's own classes with the weights of ``folder``, in float32.

    Its registry knows the three published sizes only, so the miniature's is read off its tensors.
    """
    state = {
        name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()
    }
    beside = folder / "config.json"
    config = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    heads = config.get("decoder_num_heads", PUBLISHED_DECODER_HEADS)
    sam = build(architecture_of(state, heads))
    sam.load_state_dict(state)
    return sam.requires_grad_(False)
