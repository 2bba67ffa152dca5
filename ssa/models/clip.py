"""CLIP through open_clip: which candidates suit a crop best (Radford et al. 2021, arXiv:2103.00020).

SigLIP 2, MetaCLIP 2 and PE-Core are other weights of the same interface: their config says how pictures and
texts want to be. A sigmoid model's probabilities are each label's own; the softmax makes shares of their
odds, for its bias is the same for all. So a share means the same whatever the model: how a label does
beside the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional

from ssa.device import Placement, memory_errors_told
from ssa.models.shared.open_clip_folder import load_open_clip
from ssa.models.shared.pixels import PixelRecipe
from ssa.models.shared.rankings import CandidateTable
from ssa.models.shared.text_cache import LabelCache
from ssa.models.shared.towers import SelfAttention
from ssa.types import RGBImage, ScoredLabel

# Labels whose text embeddings are kept: 150 MB at ViT-L/14's 768 numbers each.
CACHED_LABELS = 50_000

# Labels that go through the text encoder at once. Few, for a batch is filled up where fewer are new.
TEXT_BATCH = 8


class OpenClipRanker:
    """Ranks each crop's own candidates; a label's text is encoded once and kept.

    Crops are encoded in the placement's number type; texts, which are few, and scores in float32.
    """

    def __init__(
        self,
        model: Any,
        spec: PixelRecipe,
        tokenizer: Any,
        placement: Placement,
    ) -> None:
        self._model = model
        self._spec = spec
        self._tokenizer = tokenizer
        self._placement = placement
        self._logit_scale = float(model.logit_scale.exp())
        self._texts = LabelCache[Tensor](self._encode_labels, CACHED_LABELS, TEXT_BATCH)

    @classmethod
    def load(cls, folder: Path, placement: Placement) -> OpenClipRanker:
        """The model in ``folder``: open_clip_config.json, open_clip_model.safetensors.

        Raises ``WeightsError`` when the folder is missing or damaged.
        """
        model, spec, tokenizer = load_open_clip(folder, placement)
        _quicken(model.visual)
        return cls(model, spec, tokenizer, placement)

    @memory_errors_told
    @torch.inference_mode()
    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        """Softmax of CLIP's logits over each crop's own candidates, best first; ties keep their order.

        Crops are (h, w, 3) uint8 RGB of any sizes, ``candidates[i]`` the labels for ``crops[i]``.
        """
        if not crops:
            return []
        table = CandidateTable(candidates)
        texts = torch.stack(self._texts.get(table.labels))
        # One product and one transfer for the whole batch; the rest is arithmetic on short rows.
        logits = (self._encode_crops(crops) @ texts.T * self._logit_scale).cpu().numpy()
        return table.rankings(logits)

    def _encode_crops(self, crops: Sequence[RGBImage]) -> Tensor:
        """(N, D) float32 image embeddings of length 1."""
        place = self._placement
        pixels = self._spec.batch(crops, place.device, place.dtype, in_bulk=place.in_bulk)
        return functional.normalize(self._model.encode_image(pixels).float(), dim=-1)

    def _encode_labels(self, labels: list[str]) -> list[Tensor]:
        """One (D,) float32 text embedding of length 1 a label, on the model's device."""
        tokens = self._tokenizer(labels).to(self._placement.device)
        encoded = functional.normalize(self._model.encode_text(tokens).float(), dim=-1)
        # Cloned, else each cached row would keep its whole batch alive.
        return [row.clone() for row in encoded]


def _quicken(visual: Any) -> None:
    """Let open_clip's own vision tower attend in fewer operations; others stay as they are."""
    if not (isinstance(visual, VisionTransformer) and visual.transformer.batch_first):
        return
    for block in visual.transformer.resblocks:
        if type(block) is ResidualAttentionBlock:
            block.attention = _attention(block.attn)


def _attention(plain: nn.MultiheadAttention) -> Callable[..., Tensor]:
    """What a block calls, without a mask, in place of torch's own module; with that module's weights."""
    qkv = nn.Linear(1, 1)
    qkv.weight, qkv.bias = plain.in_proj_weight, plain.in_proj_bias
    own = SelfAttention(qkv, plain.out_proj, plain.num_heads)
    return lambda q_x, **_: own(q_x)[0]
