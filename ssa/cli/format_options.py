"""Options that say which formats are written and how, alike in every command that writes some."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssa.cli.arguments import probability
from ssa.cli.given import text_in
from ssa.dataset.export import Wanted
from ssa.formats.categories import Categories
from ssa.formats.options import FormatOptions
from ssa.formats.table import FORMATS, SA1B, parse_formats
from ssa.labelling.aliases import NO_ALIASES, Aliases, parse_aliases
from ssa.review.amending import Amended


def add_format_options(options: argparse.ArgumentParser, default: str | None = SA1B) -> None:
    """``--format`` and what changes the files; without a ``default`` it has to be given."""
    there = [name for name in FORMATS if default or name != SA1B]
    always = f"; {SA1B} is always written" if default else ""
    options.add_argument(
        "--format",
        default=default,
        required=default is None,
        help=f"what to write, with commas between: {', '.join(there)}{always}",
    )
    options.add_argument(
        "--categories",
        type=Path,
        metavar="FILE",
        help="categories.json of an earlier run: ids go on from it",
    )
    add_aliases_option(options, "labels to merge or rename: `cat: black cat, kitty` a line")
    options.add_argument(
        "--rejected",
        action="store_true",
        help="also regions that a person rejected, in formats to train with",
    )
    options.add_argument(
        "--least-confidence",
        type=probability,
        metavar="P",
        help="in formats to train with: only names that are right with this probability, or accepted",
    )
    options.add_argument(
        "--picture-prefix",
        default="",
        metavar="URL",
        help="label-studio: what comes before a picture's name where it is served",
    )
    options.add_argument(
        "--link-images",
        action="store_true",
        help="coco, coco-polygons, yolo: images/ with a link to each picture (a copy of those in tars)",
    )
    options.add_argument(
        "--split",
        type=float,
        metavar="SHARE",
        help="yolo: the share of pictures to train with, such as 0.8; the others are to validate",
    )


def add_aliases_option(options: argparse.ArgumentParser, words: str) -> None:
    """``--aliases``, for ``aliases_in``."""
    options.add_argument("--aliases", type=Path, metavar="FILE", help=words)


def wanted_of(options: argparse.Namespace, out: Path, labels: tuple[str, ...] = ()) -> Wanted:
    """What was asked for, of results in ``out``; ``labels`` are categories to have first.

    Raises ``InputError`` for a format, a file or an option that isn't one.
    """
    return Wanted(
        parse_formats(options.format),
        Categories.load(options.categories) if options.categories else Categories(),
        labels,
        FormatOptions(
            picture_prefix=options.picture_prefix,
            link_images=options.link_images,
            split=options.split,
            rejected=options.rejected,
            least_confidence=options.least_confidence,
        ),
        Amended.of(out, aliases_in(options)),
    )


def aliases_in(options: argparse.Namespace) -> Aliases:
    """The aliases in the file that was named. Raises ``InputError`` for a file that has none."""
    return NO_ALIASES if options.aliases is None else parse_aliases(text_in(options.aliases))
