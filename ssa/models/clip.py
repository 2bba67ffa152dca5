"""CLIP through open_clip: which candidates suit a crop best (Radford et al. 2021, arXiv:2103.00020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ssa.device import Placement
from ssa.label_cache import LabelCache
from ssa.pretrained import opening
from ssa.types import RGBImage, ScoredLabel

FILES = ("open_clip_config.json", "open_clip_model.safetensors")

# Labels whose text embeddings are kept: 150 MB at ViT-L/14's 768 numbers each.
CACHED_LABELS = 50_000

# Labels that go through the text encoder at once.
TEXT_BATCH = 256

# A crop with sides in a higher ratio loses its ends before it is enlarged; see ``middle``.
LONGEST_RATIO = 8

Preprocess = Callable[[RGBImage], Tensor]


class OpenClipRanker:
    """Ranks each crop's own candidates; a label's text is encoded once and kept."""

    def __init__(
        self,
        model: Any,
        preprocess: Preprocess,
        tokenizer: Any,
        placement: Placement,
        logit_scale: float,
        template: str = "{}",
    ) -> None:
        self._model = model
        self._preprocess = preprocess
        self._tokenizer = tokenizer
        self._placement = placement
        self._logit_scale = logit_scale
        self._template = template
        self._texts = LabelCache[Tensor](self._encode_labels, CACHED_LABELS)

    @classmethod
    def load(cls, folder: Path, placement: Placement, template: str = "{}") -> OpenClipRanker:
        """The model in ``folder``: open_clip_config.json, open_clip_model.safetensors.

        ``template`` makes a label into a text; it must hold ``{}``. Raises ``WeightsError`` when the
        folder is missing or damaged.
        """
        if "{}" not in template:
            raise ValueError(f"the template must hold {{}} for the label; got {template!r}")
        name = f"local-dir:{folder}"
        with opening(folder, "CLIP", FILES):
            model = open_clip.create_model(name, require_pretrained=True, weights_only=True)
            tokenizer = open_clip.get_tokenizer(name)
            preprocess = _make_preprocess(PreprocessCfg(**model.visual.preprocess_cfg))
        # Read before the weights lose precision: it multiplies every score.
        logit_scale = float(model.logit_scale.detach().exp())
        model = model.eval().requires_grad_(False).to(placement.device, placement.dtype)
        return cls(model, preprocess, tokenizer, placement, logit_scale, template)

    @torch.inference_mode()
    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        """Softmax of CLIP's logits over each crop's own candidates, best first; ties keep their order.

        Crops are (h, w, 3) uint8 RGB of any sizes, ``candidates[i]`` the labels for ``crops[i]``.
        """
        if not crops:
            return []
        labels = [label for own in candidates for label in own]
        texts = torch.stack(self._texts.get(labels)).to(self._placement.device)
        texts_of_crops = torch.split(texts, [len(own) for own in candidates])
        return [
            _ranking(own, (own_texts @ image) * self._logit_scale)
            for own, own_texts, image in zip(
                candidates, texts_of_crops, self._encode_crops(crops), strict=True
            )
        ]

    def _encode_crops(self, crops: Sequence[RGBImage]) -> Tensor:
        """(N, D) float32 image embeddings of length 1."""
        pixels = torch.stack([self._preprocess(crop) for crop in crops])
        pixels = pixels.to(self._placement.device, self._placement.dtype)
        return functional.normalize(self._model.encode_image(pixels).float(), dim=-1)

    def _encode_labels(self, labels: list[str]) -> list[Tensor]:
        """One (D,) float32 text embedding of length 1 a label, on the CPU."""
        texts = [self._template.replace("{}", label) for label in labels]
        embeddings: list[Tensor] = []
        for start in range(0, len(texts), TEXT_BATCH):
            tokens = self._tokenizer(texts[start : start + TEXT_BATCH])
            encoded = self._model.encode_text(tokens.to(self._placement.device)).float()
            # Cloned, else each cached row would keep its whole batch alive.
            embeddings += [row.clone() for row in functional.normalize(encoded, dim=-1).cpu()]
        return embeddings


def _make_preprocess(settings: Any) -> Preprocess:
    """(h, w, 3) uint8 RGB of any size → (3, side, side) float32, as the model was trained."""
    transform = image_transform_v2(settings, is_train=False)
    cuts_to_square = settings.resize_mode == "shortest"

    def preprocess(crop: RGBImage) -> Tensor:
        part = middle(crop) if cuts_to_square else crop
        pixels: Tensor = transform(Image.fromarray(part))
        return pixels

    return preprocess


def middle(crop: RGBImage) -> RGBImage:
    """The middle of a crop more than ``LONGEST_RATIO`` times as long as wide; else the crop itself.

    Enlarging by the shortest side makes 224 x 4,480,000 pixels of 1 x 20,000, to keep the middle square.
    """
    bound = LONGEST_RATIO * min(crop.shape[:2])
    top, left = (max(0, side - bound) // 2 for side in crop.shape[:2])
    return crop[top : crop.shape[0] - top, left : crop.shape[1] - left]


def _ranking(labels: Sequence[str], logits: Tensor) -> tuple[ScoredLabel, ...]:
    scores = logits.softmax(dim=0).tolist()
    scored = [ScoredLabel(label, score) for label, score in zip(labels, scores, strict=True)]
    return tuple(sorted(scored, key=lambda item: -item.score))
