"""Annotated pictures for the tests of the page, written without a model; and its server around them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ssa.dataset.identity import Identity
from ssa.dataset.outcomes import Annotated
from ssa.dataset.output import opened
from ssa.dataset.reading import results_in
from ssa.formats import sa1b_files
from ssa.masks.proposal import proposal_of
from ssa.review.log import FILE, DecisionLog
from ssa.review.web.answers import Answers
from ssa.review.web.desk import Desk
from ssa.review.web.server import server_of
from ssa.sources import Item
from ssa.sources.item import Blob
from ssa.types import AnnotatedImage, Annotation, Evidence, ScoredLabel, Vote

HEIGHT, WIDTH = 240, 320

BOXES = {
    "sky": (0, 0, 320, 90),
    "house": (40, 60, 140, 200),
    "door": (70, 140, 100, 200),
    "tree": (200, 80, 260, 200),
}
"""What each picture has, as left, top, right, bottom: the door lies on the house."""


def region(box: tuple[int, int, int, int], label: str, number: int, **more: Any) -> Annotation:
    """A rectangle with evidence: the greater its number, the surer its name."""
    left, top, right, bottom = box
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[top:bottom, left:right] = True
    looks = np.zeros(8, np.float16)
    looks[number % 8] = 1
    evidence = Evidence(
        votes=(Vote("coco", label, 0.9), Vote("ade20k", "thing" if number == 2 else label, 0.5)),
        caption=f"a {label}",
        shares=(ScoredLabel(label, 0.5 + number / 20), ScoredLabel("thing", 0.5 - number / 20)),
        cluster_id=number % 2,
        embedding=tuple(looks.tolist()),
    )
    confidence = 0.1 * (number + 1)
    return Annotation(
        proposal_of(mask), label, (label, "thing", "other"), evidence, confidence=confidence, **more
    )


def regions(first: str = "sky") -> tuple[Annotation, ...]:
    """Four; the first is called as is asked for."""
    names = [first, *list(BOXES)[1:]]
    return tuple(
        region(box, name, i)
        for i, (name, box) in enumerate(zip(names, BOXES.values(), strict=True))
    )


def photograph(seed: int) -> bytes:
    """Something like one: soft light and grain, as JPEG."""
    random = np.random.default_rng(seed)
    light = np.linspace(40, 220, WIDTH)[None, :, None] + np.linspace(-30, 30, HEIGHT)[:, None, None]
    pixels = (light + random.normal(0, 12, (HEIGHT, WIDTH, 3))).clip(0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def write_results(out: Path, pictures: Sequence[Sequence[Annotation]]) -> Path:
    """A folder of results of these pictures, photos/0.jpg and on, which lie beside it."""
    source = out.parent / "photos"
    source.mkdir(exist_ok=True)
    items = []
    for number, _ in enumerate(pictures):
        path = source / f"{number}.jpg"
        path.write_bytes(photograph(number))
        items.append(Item(f"photos/{path.name}", path.name, Blob.of_file(path)))
    with opened(out) as output:
        output.ledger.list_anew((i, item) for i, item in enumerate(items))
        outcomes = []
        for item, annotations in zip(items, pictures, strict=True):
            image = AnnotatedImage(HEIGHT, WIDTH, tuple(annotations))
            document = sa1b_files.dumps(image, item.key, item.file_name, detail=True)
            labels = dict.fromkeys(str(one.class_name) for one in annotations)
            outcomes.append(Annotated(item.key, document, tuple(labels), len(annotations)))
        identity = Identity({"bundle": "none"})
        output.ledger.keep(outcomes, identity.digest, identity.text)
        output.recover()
    return out


@contextmanager
def desk_of(out: Path) -> Iterator[Desk]:
    """Where decisions about a folder are taken."""
    with DecisionLog(out / FILE) as log:
        yield Desk(results_in(out), log)


@contextmanager
def serving(out: Path) -> Iterator[str]:
    """The page's server in this process; its address."""
    with desk_of(out) as desk:
        server = server_of(Answers(desk, results_in(out)))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield server.url
        finally:
            server.stop()
            thread.join()


@contextmanager
def serving_apart(
    out: Path, *options: str, **how: Any
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`ssa review` as a process of its own: its address, and the process."""
    command = [sys.executable, "-m", "ssa", "review", str(out), "--no-browser", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **how) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def serve_and_say(out: Path, said: Connection) -> None:
    """In a process of its own: its address goes to the one who will kill it."""
    with DecisionLog(out / FILE) as log:
        results = results_in(out)
        server = server_of(Answers(Desk(results, log), results))
        said.send(server.url)
        server.run()


def ask(url: str, payload: object = None, **headers: str) -> tuple[int, bytes]:
    """A request, a POST where there is something to say: status and body."""
    data = None if payload is None else json.dumps(payload).encode()
    known = {"content-type": "application/json"} if data is not None else {}
    request = urllib.request.Request(url, data, {**known, **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def asked(url: str, payload: object = None) -> Any:
    """The JSON of an answer that is sound."""
    status, body = ask(url, payload)
    assert status == 200, body
    return json.loads(body)
