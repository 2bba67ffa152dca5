"""Imports point one way. One table: each room, and the rooms it may know beside itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

BASE = {"types", "errors", "config", "checks", "files", "json_fields"}
"""What everybody may know."""

STEPS = BASE | {"pictures", "masks"}

ROOMS: dict[str, set[str]] = {
    **dict.fromkeys(BASE, BASE),
    "pictures": BASE | {"masks"},
    "masks": BASE,
    "stages": BASE | {"pictures"},
    "progress": BASE,
    "device": BASE,
    "cores": BASE,
    "batching": BASE,
    "ahead": BASE,
    "labelling": STEPS | {"stages", "progress", "batching"},
    "inputs": STEPS | {"labelling"},
    "engine": STEPS | {"stages", "progress", "labelling", "batching"},
    "models": STEPS | {"stages", "labelling", "device", "batching"},
    "weights": BASE,
    "loading": STEPS
    | {"stages", "engine", "labelling", "device", "cores", "batching", "models", "weights"},
    "formats": STEPS | {"labelling", "drawing"},
    "drawing": STEPS | {"labelling"},
    "sources": STEPS | {"formats"},
    "review": STEPS | {"labelling", "formats", "drawing", "sources"},
    "score": STEPS | {"labelling", "formats", "review"},
    "dataset": STEPS
    | {
        "stages",
        "progress",
        "ahead",
        "labelling",
        "inputs",
        "engine",
        "device",
        "cores",
        "weights",
        "loading",
    }
    | {"formats", "sources"},
}
"""What stands in ``ssa/``, files and folders alike."""

ROOMS["api"] = set(ROOMS) - {"dataset", "sources"}
ROOMS["serving"] = BASE | {"inputs", "api", "progress"}
ROOMS["cli"] = set(ROOMS)
ROOMS["__main__"] = {"cli"}

FRAMEWORKS = {"torch", "torchvision", "transformers", "open_clip", "segment_anything", "spacy"}
WITH_FRAMEWORKS = {"device", "cores", "models", "loading", "weights", "dataset", "api", "cli"}


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


def room_of(module: str) -> str:
    return module.split(".")[1]


def rooms_known(module: str) -> set[str]:
    """The rooms that a module imports from, its own left out."""
    known = {room_of(name) for name in SSA[module] if name.startswith("ssa.") and name in SSA}
    return known - {room_of(module)}


def test_the_reader_of_imports_sees_all_forms() -> None:
    source = "import a.b as c\nfrom . import d\nfrom ..e import f\ndef g():\n  from h import i\n"
    found = set(imports_in(source, "ssa.models.sam"))
    assert found == {"a.b", "ssa.models", "ssa.models.d", "ssa.e", "ssa.e.f", "h", "h.i"}


def test_every_room_has_its_line_and_every_line_its_room() -> None:
    there = {room_of(name) for name in SSA if name != "ssa"}
    assert there == set(ROOMS)


@pytest.mark.parametrize("module", sorted(set(SSA) - {"ssa"}))
def test_a_module_knows_only_what_its_room_may(module: str) -> None:
    assert rooms_known(module) <= ROOMS[room_of(module)]


@pytest.mark.parametrize("module", sorted(set(SSA) - {"ssa"}))
def test_frameworks_are_known_where_they_may_be(module: str) -> None:
    found = {name for name in FRAMEWORKS if within(SSA[module], name)}
    assert not found or room_of(module) in WITH_FRAMEWORKS


def test_rooms_know_each_other_one_way() -> None:
    floors = {room: known - BASE - {room} for room, known in ROOMS.items() if room not in BASE}
    TopologicalSorter(floors).prepare()  # raises CycleError, with the circle


def test_the_entrance_is_easy_to_survey() -> None:
    files = {path.stem for path in (ROOT / "ssa").glob("*.py")} - {"__init__", "__main__"}
    assert len(files) <= 13


def test_models_do_not_know_each_other() -> None:
    tables = within(set(SSA), "ssa.models.tables") | {"ssa.models.roles"}
    for module in within(set(SSA), "ssa.models") - tables - {"ssa.models"}:
        own = ".".join(module.split(".")[:3])  # a large model may be a package
        shared = within(SSA[module], "ssa.models.shared") | within(
            SSA[module], "ssa.models.promptable"
        )
        known = within(SSA[module], "ssa.models") - within(SSA[module], own) - shared
        assert not known - {"ssa.models"}, module


def test_what_models_share_knows_no_adapter() -> None:
    for module in within(set(SSA), "ssa.models.shared"):
        assert within(SSA[module], "ssa.models") <= within(SSA[module], "ssa.models.shared")


def test_a_run_over_a_dataset_loads_in_one_place() -> None:
    run = within(set(SSA), "ssa.dataset")
    assert [name for name in run if "ssa.loading" in SSA[name]] == ["ssa.dataset.engine_spec"]


def test_nothing_of_ssa_imports_its_edges() -> None:
    edges = ("cog", "predict", "scripts", "tests", *_script_modules())
    for module, imported in SSA.items():
        if room_of(module + ".") != "cli":
            assert not [edge for edge in edges if within(imported, edge)], module


def _script_modules() -> list[str]:
    """Names importable from scripts/, toyworld among them."""
    found = [
        path.stem for path in (ROOT / "scripts").glob("*") if path.is_dir() or path.suffix == ".py"
    ]
    return sorted({*found, "toyworld"})


def test_cog_is_imported_by_the_predictor_alone() -> None:
    everywhere = sources("ssa", "scripts", "benchmarks")
    assert [module for module, imported in everywhere.items() if within(imported, "cog")] == []


def test_libraries_of_the_web_are_imported_by_the_page_alone() -> None:
    for module, imported in SSA.items():
        if within(imported, "starlette") or within(imported, "uvicorn"):
            assert within({module}, "ssa.review.web"), module


WORKSHOPS: dict[str, set[str]] = {
    "toyworld": set(),
    "evaluation": {"toyworld"},
    "benchmarks": {"toyworld"},
}
"""What stands beside ``ssa/``, and what of it each may know; all of them may know ``ssa``."""


@pytest.mark.parametrize("workshop", WORKSHOPS)
def test_workshops_know_their_material_and_not_each_other(workshop: str) -> None:
    folder = ROOT / workshop if workshop == "benchmarks" else ROOT / "scripts" / workshop
    for path in folder.rglob("*.py"):
        imported = set(imports_in(path.read_text(), ".".join(path.parts)))
        others = {name for name in WORKSHOPS if name != workshop and within(imported, name)}
        assert others <= WORKSHOPS[workshop], path.name


def test_every_folder_of_scripts_has_its_line() -> None:
    packages = {path.parent.name for path in (ROOT / "scripts").glob("*/__init__.py")}
    assert packages == set(WORKSHOPS) - {"benchmarks"}


def test_importing_the_package_loads_no_framework() -> None:
    code = "import sys, ssa; print(sorted(set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(ast.literal_eval(run.stdout))
    assert "ssa" in loaded
    assert not loaded & (FRAMEWORKS | {"numpy", "cv2", "cog"})
