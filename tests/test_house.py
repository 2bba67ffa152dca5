"""The house rules that a reader can't see at a glance: sizes of files and functions, tests beside modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES, MOST_OF_A_FUNCTION = 250, 60

SOURCES = [
    ROOT / "predict.py",
    *(path for top in ("ssa", "scripts", "benchmarks") for path in (ROOT / top).rglob("*.py")),
]

LONG_FILES = {"predict.py": 300}  # each input is some five lines of it
LONG_FUNCTIONS = {
    "predict.py": {"predict"},  # Cog reads inputs off one signature: each is three lines of it.
}

TESTED_ELSEWHERE = {
    "ssa/__main__.py": "tests/cli/test_app.py",
    "ssa/cli/annotate_options.py": "tests/cli/test_annotate.py",
    "ssa/cli/cog_server.py": "tests/test_predict.py",  # every test there asks such a server
    "ssa/cli/engine_options.py": "tests/cli/test_annotate.py",
    "ssa/cli/format_options.py": "tests/cli/test_export.py",
    "ssa/cli/score_inputs.py": "tests/cli/test_score.py",
    "ssa/dataset/amendments.py": "tests/review/test_amending.py",
    "ssa/formats/parquet_tables.py": "tests/formats/test_parquet.py",
    "ssa/review/web/answers.py": "tests/review/web/test_app.py",  # each is asked for over HTTP
    "ssa/models/shared/open_clip_folder.py": "tests/models/test_clip.py",
    "ssa/weights/manifest_format.py": "tests/weights/test_manifest.py",
    # Through the roles that they serve.
    "ssa/models/tables/captioners.py": "tests/models/test_roles.py",
    "ssa/models/tables/choosers.py": "tests/models/test_roles.py",
    "ssa/models/tables/dense_rankers.py": "tests/models/test_roles.py",
    "ssa/models/tables/phrase_models.py": "tests/models/test_roles.py",
    "ssa/models/tables/rankers.py": "tests/models/test_roles.py",
    "ssa/models/tables/segmentors.py": "tests/models/test_semantic_segmentor.py",
    # The recorded outputs of the published model, its intermediate ones too, go through all of it.
    "ssa/models/semantic_sam/attention.py": "tests/models/semantic_sam/test_reference.py",
    "ssa/models/semantic_sam/click_decoder.py": "tests/models/semantic_sam/test_reference.py",
    "ssa/models/semantic_sam/pixel_decoder.py": "tests/models/semantic_sam/test_reference.py",
    # Transformers' own of the same weights.
    "ssa/models/oneformer/parts.py": "tests/models/oneformer/test_model.py",
    "ssa/models/oneformer/pixel_decoder.py": "tests/models/oneformer/test_model.py",
    "ssa/models/oneformer/query_decoder.py": "tests/models/oneformer/test_model.py",
    "ssa/models/shared/swin.py": "tests/models/shared/test_backbone.py",
}
"""Modules without a test file of their own, and the one that is theirs too."""

NOTHING_TO_RUN = {
    *("ssa/stages.py", "ssa/dataset/protocols.py", "ssa/models/promptable/model.py"),  # Protocols
    "ssa/review/web/results.py",  # one more
    "ssa/dataset/outcomes.py",  # values without a method
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of lines of each function and method, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_can_be_held_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONG_FILES.get(named(path), MOST_LINES)
    long = {name for name, lines in functions(path) if lines > MOST_OF_A_FUNCTION}
    assert long == LONG_FUNCTIONS.get(named(path), set())


def modules() -> list[Path]:
    return [path for path in (ROOT / "ssa").rglob("*.py") if path.name != "__init__.py"]


def mirror_of(path: Path) -> Path:
    inside = path.relative_to(ROOT / "ssa")
    return ROOT / "tests" / inside.parent / f"test_{inside.name}"


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_module_has_its_tests_where_it_would_be_looked_for(path: Path) -> None:
    name = named(path)
    if name in NOTHING_TO_RUN:
        assert not mirror_of(path).exists()
    elif name in TESTED_ELSEWHERE:
        assert not mirror_of(path).exists()
        assert (ROOT / TESTED_ELSEWHERE[name]).is_file()
    else:
        assert mirror_of(path).is_file(), f"{name} has no {named(mirror_of(path))}"


def test_no_exception_is_for_a_module_that_is_gone() -> None:
    there = {named(path) for path in modules()}
    assert set(TESTED_ELSEWHERE) | NOTHING_TO_RUN <= there


@pytest.mark.parametrize("path", [*(ROOT / "ssa").rglob("__init__.py")], ids=named)
def test_a_room_says_what_comes_in_and_what_goes_out(path: Path) -> None:
    said = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").lower().split())
    if path.parent != ROOT / "ssa":
        assert "in: " in said or "in and out: " in said
        assert "out: " in said
