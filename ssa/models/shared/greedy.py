"""How transformers' ``generate`` is told to take the likeliest word at each step, whatever a folder says.

Published folders ask for beams, or draw by chance. Greedily each row of a batch is worked out for itself, so
a batch says what its items say alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import transformers

# What of a folder's generation_config is about the words and not about the search. A penalty for repetition
# is left out: it would count the filler before shorter prompts.
KEPT = (
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "decoder_start_token_id",
    "forced_bos_token_id",
    "suppress_tokens",
    "begin_suppress_tokens",
    "bad_words_ids",
    "no_repeat_ngram_size",
)


def search_greedily(model: Any, longest: int, ends: Sequence[int] = ()) -> tuple[int, ...]:
    """Let ``model.generate`` be greedy and write at most ``longest`` tokens; ``ends`` end a text too.

    The tokens that end one. Raises ``ValueError`` where the folder names none: every text would go on to its
    bound.
    """
    told = model.generation_config
    kept = {name: getattr(told, name, None) for name in KEPT}
    own = kept["eos_token_id"]
    own = own if isinstance(own, list) else [] if own is None else [own]
    if not own:
        raise ValueError("expected a token that ends a text, in generation_config.json; got none")
    pad = own[0] if kept["pad_token_id"] is None else kept["pad_token_id"]
    model.generation_config = transformers.GenerationConfig(
        **kept | {"eos_token_id": [*own, *ends], "pad_token_id": pad},
        max_new_tokens=longest,
        do_sample=False,
        num_beams=1,
    )
    return (*own, *ends)
