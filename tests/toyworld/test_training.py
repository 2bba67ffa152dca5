"""The training loop: resumed is the same as undisturbed, averages are exported, the rate rises and falls."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from toyworld.train import loop
from toyworld.train.loop import Averager, Recipe, train


class Line:
    """Learns y = 2x + 1 from points that depend on the step alone."""

    name = "line"

    def __init__(self, steps: int) -> None:
        torch.manual_seed(0)
        self.recipe = Recipe(steps=steps, lr=0.05, warmup=2, bfloat16=False)
        self.model = nn.Linear(1, 1)
        self.seen: list[int] = []

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        self.seen.append(step)
        x = torch.randn(16, 1, generator=torch.Generator().manual_seed(step))
        loss = (self.model(x) - (2 * x + 1)).square().mean()
        return loss, {"loss": loss}

    def export(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.model.state_dict(), folder / "model.safetensors")


def exported(bundle: Path) -> dict[str, Tensor]:
    return load_file(bundle / "line" / "model.safetensors")


def test_a_resumed_run_ends_as_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(Line(20), tmp_path / "a", tmp_path / "whole")
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY_S", -1.0)  # after every step

    class Interrupted(Line):
        def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
            if step == 12:
                raise KeyboardInterrupt
            return super().loss(step)

    with pytest.raises(KeyboardInterrupt):
        train(Interrupted(20), tmp_path / "b", tmp_path / "parts")
    rest = Line(20)
    train(rest, tmp_path / "b", tmp_path / "parts")
    assert rest.seen == list(range(12, 20))
    whole, parts = exported(tmp_path / "whole"), exported(tmp_path / "parts")
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_training_learns_and_leaves_the_trained_weights_in_the_model(tmp_path: Path) -> None:
    trainee = Line(200)
    train(trainee, tmp_path, tmp_path / "bundle")
    assert trainee.model.weight.item() == pytest.approx(2, abs=0.05)
    average = exported(tmp_path / "bundle")["weight"].item()
    assert average == pytest.approx(2, abs=0.1)
    assert average != trainee.model.weight.item()


def test_the_rate_rises_holds_and_falls_to_nothing() -> None:
    recipe = Recipe(steps=100, lr=1.0, warmup=10, decay=0.3)
    rates = [recipe.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:70] == [1.0] * 60
    assert rates[70:] == sorted(rates[70:], reverse=True)
    assert rates[99] < 0.05


def test_the_average_lags_behind_the_model() -> None:
    model = nn.Linear(1, 1)
    average = Averager(model, decay=0.9)
    start = model.weight.item()
    with torch.no_grad():
        model.weight += 1
    average.update(model, step=10_000)
    assert average.state["weight"].item() == pytest.approx(start + 0.1, abs=1e-6)


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    train(Line(5), tmp_path, tmp_path / "bundle")
    again = Line(5)
    train(again, tmp_path, tmp_path / "bundle")
    assert again.seen == []
