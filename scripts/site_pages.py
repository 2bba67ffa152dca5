"""What the site has beside docs/: the front page, the cards and the pictures, by mkdocs' hooks.

Pages link to each other as files of the repository, so that they read there too. Here a file outside docs/
gets its place in the site, and links to it are led there.
"""

from __future__ import annotations

import posixpath
import re
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "LICENSE": "LICENSE.txt",
    "benchmarks/README.md": "benchmarks.md",
    "weights/README.md": "weights.md",
    "weights/tiny/README.md": "miniatures.md",
    "weights/tiny-modern/README.md": "newer-miniatures.md",
    **{
        path.relative_to(ROOT).as_posix(): f"examples/{path.name}"
        for path in sorted((ROOT / "examples").glob("*.png"))
    },
}
"""Files outside docs/ that the site has, and where; all its pages lie side by side."""

CODE = re.compile(r"(^```.*?^```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()(?P<path>[^)\s#:]+)(?=[)#])")


def on_files(files: Any, config: Any) -> Any:
    """Add the files of ``PLACES`` to those in docs/."""
    file = import_module("mkdocs.structure.files").File
    for source, place in PLACES.items():
        files.append(file.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """A page with its links as the site needs them."""
    place = page.file.src_uri
    source = next((path for path, other in PLACES.items() if other == place), f"docs/{place}")
    return led_anew(markdown, source)


def led_anew(markdown: str, source: str) -> str:
    """The text of the page ``source``, a path of the repository, with links between places of the site.

    Links to what the site doesn't have stay as they are: mkdocs complains of them.
    """

    def new(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["path"]))
        return PLACES.get(target, target.removeprefix("docs/"))

    pieces = CODE.split(markdown)
    pieces[::2] = [LINK.sub(new, prose) for prose in pieces[::2]]
    return "".join(pieces)
