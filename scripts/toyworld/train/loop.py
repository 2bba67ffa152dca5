"""The training loop all miniatures share: seeded, resumable, averaged weights, a progress bar."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

CHECKPOINT_EVERY_S = 180.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast: warm up, hold, then decay to zero over the last ``decay`` of the steps."""

    steps: int
    lr: float
    warmup: int = 100
    decay: float = 0.3
    clip: float = 1.0
    average: float = 0.998
    weight_decay: float = 0.02
    bfloat16: bool = True

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        rising = min(1.0, (step + 1) / self.warmup)
        left = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.lr * rising * min(1.0, left)


class Trainee(Protocol):
    """One miniature in training.

    ``model`` holds everything that is trained, auxiliary heads included. ``loss`` draws the data of a step
    from the step's number alone, so that a resumed run sees what an undisturbed one would have seen.
    """

    name: str
    recipe: Recipe
    model: nn.Module

    def loss(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The step's loss and figures for the progress bar."""

    def export(self, folder: Path) -> None:
        """Write the weights that ``model`` holds now as one role of the bundle."""


class Averager:
    """Exponential moving average of a model's floating-point state (Polyak averaging)."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards the model; faster while the run is young."""
        decay = min(self.decay, (step + 1) / (step + 10))
        for key, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[key].lerp_(value, 1 - decay)
            else:
                self.state[key].copy_(value)


def train(trainee: Trainee, state_dir: Path, bundle: Path, device: str = "cpu") -> None:
    """Train until the recipe's last step, from the last checkpoint if there is one, and export.

    ``state_dir`` keeps ``<name>.pt``, resumable and not for release; the role's folder in ``bundle`` gets
    the averaged weights when the last step is done, so a run cut off leaves the bundle as it was.
    """
    model, recipe = trainee.model.to(device), trainee.recipe
    optimizer = torch.optim.AdamW(
        _groups(model, recipe.weight_decay), lr=recipe.lr, betas=(0.9, 0.98)
    )
    average = Averager(model, recipe.average)
    state_file = state_dir / f"{trainee.name}.pt"
    first = _resume(state_file, model, optimizer, average)
    saved_at = monotonic()
    bar = tqdm(range(first, recipe.steps), initial=first, total=recipe.steps, desc=trainee.name)
    smooth: dict[str, float] = {}
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate(step)
        model.train()
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=recipe.bfloat16):
            loss, figures = trainee.loss(step)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        average.update(model, step)
        for key, figure in figures.items():
            value = float(figure.detach())
            smooth[key] = value if key not in smooth else 0.98 * smooth[key] + 0.02 * value
        if step % 20 == 0:
            bar.set_postfix({k: f"{v:.3f}" for k, v in smooth.items()}, refresh=False)
        if monotonic() - saved_at > CHECKPOINT_EVERY_S or step + 1 == recipe.steps:
            _save(state_file, step + 1, model, optimizer, average)
            saved_at = monotonic()
    export_average(trainee, average, bundle)


def export_average(trainee: Trainee, average: Averager, bundle: Path) -> None:
    """Export with the averaged weights in the model, then put the trained ones back."""
    trained = {k: v.detach().clone() for k, v in trainee.model.state_dict().items()}
    trainee.model.load_state_dict(average.state)
    trainee.model.eval()
    trainee.export(bundle / trainee.name)
    trainee.model.load_state_dict(trained)


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay, vectors (norms, biases) do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _resume(file: Path, model: nn.Module, optimizer: Any, average: Averager) -> int:
    if not file.exists():
        return 0
    state = torch.load(file, weights_only=True, map_location=next(model.parameters()).device)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    average.state = state["average"]
    return int(state["step"])


def _save(file: Path, step: int, model: nn.Module, optimizer: Any, average: Averager) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "step": step,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average.state,
    }
    unfinished = file.with_suffix(".partial")
    torch.save(state, unfinished)
    os.replace(unfinished, file)
