"""Imports point one way: types, errors, config → pure steps → stages → engine, models → loading → edges."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

BASE = {"ssa.types", "ssa.errors", "ssa.config"}
PURE = {
    f"ssa.{name}"
    for name in (
        *("masks", "crops", "voting", "candidates", "overlay", "image", "sa1b"),
        *("batching", "regions", "json_fields", "colours", "inputs", "checks"),
        *("clustering", "closed_set", "tree", "parts", "label_map_files"),
        *("painting", "polygons", "vocabulary", "labels", "sa1b_files", "files", "faults"),
    )
}
FRAMEWORKS = {"torch", "torchvision", "transformers", "open_clip", "segment_anything", "spacy"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_in(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Every module a source may import, wherever in it; of ``from a import b`` both a and a.b."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = ".".join([*above, node.module or ""]).strip(".") if node.level else node.module
            yield start or ""
            yield from (f"{start}.{alias.name}" for alias in node.names)


def sources(*folders: str) -> dict[str, set[str]]:
    """What each module under the folders imports, by its name."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {
        module_name(path): set(
            imports_in(path.read_text(), module_name(path), path.stem == "__init__")
        )
        for path in paths
    }


SSA = sources("ssa")


def within(imported: set[str], package: str) -> set[str]:
    return {name for name in imported if name == package or name.startswith(package + ".")}


def project_modules(module: str) -> set[str]:
    """The modules of this project that a module imports (names inside modules are left out)."""
    return {name for name in SSA[module] if name in SSA and name not in ("ssa", module)}


def test_the_reader_of_imports_sees_all_forms() -> None:
    source = "import a.b as c\nfrom . import d\nfrom ..e import f\ndef g():\n  from h import i\n"
    found = set(imports_in(source, "ssa.models.sam"))
    assert found == {"a.b", "ssa.models", "ssa.models.d", "ssa.e", "ssa.e.f", "h", "h.i"}


def test_there_is_something_to_check() -> None:
    assert set(SSA) >= BASE | PURE


@pytest.mark.parametrize("module", sorted(BASE))
def test_the_base_imports_only_itself(module: str) -> None:
    assert project_modules(module) <= BASE
    assert not [name for name in FRAMEWORKS if within(SSA[module], name)]


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure_steps_know_neither_frameworks_nor_what_comes_after(module: str) -> None:
    assert project_modules(module) <= BASE | PURE
    assert not [name for name in FRAMEWORKS if within(SSA[module], name)]


def test_stages_know_only_what_flows() -> None:
    assert project_modules("ssa.stages") <= BASE
    assert not [name for name in FRAMEWORKS if within(SSA["ssa.stages"], name)]


def test_the_engine_knows_no_model_and_no_framework() -> None:
    conductors = {
        f"ssa.{name}" for name in ("engine", "naming", "grouping", "choosing", "own_classes")
    }
    for module in conductors:
        known = BASE | PURE | conductors | {"ssa.stages", "ssa.progress"}
        assert project_modules(module) <= known
        assert not [name for name in FRAMEWORKS if within(SSA[module], name)]


def test_models_know_neither_each_other_nor_who_uses_them() -> None:
    for module in within(set(SSA), "ssa.models") - {"ssa.models"}:
        known = project_modules(module)
        own = ".".join(module.split(".")[:3])  # A large model may be a package.
        assert not within(known, "ssa.models") - within(known, own) - {"ssa.models"}, module
        assert not known & {"ssa.engine", "ssa.loading"}, module


def test_only_loading_brings_models_and_engine_together() -> None:
    for module in set(SSA) - {"ssa.loading"} - within(set(SSA), "ssa.models"):
        assert not within(SSA[module], "ssa.models"), module
        assert "ssa.engine" not in SSA[module], module


def test_sources_and_formats_know_neither_engine_nor_run() -> None:
    for package in ("ssa.sources", "ssa.formats"):
        for module in within(set(SSA), package):
            own = within(set(SSA), package)
            assert project_modules(module) <= BASE | PURE | own, module
            assert not [name for name in FRAMEWORKS if within(SSA[module], name)], module


def test_a_run_over_a_dataset_is_known_to_nobody_and_loads_in_one_place() -> None:
    run = within(set(SSA), "ssa.dataset")
    assert not [name for name in set(SSA) - run if within(SSA[name], "ssa.dataset")]
    assert [name for name in run if "ssa.loading" in SSA[name]] == ["ssa.dataset.recipe"]


def test_nothing_of_ssa_imports_its_edges() -> None:
    edges = ("cog", "predict", "scripts", "tests", *_script_modules())
    for module, imported in SSA.items():
        assert not [edge for edge in edges if within(imported, edge)], module


def _script_modules() -> list[str]:
    """Names importable from scripts/, toyworld among them."""
    found = [
        path.stem for path in (ROOT / "scripts").glob("*") if path.is_dir() or path.suffix == ".py"
    ]
    return sorted({*found, "toyworld"})


def test_cog_is_imported_by_the_predictor_alone() -> None:
    everywhere = sources("ssa", "scripts")
    assert [module for module, imported in everywhere.items() if within(imported, "cog")] == []


def test_importing_the_package_loads_no_framework() -> None:
    code = "import sys, ssa; print(sorted(set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(ast.literal_eval(run.stdout))
    assert "ssa" in loaded
    assert not loaded & (FRAMEWORKS | {"numpy", "cv2", "cog"})
