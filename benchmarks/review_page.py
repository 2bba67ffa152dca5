"""The page of ``ssa review`` on a large picture, in a real browser: how long it takes to open and to hover.

    PYTHONPATH=.:scripts .venv/bin/python -m benchmarks.review_page [--regions 1000] [--rounds 3]

A picture of 3840 × 2160 with regions of all sizes that overlap, drawn from a seed. A hover is the page's own
work for one movement of the mouse, read back from the canvas; when the screen shows it is the browser's.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from benchmarks.report import machine
from ssa.cli.arguments import positive
from ssa.dataset.identity import Identity
from ssa.dataset.outcomes import Annotated
from ssa.dataset.output import opened
from ssa.formats import sa1b_files
from ssa.masks.proposal import proposal_of
from ssa.sources import Item
from ssa.sources.item import Blob
from ssa.types import AnnotatedImage, Annotation

HEIGHT, WIDTH = 2160, 3840
HOVERS = 300
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# What the page leaves to the next frame is done at once here, so that it is in the time.
HOVER = """(points) => {
  const stage = document.getElementById('stage'), box = stage.getBoundingClientRect();
  const context = document.getElementById('top').getContext('2d');
  const later = window.requestAnimationFrame;
  let waiting = null;
  window.requestAnimationFrame = (draw) => { waiting = draw; return 1; };
  const taken = points.map(([x, y]) => {
    const began = performance.now();
    const at = {clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true};
    stage.dispatchEvent(new PointerEvent('pointermove', at));
    if (waiting) waiting(began);
    waiting = null;
    context.getImageData(0, 0, 1, 1);
    return performance.now() - began;
  });
  window.requestAnimationFrame = later;
  return taken;
}"""


def write_picture(out: Path, regions: int) -> None:
    """Results of one picture, as a run would leave them."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (27, 48, 3), dtype=np.uint8)
    path = out.parent / "large.jpg"
    Image.fromarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)).save(path)
    annotations = []
    for number in range(regions):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        centre = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
        axes = tuple(int(side) for side in rng.uniform(20, 40 + 500 * rng.random() ** 4, 2))
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
        name = f"thing {number % 40}"
        annotations.append(Annotation(proposal_of(mask.astype(bool)), name, (name, "thing")))
    item = Item("large.jpg", "large.jpg", Blob.of_file(path))
    document = sa1b_files.dumps(
        AnnotatedImage(HEIGHT, WIDTH, tuple(annotations)), item.key, item.file_name
    )
    with opened(out) as output:
        output.ledger.list_anew([(0, item)])
        identity = Identity({"bundle": "none"})
        outcome = Annotated(item.key, document, ("thing",), regions)
        output.ledger.keep([outcome], identity.digest, identity.text)
        output.recover()


def measure(browser: Any, url: str) -> tuple[float, list[float]]:
    """Seconds until the page is ready, and milliseconds of each hover."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("body[data-ready=yes]")
    opening = time.perf_counter() - began
    points = np.random.default_rng(1).uniform(0.05, 0.95, (HOVERS, 2)).tolist()
    hovers = page.evaluate(HOVER, points)
    page.close()
    return opening, hovers


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regions", type=positive, default=1000)
    parser.add_argument("--rounds", type=positive, default=3)
    given = parser.parse_args()
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit("expected a Chromium; got none; install one, or name it with CHROMIUM=...")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        out = Path(folder) / "out"
        write_picture(out, given.regions)
        command = [sys.executable, "-m", "ssa", "review", str(out), "--no-browser"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        url = re.match(r"\S+", server.stdout.readline() if server.stdout else "")
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        rounds = [measure(browser, url.group() if url else "") for _ in range(given.rounds)]
        browser.close()
        server.terminate()
    hovers = sorted(one for _, own in rounds for one in own)
    print(machine(torch.device("cpu")))
    print(f"{given.regions:,} regions on {WIDTH} × {HEIGHT}; Chromium without GPU")
    print(f"opening: {', '.join(f'{opening:.2f}' for opening, _ in rounds)} s")
    print(
        f"hover: median {statistics.median(hovers):.1f} ms, 95 % within "
        f"{hovers[int(0.95 * len(hovers))]:.1f}, at most {hovers[-1]:.1f}"
    )


if __name__ == "__main__":
    main()
