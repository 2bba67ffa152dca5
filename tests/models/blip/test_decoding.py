"""The words of the loop are those of transformers' own ``generate``, however they are worked out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ssa.models.blip.decoding import GreedyDecoder
from tests.models.checkpoints import SMALL_BLIP_TEXT, write_blip

PATCHES = 17
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The text decoder of a random BLIP, as transformers has it."""
    folder = tmp_path_factory.mktemp("blip")
    write_blip(folder)
    blip = transformers.BlipForConditionalGeneration.from_pretrained(folder).eval()
    return blip.text_decoder.requires_grad_(False)


def seen(count: int, seed: int) -> Tensor:
    """What a vision tower might say of so many crops."""
    width = int(SMALL_BLIP_TEXT["encoder_hidden_size"])
    return torch.randn(count, PATCHES, width, generator=torch.Generator().manual_seed(seed))


def ending_often(plain: Any, eagerness: float) -> Any:
    """The same decoder with an end token; it is the likelier the more eager it is."""
    eager = deepcopy(plain)
    eager.cls.predictions.decoder.bias[plain.config.sep_token_id] = eagerness
    return eager


def generated(plain: Any, patches: Tensor, longest: int) -> Tensor:
    """Transformers' words, without the start mark, filled up to ``longest``."""
    config = plain.config
    tokens = plain.generate(
        input_ids=torch.full((len(patches), 1), config.bos_token_id),
        attention_mask=torch.ones(len(patches), 1, dtype=torch.int64),
        eos_token_id=config.sep_token_id,
        pad_token_id=config.pad_token_id,
        encoder_hidden_states=patches,
        encoder_attention_mask=torch.ones(patches.shape[:2], dtype=torch.int64),
        max_new_tokens=longest,
        do_sample=False,
        num_beams=1,
    )
    return filled(tokens[:, 1:], longest, config.pad_token_id)


def filled(tokens: Tensor, longest: int, filler: int) -> Tensor:
    return torch.nn.functional.pad(tokens, (0, longest - tokens.shape[1]), value=filler)


@given(
    count=st.integers(1, 9),
    longest=st.integers(1, 12),
    eagerness=st.sampled_from([-5.0, 0.0, 2.0, 6.0, 50.0]),
    in_bulk=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60)
def test_words_are_those_of_generate(
    plain: Any, count: int, longest: int, eagerness: float, in_bulk: bool, seed: int
) -> None:
    """Token for token, in float32: early ends, an end that comes first, any number of rows."""
    eager, patches = ending_often(plain, eagerness), seen(count, seed)
    with torch.inference_mode():
        ours = GreedyDecoder(eager, longest, in_bulk=in_bulk)(patches)
        theirs = generated(eager, patches, longest)
    assert torch.equal(filled(ours, longest, plain.config.pad_token_id), theirs)
    if eagerness == 50:
        assert (theirs[:, 0] == plain.config.sep_token_id).all()


def test_captions_end_at_different_words(plain: Any) -> None:
    """Else the test above would not see a row that goes on while others have ended."""
    eager = ending_often(plain, 2.0)
    words = generated(eager, seen(40, 3), 10)
    lengths = (words != plain.config.pad_token_id).sum(1)
    assert len(lengths.unique()) > 3


def test_a_kept_sheet_remembers_nothing(plain: Any) -> None:
    """Batches of other sizes, before and after, leave no trace; neither do crops of other patches."""
    eager = ending_often(plain, 2.0)
    kept = GreedyDecoder(eager, 8, in_bulk=True)
    with torch.inference_mode():
        for number, count in enumerate((3, 9, 1, 4, 9, 2)):
            patches = seen(count, number)[:, : PATCHES - number % 2]
            fresh = GreedyDecoder(eager, 8, in_bulk=False)(patches)
            ours = kept(patches)
            assert torch.equal(filled(ours, 8, 0), filled(fresh, 8, 0))


def test_threads_take_turns_at_the_kept_sheet(plain: Any) -> None:
    eager = ending_often(plain, 2.0)
    kept = GreedyDecoder(eager, 8, in_bulk=True)
    batches = [seen(1 + number % 5, number) for number in range(24)]

    def work(patches: Tensor) -> Tensor:
        with torch.inference_mode():
            return filled(kept(patches), 8, 0)

    alone = [work(one) for one in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, batches))
    assert all(map(torch.equal, alone, together))


def test_a_sheet_that_found_no_room_is_tried_again(
    plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = GreedyDecoder(plain, 4, in_bulk=True)
    with torch.inference_mode():
        before = kept(seen(2, 0))
        with monkeypatch.context() as full:

            def no_room(*_: object) -> None:
                raise torch.OutOfMemoryError("CUDA out of memory")

            full.setattr(GreedyDecoder, "_sheet", no_room)
            with pytest.raises(torch.OutOfMemoryError):
                kept(seen(5, 1))
        assert torch.equal(kept(seen(2, 0)), before)


def test_a_step_can_be_recorded_on_a_new_sheet(plain: Any) -> None:
    """Before any word is written there, and whatever the memory held."""
    # Fills what is left uninitialised with its largest number.
    torch.use_deterministic_algorithms(True)
    try:
        decoder = GreedyDecoder(plain, 4, in_bulk=True)
        with torch.inference_mode():
            sheet = decoder._sheet(2, 5)
            decoder._next(sheet)
    finally:
        torch.use_deterministic_algorithms(False)
    assert sheet.step.item() == 1


@on_a_gpu
def test_words_are_those_of_generate_on_a_gpu(plain: Any) -> None:
    """Recorded steps, batches of several sizes; the largest first, for a larger sheet starts anew."""
    eager = ending_often(plain, 2.0).cuda()
    kept = GreedyDecoder(eager, 8, in_bulk=True)
    with torch.inference_mode():
        for number, count in enumerate((64, 9, 1, 9, 3)):
            patches = seen(count, number)
            ours = filled(kept(patches.cuda()).cpu(), 8, 0)
            assert torch.equal(ours, generated(ending_often(plain, 2.0), patches, 8))
    assert set(kept._steps) == {1, 4, 16, 64}
