"""cog.yaml and its requirements against uv.lock, and predict.py against the rules of Cog's static parser."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cog._inspector import create_predictor
from packaging.markers import Marker

import predict

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ast.parse((ROOT / "predict.py").read_text())
# Not in requirements.txt: Cog brings itself, and torch the libraries of its own CUDA build.
LEFT_OUT = re.compile(r"cog|coglet|triton|nvidia-.*|cuda-.*")


def cog_yaml() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "cog.yaml").read_text()))


@cache
def locked_packages() -> list[dict[str, Any]]:
    """What uv.lock holds for the container: of a package with a version for each Python, that one."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return [
        package
        for package in packages
        if any(holds(text) for text in package.get("resolution-markers", [""]))
    ]


@cache
def holds(marker: str) -> bool:
    """Whether a marker is true in the container: Python 3.11 on Linux."""
    there = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux"}
    return not marker or Marker(marker).evaluate({**there, "platform_machine": "x86_64"})


def locked_versions() -> dict[str, str]:
    return {one["name"]: one["version"] for one in locked_packages() if "version" in one}


def runtime_closure() -> set[str]:
    """The names of all packages that the project needs to run in the container, by uv.lock."""
    needs = {
        package["name"]: [
            need["name"]
            for need in package.get("dependencies", [])
            if holds(need.get("marker", ""))
        ]
        for package in locked_packages()
    }
    found: set[str] = set()
    waiting = needs["semantic-segment-anything"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs[name]
    return found


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_cog_yaml_has_only_keys_that_cog_knows() -> None:
    config = cog_yaml()
    assert set(config) <= {"build", "image", "predict", "environment"}
    assert set(config["build"]) <= {
        "gpu",
        "cuda",
        "python_version",
        "python_requirements",
        "system_packages",
        "run",
        "sdk_version",
    }


def test_cog_yaml_builds_for_the_pair_that_runs_on_most_hosts() -> None:
    build = cog_yaml()["build"]
    assert (build["gpu"], build["cuda"], build["python_version"]) == (True, "12.8", "3.11")
    assert build["sdk_version"] == locked_versions()["cog"]
    assert pins()["torch"] == "2.11.0"


def test_the_container_uses_base_and_no_network() -> None:
    variables = dict(item.split("=", 1) for item in cog_yaml()["environment"])
    assert variables["SSA_BUNDLE"] == "base"
    assert variables["HF_HUB_OFFLINE"] == "1"


def test_cog_yaml_points_at_what_is_there() -> None:
    config = cog_yaml()
    file, _, name = config["predict"].partition(":")
    assert hasattr(predict, name)
    assert (ROOT / file).is_file()
    assert (ROOT / config["build"]["python_requirements"]).is_file()


def test_requirements_are_exact_flat_pins() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.]+", line) for line in pinned)
    assert len(pins()) == len(pinned)


def test_requirements_are_the_locks_versions_of_all_that_runs() -> None:
    expected = {
        name: locked_versions()[name] for name in runtime_closure() if not LEFT_OUT.fullmatch(name)
    }
    assert pins() == expected, "uv.lock has changed: run ./scripts/requirements"


def test_the_image_leaves_out_what_the_predictor_never_reads() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", ".venv", "tests", "weights/tiny", "weights/light"} <= set(ignored)
    assert not {"ssa", "predict.py", "weights", "weights/base", "weights/*"} & set(ignored)


# --- the static parser's rules ----------------------------------------------------------------------


def predict_method() -> ast.FunctionDef:
    functions = [node for node in ast.walk(SOURCE) if isinstance(node, ast.FunctionDef)]
    return next(node for node in functions if node.name == "predict")


def input_calls() -> dict[str, ast.Call]:
    """The ``Input(...)`` of every argument of predict, by the argument's name."""
    arguments = predict_method().args
    names = [argument.arg for argument in arguments.args if argument.arg != "self"]
    assert len(names) == len(arguments.defaults)
    calls = {}
    for name, default in zip(names, arguments.defaults, strict=True):
        assert isinstance(default, ast.Call)
        calls[name] = default
    return calls


def test_cogs_own_reader_accepts_the_predictor() -> None:
    with pytest.warns(DeprecationWarning, match="deprecated; use"):
        info = create_predictor("predict", "Predictor")
    assert list(info.inputs) == list(input_calls())
    assert list(info.output.fields) == ["img_out", "json_out", "label_map_out", "classes_out"]


def test_imports_from_cog_are_plain_and_complete() -> None:
    cog_imports = [
        node
        for node in ast.walk(SOURCE)
        if isinstance(node, ast.ImportFrom) and node.module == "cog"
    ]
    assert len(cog_imports) == 1
    assert [(alias.name, alias.asname) for alias in cog_imports[0].names] == [
        ("BaseModel", None),
        ("BasePredictor", None),
        ("Input", None),
        ("Path", None),
    ]
    modules = [
        alias.name for n in ast.walk(SOURCE) if isinstance(n, ast.Import) for alias in n.names
    ]
    assert "cog" not in modules


@pytest.mark.parametrize("name", list(input_calls()))
def test_every_input_is_keyword_literals(name: str) -> None:
    call = input_calls()[name]
    assert isinstance(call.func, ast.Name)
    assert call.func.id == "Input"
    assert call.args == []
    for keyword in call.keywords:
        values = keyword.value.elts if isinstance(keyword.value, ast.List) else [keyword.value]
        assert all(isinstance(value, ast.Constant) for value in values)


@pytest.mark.parametrize("name", list(input_calls()))
def test_every_description_is_one_plain_string_on_one_line(name: str) -> None:
    keywords = {keyword.arg: keyword.value for keyword in input_calls()[name].keywords}
    description = keywords["description"]
    written = ast.get_source_segment((ROOT / "predict.py").read_text(), description)
    assert isinstance(description, ast.Constant)
    assert written == f'"{description.value}"'
    # Neither parentheses around the string (a segment begins at its quote) nor a second one beside it.
    line = (ROOT / "predict.py").read_text().splitlines()[description.lineno - 1]
    assert line.strip().rstrip(",").removeprefix("description=") == written


@pytest.mark.parametrize("name", list(input_calls()))
def test_every_number_and_text_is_bounded_and_every_default_given(name: str) -> None:
    keywords = {keyword.arg for keyword in input_calls()[name].keywords}
    annotation = next(a.annotation for a in predict_method().args.args if a.arg == name)
    assert annotation is not None
    kind = ast.unparse(annotation)
    plain = {"Path", "bool", "int", "str"}
    assert kind in plain | {f"Optional[{one}]" for one in ("bool", "int", "float", "str")}
    assert ("default" in keywords) == (kind != "Path")
    assert len({"choices", "max_length"} & keywords) == ("str" in kind)
    assert ({"ge", "le"} <= keywords) == ("int" in kind or "float" in kind)


def test_the_output_class_stands_in_this_file_with_its_required_field_first() -> None:
    returns = predict_method().returns
    assert isinstance(returns, ast.Name)
    output = next(
        node for node in SOURCE.body if isinstance(node, ast.ClassDef) and node.name == returns.id
    )
    fields = [node for node in output.body if isinstance(node, ast.AnnAssign)]
    assert [ast.unparse(field) for field in fields] == [
        "img_out: Path",
        "json_out: Optional[Path] = None",
        "label_map_out: Optional[Path] = None",
        "classes_out: Optional[Path] = None",
    ]
    assert [ast.unparse(base) for base in output.bases] == ["BaseModel"]
