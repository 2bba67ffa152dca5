"""Memory does not grow from prediction to prediction; a predictor that leaks its overlays is caught.

Each case runs in a process of its own, whose resident memory nothing else disturbs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PREDICTIONS = 300
WARM_UP = 20
MOST_GROWTH = 0.05
PICTURES, PICTURE_PX = 10, 384


def largest_growth(
    step: Callable[[int], object], rounds: int, warm_up: int, memory: Callable[[], int]
) -> float:
    """How far ``memory`` rises over its highest in the first ``warm_up`` rounds, as a share of that.

    ``step`` is given the number of the round. A rise of more than ``MOST_GROWTH`` ends the rounds.
    """
    highest, growth = 0, 0.0
    for number in range(rounds):
        step(number)
        if number < warm_up:
            highest = max(highest, memory())
        else:
            growth = max(growth, memory() / highest - 1)
        if growth > MOST_GROWTH:
            break
    return growth


def resident_bytes() -> int:
    """What this process holds in RAM, by Linux's own count."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("per_round", "noise", "grows"), [(0, 0, False), (1, 0, False), (0, 90, False), (2, 0, True)]
)
def test_growth_is_told_from_steadiness_and_noise(per_round: int, noise: int, grows: bool) -> None:
    def memory() -> int:  # 5 % of it is 100: one a round for 80 rounds is less, two are more
        return 2000 + per_round * len(done) + noise * (len(done) % 3)

    done: list[int] = []
    growth = largest_growth(done.append, WARM_UP + 80, WARM_UP, memory)
    assert (growth > MOST_GROWTH) == grows


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc"
)
@pytest.mark.parametrize("leaks", [False, True])
def test_memory_grows_only_when_overlays_are_kept(leaks: bool, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path), "leak" if leaks else "free"],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}",
            "SSA_BUNDLE": "tiny",
            "SSA_DEVICE": "cpu",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    growth = float(done.stdout.split()[-1])
    assert (growth > MOST_GROWTH) == leaks


def predict_many_times(folder: Path, leaks: bool) -> None:
    """Print the growth over all predictions; with ``leaks`` overlays are kept."""
    import cog
    import numpy as np
    from PIL import Image

    from predict import Predictor
    from toyworld.scenes import draw_scene

    paths = [cog.Path(folder / f"{number}.png") for number in range(PICTURES)]
    for number, path in enumerate(paths):
        Image.fromarray(draw_scene(number, PICTURE_PX, PICTURE_PX).image).save(path)
    predictor = Predictor()
    predictor.setup()
    kept = []

    def step(number: int) -> None:
        output = predictor.predict(image=paths[number % PICTURES], points_per_side=6)
        if leaks:
            with Image.open(output.img_out) as overlay:
                kept.append(np.array(overlay))

    growth = largest_growth(step, PREDICTIONS, WARM_UP, resident_bytes)
    print(f"resident at the end: {resident_bytes() / 1e6:.0f} MB; largest growth: {growth:.4f}")


if __name__ == "__main__":
    predict_many_times(Path(sys.argv[1]), leaks=sys.argv[2] == "leak")
