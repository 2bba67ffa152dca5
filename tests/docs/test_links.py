"""Pages: links lead somewhere, tables name what there is, and the front page stays one."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import pytest

from ssa.cli.app import COMMANDS
from ssa.formats.table import FORMATS
from ssa.inputs import INPUTS
from tests.docs.pages import PAGES, ROOT, anchors, links, text_of

MOST_BYTES_OF_THE_FRONT_PAGE = 9_000


def complaint(page: str, target: str) -> str | None:
    """What is wrong with a link of a page; None for nothing."""
    path, _, anchor = target.partition("#")
    other = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    if not (ROOT / other).exists() or other.startswith(".."):
        return f"{page}: {target} isn't there"
    if anchor and anchor not in anchors(other):
        return (
            f"{page}: {other} has no heading {anchor}; it has {', '.join(sorted(anchors(other)))}"
        )
    return None


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert [one for target in links(page) if (one := complaint(page, target))] == []


def test_a_link_that_leads_nowhere_is_seen() -> None:
    assert complaint("docs/python.md", "gone.md") == "docs/python.md: gone.md isn't there"
    assert complaint("docs/python.md", "../../python.md")
    assert complaint("docs/python.md", "inputs.md#a-record") is None
    assert complaint("docs/python.md", "inputs.md#a-recording")
    assert complaint("docs/python.md", "#gone")


def test_the_front_page_is_one() -> None:
    assert (ROOT / "README.md").stat().st_size <= MOST_BYTES_OF_THE_FRONT_PAGE
    for command in ("./scripts/predict -i image=@examples/street.png", "./scripts/test"):
        assert command in text_of("README.md")


def test_the_front_page_leads_to_all_pages() -> None:
    linked = {target.partition("#")[0] for target in links("README.md")}
    assert {page for page in PAGES if page != "README.md"} <= linked


@pytest.mark.parametrize("page", PAGES)
def test_modules_and_scripts_that_pages_name_are_there(page: str) -> None:
    if page == "CHANGELOG.md":
        return  # it speaks of the past
    named = re.findall(r"(?:\./)?\b(?:ssa|scripts|tests|benchmarks)/[\w/.]*\w", text_of(page))
    assert [name for name in named if not Path(ROOT, name).exists()] == []


def first_cells(text: str) -> list[str]:
    """The first code span of each row of tables."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def test_the_table_of_inputs_is_the_programs() -> None:
    inputs = text_of("docs/inputs.md").partition("## Inputs")[2].partition("## Outputs")[0]
    assert sorted(first_cells(inputs)) == sorted(INPUTS)
    for name, field in INPUTS.items():
        (row,) = (line for line in inputs.splitlines() if line.startswith(f"| `{name}` |"))
        assert all(f"`{choice}`" in row for choice in field.choices or ())
        if field.kind in (int, float):
            least, greatest = (float(bound) for bound in field.bounds)
            shown = re.search(r"(\d[\d.,]*) to (\d[\d.,]*)", row)
            assert shown is not None, row
            assert [float(one.replace(",", "")) for one in shown.groups()] == [least, greatest]


def test_the_table_of_formats_is_the_programs() -> None:
    formats = text_of("docs/datasets.md").partition("## Formats")[2].partition("\n## ")[0]
    assert sorted(first_cells(formats)) == sorted(FORMATS)


def test_every_command_is_on_its_page() -> None:
    assert [name for name in COMMANDS if f"`ssa {name}" not in text_of("docs/install.md")] == []
