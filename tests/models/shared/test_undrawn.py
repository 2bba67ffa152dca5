"""Nothing is drawn while it lasts; all else, and all that comes after, is as ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ssa.models.shared.undrawn import NothingDrawn

DRAWS: list[Callable[[Tensor], Tensor]] = [
    nn.init.normal_,
    nn.init.uniform_,
    nn.init.kaiming_uniform_,
    Tensor.normal_,
    Tensor.uniform_,
]


@pytest.mark.parametrize("draw", DRAWS)
def test_a_tensor_keeps_what_it_holds(draw: Callable[[Tensor], Tensor]) -> None:
    held = torch.arange(6.0).view(2, 3)
    with NothingDrawn():
        assert draw(held) is held
    assert torch.equal(held, torch.arange(6.0).view(2, 3))
    draw(held)
    assert not torch.equal(held, torch.arange(6.0).view(2, 3))


def test_what_is_not_drawn_has_its_values() -> None:
    with NothingDrawn():
        norm = nn.LayerNorm(3)
        mask = torch.full((2, 2), -1.0).triu_(1)
        bias = nn.init.constant_(torch.empty(2), 4.0)
    assert torch.equal(norm.weight, torch.ones(3))
    assert torch.equal(mask, torch.tensor([[0.0, -1.0], [0.0, 0.0]]))
    assert bias.tolist() == [4.0, 4.0]


def test_the_generator_is_where_it_was() -> None:
    before = torch.get_rng_state()
    with NothingDrawn():
        nn.Linear(5, 7)
        nn.Embedding(5, 7)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_thread_draws_as_ever() -> None:
    drawn = torch.zeros(8)
    with NothingDrawn():
        thread = threading.Thread(target=nn.init.normal_, args=(drawn,))
        thread.start()
        thread.join()
    assert drawn.abs().min() > 0
