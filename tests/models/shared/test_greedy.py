"""The likeliest token at each step, whatever a published folder asks for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers

from ssa.models.shared.greedy import search_greedily


@pytest.fixture
def model() -> Any:
    """Twenty words in a random order, of which it likes all the more a word again."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=20,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        initializer_range=1.0,
    )
    return transformers.LlamaForCausalLM(config).eval()


def likeliest(model: Any, start: int, count: int) -> list[int]:
    """So many words after the first, each from a look at all before it."""
    words = [start]
    with torch.inference_mode():
        for _ in range(count):
            words.append(int(model(torch.tensor([words])).logits[0, -1].argmax()))
    return words[1:]


def written(model: Any, start: int) -> list[int]:
    one = torch.tensor([[start]])
    tokens = model.generate(input_ids=one, attention_mask=torch.ones_like(one))
    return [int(token) for token in tokens[0, 1:]]


PUBLISHED: dict[str, Any] = {"eos_token_id": 19, "pad_token_id": 0}


@pytest.mark.parametrize(
    "asks",
    [
        {"num_beams": 3, "early_stopping": True},
        {"do_sample": True, "temperature": 2.0, "top_k": 5, "top_p": 0.9},
        {"repetition_penalty": 5.0},
        {"max_length": 3, "min_length": 2},
    ],
    ids=lambda asks: next(iter(asks)),
)
def test_however_the_folder_would_search(model: Any, asks: dict[str, Any]) -> None:
    model.generation_config = transformers.GenerationConfig(**PUBLISHED, **asks)
    assert search_greedily(model, 6) == (19,)
    for start in range(1, 10):
        expected = likeliest(model, start, 6)
        if 19 not in expected:
            assert written(model, start) == expected


def test_it_ends_where_the_folder_or_the_caller_says(model: Any) -> None:
    words = likeliest(model, 1, 8)
    end = words[3]
    model.generation_config = transformers.GenerationConfig(eos_token_id=[18, 19])
    assert search_greedily(model, 8, ends=[end]) == (18, 19, end)
    assert written(model, 1) == words[: words.index(end) + 1]
    # Rows that have ended are filled up with an end where there is no filler.
    assert model.generation_config.pad_token_id == 18


def test_what_the_folder_says_of_the_words_stays(model: Any) -> None:
    word = likeliest(model, 1, 1)[0]
    model.generation_config = transformers.GenerationConfig(**PUBLISHED, suppress_tokens=[word])
    search_greedily(model, 5)
    assert word not in written(model, 1)


def test_without_an_end_there_is_an_error() -> None:
    endless = SimpleNamespace(generation_config=transformers.GenerationConfig())
    with pytest.raises(ValueError, match="a token that ends a text"):
        search_greedily(endless, 5)
