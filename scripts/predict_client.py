"""Behind ./scripts/predict: one prediction in the real Cog runtime, with `cog predict`'s syntax.

Starts the server, posts the inputs, passes its log on, writes the files and prints what was found.
"""

from __future__ import annotations

import argparse
import base64
import json
import mimetypes
import os
import re
import signal
import sys
import urllib.parse
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from predict import Predictor
from ssa.cli.cog_server import CogServer, LogLine, ServerError
from ssa.inputs import INPUTS

ROOT = Path(__file__).resolve().parent.parent
FILE_NAMES = {
    "img_out": "overlay.png",
    "json_out": "annotations.json",
    "label_map_out": "label_map.png",
    "classes_out": "classes.json",
}
PREDICTION = "/predictions/command-line"
TABLE_ROWS = 40


class ClientError(RuntimeError):
    """The prediction can't be had; the text is one line for the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one prediction; 0 when it succeeded, 1 with one line on standard error when it failed."""
    options = parse_arguments(arguments)
    folder = caller_folder()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        inputs = dict(parse_input(text, folder) for text in options.inputs)
        output, bundle = predict(inputs, environment_of(options, folder))
        written = write_files(output, folder / options.output)
    except (ClientError, ServerError, OSError) as error:
        print(f"predict: {reason_in(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("predict: stopped", file=sys.stderr)
        return 130
    print(summary(written, bundle))
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """``inputs`` (texts of the form name=value), ``output`` (folder), ``bundle`` and ``segmentor``."""
    parser = argparse.ArgumentParser(
        prog="predict",
        description=Predictor.__doc__,
        epilog=describe_inputs(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-i",
        dest="inputs",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an input of the list below; NAME=@FILE sends a file, or the text in it",
    )
    parser.add_argument(
        "-o", dest="output", metavar="DIR", default="output", help="default: output"
    )
    parser.add_argument(
        "--bundle", metavar="NAME", help="the weights to use (tiny, light, base); default: the best"
    )
    parser.add_argument(
        "--segmentor",
        metavar="FOLDER",
        help="one more segmentor for labels=closed-set, as transformers saves it",
    )
    return parser.parse_args(arguments)


def describe_inputs() -> str:
    """The predictor's inputs as a list for the help: name, default, description."""
    lines = ["inputs:"]
    for name, field in INPUTS.items():
        default = "" if field.default is None else f" (default: {json.dumps(field.default)})"
        lines += [f"  {name}{default}", f"      {field.description}"]
    return "\n".join(lines)


def environment_of(options: argparse.Namespace, folder: Path) -> dict[str, str]:
    """What the server is told by its environment; the segmentor's folder is meant from ``folder``."""
    environment = {}
    if options.bundle:
        environment["SSA_BUNDLE"] = options.bundle
    if options.segmentor:
        segmentor = folder / Path(options.segmentor).expanduser()
        if not segmentor.is_dir():
            raise ClientError(f"there is no folder {segmentor}")
        environment["SSA_SEGMENTOR"] = str(segmentor.absolute())
    return environment


def caller_folder() -> Path:
    """Where the command was typed; relative paths are meant from there."""
    return Path(os.environ.get("CALLER_DIR", os.getcwd()))


def parse_input(text: str, folder: Path) -> tuple[str, Any]:
    """The name and the JSON value of ``name=value``; a file becomes a data URI or, for a text, its text."""
    name, equals, value = text.partition("=")
    types = input_types()
    if not equals:
        raise ClientError(f"expected -i NAME=VALUE; got -i {text}")
    if name not in types:
        raise ClientError(f"there is no input {name!r}; there are {', '.join(types)}")
    if value.startswith("@"):
        path = folder / Path(value[1:]).expanduser()
        return name, text_in(path) if types[name] is str else data_uri(path)
    if types[name].__name__ == "Path" and urllib.parse.urlparse(value).scheme not in (
        "http",
        "https",
        "data",
    ):
        raise ClientError(f"{name} is a file: write -i {name}=@{value}")
    return name, parse_value(value, types[name])


def input_types() -> dict[str, type]:
    """The type of every input by name; of an optional one the type when it is given."""
    return {name: field.kind for name, field in INPUTS.items()}


def parse_value(text: str, kind: type) -> Any:
    """``text`` as the JSON value of an input of type ``kind``; what doesn't fit stays text.

    The predictor's own check refuses the latter, so there is one wording of it.
    """
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def data_uri(path: Path) -> str:
    """The file at ``path`` as a data URI; its type is guessed from its suffix."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(content_of(path)).decode()}"


def text_in(path: Path) -> str:
    """The text in the file at ``path``, in UTF-8."""
    try:
        return content_of(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClientError(f"expected a text in UTF-8 in {path}: {error.reason}") from error


def content_of(path: Path) -> bytes:
    """The bytes of the file at ``path``."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ClientError(f"can't read {path}: {error.strerror}") from error


def predict(inputs: dict[str, Any], environment: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The prediction's output and the line in which the server named its bundle."""
    print("starting the model ...", file=sys.stderr)
    with CogServer(ROOT, environment, on_line=show_line) as server:
        server.wait_until_ready()
        try:
            answer = server.request("PUT", PREDICTION, {"input": inputs})
        except BaseException:
            # Else the server would finish the prediction before it ends.
            with suppress(OSError):
                server.request("POST", f"{PREDICTION}/cancel")
            raise
        named = [line.message for line in server.lines if line.message.startswith("bundle ")]
    return successful_output(answer.body), named[-1] if named else ""


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


def summary(written: dict[str, Path], bundle: str) -> str:
    """The table of what was found, the files, and what answered."""
    lines = []
    if "json_out" in written:
        lines += table(json.loads(written["json_out"].read_text()))
    lines += [f"wrote {path}" for path in written.values()]
    return "\n".join([*lines, bundle] if bundle else lines)


def table(records: list[dict[str, Any]]) -> list[str]:
    """One line a mask: label, share of the picture, mask quality, proposals.

    The largest first; where masks are wholes and parts, parts stand below their whole, set in.
    """
    if not records:
        return ["no masks found"]
    rows = in_order(records)
    width = max(5, *(len(label_of(record)) for record in rows))
    lines = [f"{'label':<{width}}  {'area':>6}  {'quality':>7}  proposals"]
    lines += [table_row(record, width) for record in rows[:TABLE_ROWS]]
    hidden = len(records) - TABLE_ROWS
    rest = "more" if "level" in records[0] else "smaller ones"
    return [*lines, f"... and {hidden} {rest}"] if hidden > 0 else lines


def in_order(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records, the largest first, each followed by its parts in the same order."""
    parts: dict[int | None, list[dict[str, Any]]] = {}
    for record in sorted(records, key=lambda record: -record["area"]):
        parts.setdefault(record.get("parent_id"), []).append(record)
    waiting = parts.get(None, [])[::-1]
    found = []
    while waiting:
        record = waiting.pop()
        found.append(record)
        waiting += parts.get(record.get("id", -1), [])[::-1]
    return found


def label_of(record: dict[str, Any]) -> str:
    """The label, set in by its level; a dash where no label was asked for."""
    return "  " * int(record.get("level", 0)) + str(record.get("class_name", "-"))


def table_row(record: dict[str, Any], width: int) -> str:
    """One mask's line; ``quality`` is the model's own estimate of the mask's IoU."""
    height, breadth = record["segmentation"]["size"]
    share = record["area"] / (height * breadth)
    proposals = ", ".join(record.get("class_proposals", []))
    line = (
        f"{label_of(record):<{width}}  {share:>6.1%}  {record['predicted_iou']:>7.2f}  {proposals}"
    )
    return line.rstrip()


if __name__ == "__main__":
    sys.exit(main())
