"""``ssa predict --cog``: predictions in the real Cog runtime, as its clients make them.

Starts the server, posts the inputs, passes its log on, writes the files and shows what was found.
"""

from __future__ import annotations

import argparse
import base64
import json
import mimetypes
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ssa.api.files import ANNOTATIONS, CLASSES, LABEL_MAP, OVERLAY
from ssa.cli.cog_server import CogServer, LogLine
from ssa.cli.engine_options import added_segmentor
from ssa.cli.table import table
from ssa.errors import InputError
from ssa.weights.places import MODEL_FOLDER

FILE_NAMES = {
    "img_out": OVERLAY,
    "json_out": ANNOTATIONS,
    "label_map_out": LABEL_MAP,
    "classes_out": CLASSES,
}
PREDICTION = "/predictions/command-line"


class ClientError(InputError):
    """The prediction can't be had; the text is one line for the terminal."""


def run(
    work: Sequence[tuple[Path | str, Path]], inputs: dict[str, Any], options: argparse.Namespace
) -> int:
    """One prediction a picture, on one server; 1 where some failed."""
    environment = environment_of(options)
    pictures = [(one, data_uri(one) if isinstance(one, Path) else one) for one, _ in work]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    say = (lambda line: None) if options.quiet else show_line
    if not options.quiet:
        print("starting the model ...", file=sys.stderr)
    failed, told = 0, []
    with CogServer(MODEL_FOLDER, environment, on_line=say) as server:
        server.wait_until_ready()
        for (picture, image), (_, place) in zip(pictures, work, strict=True):
            try:
                output = predict(server, {**inputs, "image": image})
            except ClientError as error:
                print(f"predict: {reason_in(str(error))}", file=sys.stderr)
                failed += 1
                continue
            written = write_files(output, place)
            if options.json:
                told.append({"picture": str(picture)[:200], "annotations": _records(written)})
            elif not options.quiet:
                print("\n".join(([f"{picture}:"] if len(work) > 1 else []) + summary(written)))
        whose = server.line_beginning("bundle ")
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    elif whose and not failed:
        print(whose, file=sys.stderr if options.quiet else sys.stdout)
    return 1 if failed else 0


def environment_of(options: argparse.Namespace) -> dict[str, str]:
    """What the server is told by its environment."""
    segmentor = added_segmentor(options)
    if segmentor is not None and not segmentor.is_dir():
        raise ClientError(f"there is no folder {segmentor}")
    given = {
        "SSA_BUNDLE": options.bundle,
        "SSA_DEVICE": options.device,
        "SSA_DTYPE": options.dtype,
        "SSA_SEGMENTOR": segmentor and str(segmentor.absolute()),
        "SSA_WEIGHTS": options.root and str(options.root.expanduser().absolute()),
    }
    return {name: value for name, value in given.items() if value}


def data_uri(path: Path) -> str:
    """The file at ``path`` as a data URI; its type is guessed from its suffix."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ClientError(f"can't read {path}: {error.strerror}") from error
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def predict(server: CogServer, inputs: dict[str, Any]) -> dict[str, Any]:
    """The prediction's output; when the caller is stopped, so is the prediction."""
    try:
        answer = server.request("PUT", PREDICTION, {"input": inputs})
    except BaseException:
        # Else the server would finish the prediction before it ends.
        with suppress(OSError):
            server.request("POST", f"{PREDICTION}/cancel")
        raise
    return successful_output(answer.body)


def show_line(line: LogLine) -> None:
    """Pass on what the predictor prints, without Cog's remarks on old names and on its own doings."""
    remark = "DeprecationWarning" in line.message or line.message.startswith("worker::coglet")
    if line.printed and line.message and not remark:
        print(line.message, file=sys.stderr, flush=True)


def successful_output(body: Any) -> dict[str, Any]:
    """The output of an answer; ``ClientError`` with the server's reason when there is none."""
    if isinstance(body, dict) and body.get("status") == "succeeded":
        return dict(body["output"])
    if isinstance(body, dict) and "detail" in body:
        reasons = [f"{item['loc'][-1]}: {item['msg']}" for item in body["detail"]]
        raise ClientError("; ".join(reasons))
    raise ClientError(str(body.get("error", body) if isinstance(body, dict) else body))


def reason_in(text: str) -> str:
    """``text`` without the words that Cog and Python put before an exception's own."""
    return re.sub(r"^(Prediction failed: )*(\w+Error: )?", "", text)


def write_files(output: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Write the data URIs of ``output`` into ``folder``, each file whole or not at all.

    Files of an earlier run that this one has no counterpart for are removed: they'd tell of another
    picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for field, name in FILE_NAMES.items():
        path = folder / name
        if output.get(field) is None:
            path.unlink(missing_ok=True)
            continue
        partial = folder / f".{name}.partial"
        partial.write_bytes(base64.b64decode(output[field].partition(",")[2]))
        written[field] = partial.replace(path)
    return written


def summary(written: dict[str, Path]) -> list[str]:
    """The table of what was found, and the files."""
    found = table(_records(written)) if "json_out" in written else []
    return [*found, *(f"wrote {path}" for path in written.values())]


def _records(written: dict[str, Path]) -> list[dict[str, Any]]:
    path = written.get("json_out")
    return [] if path is None else list(json.loads(path.read_text()))
