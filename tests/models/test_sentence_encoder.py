from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from ssa.errors import InputError
from ssa.models.sentence_encoder import load_sentence_encoder

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "dog", "cat", "grey")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder with random weights."""
    folder = tmp_path_factory.mktemp("encoder")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_likeness_is_the_cosine_of_mean_states(folder: Path) -> None:
    encoder = load_sentence_encoder(folder)
    model = BertModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        one, other = (
            model(torch.tensor([[2, *ids, 3]])).last_hidden_state[0].mean(0)
            for ids in ([7, 6], [5])
        )
    cosine = float(torch.cosine_similarity(one, other, dim=0))
    assert encoder.likeness("grey cat", "dog") == pytest.approx(max(cosine, 0), abs=1e-6)
    assert encoder.likeness("dog", "dog") == pytest.approx(1, abs=1e-6)
    assert encoder.likeness("dog", "cat") == pytest.approx(encoder.likeness("cat", "dog"))


def test_what_is_no_encoder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        load_sentence_encoder(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(InputError, match="can't be loaded"):
        load_sentence_encoder(tmp_path)
