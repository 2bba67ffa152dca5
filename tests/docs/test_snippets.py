"""The snippets of the front page and of docs/python.md run as they stand, in order, on the miniature."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from ssa.weights import SHIPPED_ROOT
from tests.docs.pages import ROOT, snippets

PAGE = "docs/python.md"


def test_the_snippets_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Downloads of a developer's would be taken before the miniature, which alone is sure to be there.
    weights = tmp_path / "weights"
    weights.mkdir()
    for shipped in ("manifest.json", "tiny"):
        (weights / shipped).symlink_to(SHIPPED_ROOT / shipped)
    monkeypatch.setenv("SSA_WEIGHTS", str(weights))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)

    said: list[str] = []
    names: dict[str, object] = {
        "__name__": PAGE,
        "print": lambda *words: said.append(" ".join(map(str, words))),
    }
    blocks = [*snippets("README.md", "python"), *snippets(PAGE, "python")]
    for number, block in enumerate(blocks, 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other libraries' own
            exec(compile(block, f"{PAGE}, snippet {number}", "exec"), names)

    assert len(blocks) > 5
    assert "tiny" in said
    assert any(line.startswith("top_k") for line in said)  # the error that the page shows
    assert (tmp_path / "out" / "annotations.json").is_file()
