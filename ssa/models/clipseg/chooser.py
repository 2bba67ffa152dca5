"""Candidates compared pixel by pixel: the vision tower once a crop, the decoder once a candidate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from ssa.device import Placement, memory_errors_told
from ssa.labelling.voting import shares_of
from ssa.models.clipseg.bulk_wins import wins_in_bulk
from ssa.models.clipseg.wins import wins_in_squares, wins_one_by_one
from ssa.models.shared.pixels import PixelRecipe, cells_along, resize_bilinear
from ssa.models.shared.pretrained import TRANSFORMER_FILES, load_transformer, opening
from ssa.models.shared.text_cache import LabelCache
from ssa.models.shared.towers import SelfAttention, in_place, joint
from ssa.pictures.canvas import MaskParts
from ssa.types import BoolMask, RGBImage, ScoredLabel

# Labels whose text embeddings are kept: 100 MB at 512 numbers each.
CACHED_LABELS = 50_000

# Labels that go through the text encoder at once. Few, for a batch is filled up where fewer are new.
TEXT_BATCH = 8

# Tokens of all but the longest labels ("steering wheel of a car" has 7): a fifth of the work of 77.
SHORT_TEXT = 16

# Candidates are compared on the crop's own pixels, but on no finer grid than this many times the
# model's input: beyond it the logits are only smoother, and a 100 megapixel crop would take gigabytes.
GRID_PER_SIDE = 2


class ClipSegChooser:
    """Compares candidates pixel by pixel; a crop is encoded once however many candidates it has.

    The vision tower computes in the placement's number type; texts, which are few, and the small decoder,
    whose close logits decide, in float32.
    """

    def __init__(
        self, model: Any, spec: PixelRecipe, own_side: int, tokenizer: Any, placement: Placement
    ) -> None:
        self._model = _placed(model, placement.dtype)
        self._spec = spec
        self._own_side = own_side
        self._tokenizer = tokenizer
        self._placement = placement
        self._texts = LabelCache[Tensor](
            self._encode_labels, CACHED_LABELS, TEXT_BATCH, self._padded_length
        )

    @classmethod
    def load(cls, folder: Path, placement: Placement, side_px: int) -> ClipSegChooser:
        """The model in ``folder``: config, preprocessor_config, tokenizer files, model.safetensors.

        Crops are squeezed to ``side_px`` squares, a multiple of the model's patch; position embeddings
        are interpolated to it. Raises ``WeightsError`` when it is no multiple, and when the folder is
        missing or damaged.
        """
        with opening(folder, "CLIPSeg", TRANSFORMER_FILES):
            clipseg = transformers.CLIPSegForImageSegmentation
            model = load_transformer(clipseg, folder, placement.device)
            processor = transformers.ViTImageProcessor.from_pretrained(
                folder, local_files_only=True
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            own = PixelRecipe.of(processor)
            spec = replace(own, side_px=side_px)
            cells_along(side_px, model.config.vision_config.patch_size)
        return cls(model, spec, own.side_px, tokenizer, placement)

    @memory_errors_told
    @torch.inference_mode()
    def choose(
        self,
        crops: Sequence[RGBImage],
        masks: Sequence[BoolMask],
        candidates: Sequence[Sequence[str]],
        *,
        at_own_size: bool = False,
    ) -> list[tuple[ScoredLabel, ...]]:
        """Share of each mask's pixels that each candidate wins, best first; ties keep their order.

        Crops are (h, w, 3) uint8 RGB of any sizes, ``masks[i]`` is (h, w) bool in the frame of
        ``crops[i]``, and ``candidates[i]`` its labels, as many as it likes. A side of more than
        ``GRID_PER_SIDE`` times ``side_px`` is compared at that size. ``at_own_size``, a crop is squeezed
        first to the square of the model's own processor, enlarged from there, and compared there.
        """
        if not crops:
            return []
        if at_own_size:
            logits = self.logits(crops, candidates, self._own_side)
            wins = wins_in_squares(logits, masks, self._own_side)
            return [shares_of(*pair) for pair in zip(wins, candidates, strict=True)]
        logits = self.logits(crops, candidates)
        most_side = GRID_PER_SIDE * self._spec.side_px
        if self._placement.in_bulk and isinstance(masks, MaskParts):
            wins = wins_in_bulk(logits, masks, most_side)
        else:
            wins = wins_one_by_one(logits, masks, most_side)
        return [shares_of(*pair) for pair in zip(wins, candidates, strict=True)]

    @torch.inference_mode()
    def logits(
        self,
        crops: Sequence[RGBImage],
        candidates: Sequence[Sequence[str]],
        through_side: int | None = None,
    ) -> tuple[Tensor, ...]:
        """For each crop the decoder's logits for its candidates, (K, s, s) float32.

        ``s`` is some ``side_px`` (the decoder's own enlargement decides); the square shows the whole crop,
        which was squeezed to ``through_side`` first if that is given.
        """
        counts = [len(own) for own in candidates]
        texts = torch.stack(self._texts.get([label for own in candidates for label in own]))
        owners = torch.arange(len(crops)).repeat_interleave(torch.tensor(counts)).to(texts.device)
        activations = self._encode_crops(self._pixels(crops, through_side))
        return torch.split(self._decode(activations, texts, owners), counts)

    def _decode(self, activations: list[Tensor], texts: Tensor, owners: Tensor) -> Tensor:
        """Logits (P, s, s) for P pairs of a crop, by its number in ``owners``, and a text (P, D).

        What transformers' decoder does, save that a crop's activations are reduced (to a tenth and
        less) before they are repeated for each of its texts.
        """
        decoder = self._model.decoder
        state = torch.zeros((), device=texts.device)
        parts = zip(reversed(activations), decoder.reduces, decoder.layers, strict=True)
        for number, (activation, reduce, layer) in enumerate(parts):
            state = reduce(activation.float())[owners] + state
            if number == decoder.conditional_layer:
                state = decoder.film_mul(texts)[:, None] * state + decoder.film_add(texts)[:, None]
            state = layer(state, attention_mask=None)
        patches = state[:, 1:].transpose(1, 2)  # without the class token
        side = math.isqrt(patches.shape[2])
        logits: Tensor = decoder.transposed_convolution(patches.reshape(len(texts), -1, side, side))
        return logits[:, 0]

    def _pixels(self, crops: Sequence[RGBImage], through_side: int | None) -> Tensor:
        """(N, 3, side_px, side_px) as the vision tower wants them."""
        place, side = self._placement, self._spec.side_px
        spec = replace(self._spec, side_px=through_side or side)
        pixels = spec.batch(crops, place.device, place.dtype, in_bulk=place.in_bulk)
        return pixels if spec.side_px == side else resize_bilinear(pixels, (side, side), False)

    def _encode_crops(self, pixels: Tensor) -> list[Tensor]:
        """What the decoder reads of the vision tower: (N, tokens, D) for each of its layers."""
        states = self._model.clip.vision_model(
            pixel_values=pixels, interpolate_pos_encoding=True, output_hidden_states=True
        ).hidden_states
        # hidden_states begins with the embeddings, before any layer.
        return [states[index + 1] for index in self._model.config.extract_layers]

    def _encode_labels(self, labels: list[str]) -> list[Tensor]:
        """One (D,) conditional embedding a label, on the model's device; all are of one padded length."""
        tokens = self._tokenizer(
            labels,
            padding="max_length",
            truncation=True,
            max_length=self._padded_length(labels[0]),
            return_tensors="pt",
        ).to(self._placement.device)
        encoded = self._model.clip.get_text_features(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        ).pooler_output
        # Cloned, else each cached row would keep its whole batch alive.
        return [row.clone() for row in encoded]

    def _padded_length(self, label: str) -> int:
        """How many tokens a label is padded to; were it the longest of a batch, others would have a say."""
        longest = int(self._model.config.text_config.max_position_embeddings)
        tokens = self._tokenizer(label, truncation=True, max_length=longest).input_ids
        return min(SHORT_TEXT, longest) if len(tokens) <= SHORT_TEXT else longest


def _placed(model: Any, dtype: torch.dtype) -> Any:
    """The model with its vision tower in ``dtype``, cut off behind the last layer that the decoder reads.

    What is cut is a sixth of ViT-B/16.
    """
    tower = model.clip.vision_model
    tower.encoder.layers = tower.encoder.layers[: max(model.config.extract_layers) + 1]
    tower.to(dtype)
    for layer in [*tower.encoder.layers, *model.decoder.layers]:
        plain = layer.self_attn
        qkv = joint(plain.q_proj, plain.k_proj, plain.v_proj)
        layer.self_attn = SelfAttention(qkv, plain.out_proj, plain.num_heads)
        layer.mlp.activation_fn = in_place(layer.mlp.activation_fn)
    return model
