"""``ssa predict PICTURE...``: names the regions of a few pictures, and shows what was found."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ssa.cli import cog_client
from ssa.cli.engine_options import add_engine_options, added_segmentor, spec_of
from ssa.cli.given import add_input_options, assignment, described_inputs, text_in
from ssa.cli.table import table
from ssa.config import Settings
from ssa.dataset.engine_spec import OWN_SEGMENTORS, EngineSpec
from ssa.errors import ImageError, InputError, OutputError
from ssa.inputs import OPTIONS, checked_inputs, settings_for
from ssa.progress import StageReport

HELP = "Name every region of pictures: an overlay and annotations for each."

NAMED = (
    "mask_source",
    "labels",
    "phrases",
    "parts",
    "name_clusters",
    "unknown_below",
    "top_k",
    "detail",
    "legend",
)
WORDS = {
    "mask_source": "the model that finds the masks",
    "labels": "what the labels are",
    "phrases": "names asked as phrases: verified, completed, or both",
    "parts": "a tree of wholes and parts",
    "name_clusters": "clusters: name each by a few of its members",
    "unknown_below": "vocabulary: least share of likelihood, else unknown",
    "top_k": "proposals that the last step chooses from",
    "detail": "what every stage said, with each mask",
    "legend": "a legend beside or under the picture",
}
"""Inputs that are options too; all of them can be given with -i."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Pictures, where results go, inputs and weights."""
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = described_inputs()
    command.add_argument("pictures", nargs="*", type=Path, metavar="PICTURE")
    command.add_argument(
        "-i",
        dest="inputs",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an input of the list below; NAME=@FILE sends a file, or the text in it",
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        default=Path("output"),
        help="where files go (default: output); of several pictures, into a folder each",
    )
    command.add_argument("--json", action="store_true", help="what was found as JSON, not a table")
    command.add_argument(
        "--cog", action="store_true", help="go through the real Cog runtime; the same bytes"
    )
    labels = command.add_argument_group("what is asked")
    labels.add_argument(
        "--vocabulary", type=Path, metavar="FILE", help="your own classes: `label: synonym, ...`"
    )
    add_input_options(labels, NAMED, WORDS)
    add_engine_options(command.add_argument_group("the models"))


def run(options: argparse.Namespace) -> int:
    """Annotate each picture; 1 where some of them could not be."""
    inputs = given_inputs(options)
    pictures = [*options.pictures, *([inputs.pop("image")] if "image" in inputs else [])]
    places = folders_for(pictures, options.output)
    if options.cog:
        return cog_client.run(list(zip(pictures, places, strict=True)), inputs, options)
    if not inputs.pop("output_json", True):
        raise InputError("output_json=false is for the server; leave it out")
    checked = checked_inputs(inputs, OPTIONS)
    for picture in pictures:
        check_picture(picture)
    spec = spec_of(options)
    spec = replace(spec, settings=settings_for(spec.settings, checked))
    spec.check()
    return _annotate(list(zip(pictures, places, strict=True)), inputs, spec.placed(), options)


def given_inputs(options: argparse.Namespace) -> dict[str, Any]:
    """The inputs that were typed, by name; an option's value over one of -i."""
    inputs = dict(assignment(text) for text in options.inputs)
    inputs |= {name: getattr(options, name) for name in NAMED if getattr(options, name) is not None}
    if options.vocabulary is not None:
        inputs["vocabulary"] = text_in(options.vocabulary)
    if options.segmentor in OWN_SEGMENTORS:
        inputs["segmentor"] = options.segmentor
    return inputs


def folders_for(pictures: Sequence[Path | str], output: Path) -> list[Path]:
    """Where each picture's files go: one picture's into ``output`` itself, several into folders there.

    Raises ``InputError`` where there is no picture, ``OutputError`` where nothing can be written.
    """
    if not pictures:
        raise InputError(
            "expected a picture: ssa predict PICTURE..., or -i image=@PICTURE; got none"
        )
    check_writable(output)
    if len(pictures) == 1:
        return [output]
    places: list[Path] = []
    for picture in pictures:
        stem = Path(picture).stem
        same = sum(place.name.rpartition("~")[0] == stem or place.name == stem for place in places)
        places.append(output / (f"{stem}~{same + 1}" if same else stem))
    return places


def check_writable(folder: Path) -> None:
    """Raise ``OutputError`` where ``folder`` can't be made or written in; nothing is made."""
    above = folder.expanduser().absolute()
    while not above.exists():
        above = above.parent
    if not above.is_dir():
        raise OutputError(
            f"expected a folder to write to; got {folder}, where {above.name} is a file"
        )
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"expected a folder that can be written to; got {folder}; name another")


def check_picture(picture: Path | str) -> None:
    """Raise ``InputError`` for what is no file of this machine."""
    if isinstance(picture, str):
        raise InputError(f"a URL goes to the server: add --cog, or name a file; got {picture[:60]}")
    if picture.is_dir():
        raise InputError(
            f"expected a picture; got the folder {picture}; `ssa annotate` takes those"
        )
    if not picture.is_file():
        raise InputError(f"expected a picture; got {picture}, which isn't there")
    if not os.access(picture, os.R_OK):
        raise InputError(f"expected a picture; got {picture}, which may not be read")


def _annotate(
    work: list[tuple[Path, Path]],
    inputs: dict[str, Any],
    spec: EngineSpec,
    options: argparse.Namespace,
) -> int:
    import ssa  # here, and not before everything typed has been checked

    model = ssa.load(
        spec.bundle,
        spec.device,
        spec.dtype,
        segmentor=added_segmentor(options),
        weights=options.root,
    )
    report = _told if options.verbose else None
    failed, told = 0, []
    for picture, place in work:
        try:
            result = model.annotate(picture, progress=report, **inputs)
        except ImageError as error:
            _say(f"{picture}: {error}")
            failed += 1
            continue
        written = result.save(place)
        records = result.to_dict(detail=True)["annotations"]
        if options.json:
            told.append({"picture": str(picture), "bundle": model.bundle.name, **result.to_dict()})
        elif not options.quiet:
            show(picture if len(work) > 1 else None, records, written.values(), spec.settings)
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    elif not options.quiet or model.bundle.remedy:
        _say_last(str(model.bundle), options.quiet)
    return 1 if failed else 0


def show(
    picture: Path | None, records: list[dict[str, Any]], written: Any, settings: Settings | None
) -> None:
    """The table of one picture, under its name where there are several, and its files."""
    limit = None
    if settings is not None and settings.vocabulary is not None:
        limit = settings.labels.unknown_below
    lines = [] if picture is None else [f"{picture}:"]
    print("\n".join([*lines, *table(records, limit), *(f"wrote {path}" for path in written)]))


def _told(report: StageReport) -> None:
    if report.done >= report.total:
        _say(f"{report.stage} {report.done}/{report.total}, {report.seconds:.1f} s")


def _say_last(text: str, quiet: bool) -> None:
    print(text, file=sys.stderr if quiet else sys.stdout)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
