"""A sentence encoder from a folder (all-MiniLM-L6-v2 and its like): how alike two labels are."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from ssa.errors import InputError
from ssa.models.shared.pretrained import quiet_loading

REMEMBERED = 1 << 14


class SentenceEncoder:
    """Sentences as directions: the mean of their tokens' states, as the family's models were trained."""

    def __init__(self, tokenizer: object, model: torch.nn.Module) -> None:
        self._tokenizer, self._model = tokenizer, model
        self.direction = lru_cache(REMEMBERED)(self._direction)

    def likeness(self, found: str, true: str) -> float:
        """The cosine of both directions; what is below 0 is 0, as unlike as can be."""
        cosine = float(self.direction(found) @ self.direction(true))
        return min(max(cosine, 0.0), 1.0)

    @torch.inference_mode()
    def _direction(self, text: str) -> torch.Tensor:
        """(D,) float32, of length 1."""
        tokens = self._tokenizer(text, return_tensors="pt", truncation=True)  # type: ignore[operator]
        states = self._model(**tokens).last_hidden_state[0].float()
        mean = states.mean(dim=0)
        return torch.nn.functional.normalize(mean, dim=0)


def load_sentence_encoder(folder: Path) -> SentenceEncoder:
    """The encoder in ``folder``: Hugging Face's files, weights as safetensors; no host is asked.

    Raises ``InputError`` where there is none.
    """
    from transformers import AutoModel, AutoTokenizer

    if not (folder / "config.json").is_file():
        raise InputError(
            f"expected a sentence encoder in {folder}: config.json, its tokenizer and model.safetensors; got "
            "no config.json; check the name"
        )
    try:
        with quiet_loading():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"expected a sentence encoder in {folder}: config.json, its tokenizer and model.safetensors; "
            f"it can't be loaded: {str(error).splitlines()[0]}"
        ) from error
    return SentenceEncoder(tokenizer, model.eval())
