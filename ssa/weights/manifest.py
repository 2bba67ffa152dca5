"""``weights/manifest.json`` read into types: bundles, best first, and every file they are made of.

The file has two tables. ``models`` holds what is fetched together: source, licence, files. ``bundles``
says which models stand in which role, so a model used by two bundles is written down once. One that is
shipped names its ``folder`` too, so that it is stored once.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Literal, get_args

from ssa.config import Settings
from ssa.errors import WeightsError
from ssa.weights.places import SHIPPED_ROOT
from ssa.weights.settings import bundle_settings

logger = logging.getLogger(__name__)

MANIFEST_NAME = "manifest.json"
COMPOSED_NAME = "bundle.json"
"""What a bundle of one's own is described in, in its folder; see ``ssa.weights.compose``."""

ROLES = ("sam", "coco_segmentor", "ade20k_segmentor", "captions", "clip", "clipseg", "nouns")
OPTIONAL_ROLES = ("semantic_sam", "phrases", "confidence")
"""Roles that a bundle is whole without; of a bundle that is fetched they come only when asked for."""

SPARED_ROLES = ("captions", "nouns", "clipseg")
"""Roles that a bundle may do without, and is named by fewer models then; else they come with the rest."""

Conversion = Literal["none", "safetensors", "unpack"]
"""What happens to a file between the wire and the bundle.

``safetensors``: a pickled PyTorch checkpoint is rewritten, so that nothing pickled is read when serving.
``unpack``: the folder ``prefix`` inside a zip archive becomes the folder ``path``.
"""

_HEX = re.compile(r"[0-9a-f]{64}")
_HOME = re.compile(r"[\w-]+/[\w-]+")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file is fetched from: a URL, or a file of a hub repository; neither if we ship it."""

    url: str = ""
    hub: str = ""
    repo_type: str = "model"
    revision: str = ""
    file: str = ""

    @property
    def shipped(self) -> bool:
        """Whether the file is part of this repository."""
        return not (self.url or self.hub)

    def as_json(self) -> dict[str, str]:
        """The fields that say something; equal sources give equal dicts."""
        return {key: value for key, value in asdict(self).items() if value}

    def __str__(self) -> str:
        return self.url or f"{self.hub}@{self.revision[:12]}/{self.file}"


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file to have; ``path`` is relative to the bundle (a folder when it is unpacked).

    ``folder``, too, is relative to the bundle: its role's own or, of a model that another bundle lends, one
    of that bundle's. ``path`` lies in it.
    ``size`` (bytes) and ``sha256`` are those of the file as fetched, before any conversion, and ``None``
    where nobody could look; ``about`` estimates the size for the disk check then.
    """

    role: str
    folder: str
    path: str
    model: str
    licence: str
    source: Source
    size: int | None
    sha256: str | None
    about: int
    convert: Conversion
    prefix: str

    @property
    def optional(self) -> bool:
        """Whether the bundle is whole without it."""
        return self.role in OPTIONAL_ROLES


@dataclass(frozen=True, slots=True)
class BundleSpec:
    """What the manifest says of one bundle; ``purpose`` is one line on what it is good for.

    ``settings`` are those that its models do best with; ``composed`` is one that somebody put together.
    """

    name: str
    purpose: str
    files: tuple[WeightFile, ...]
    settings: Settings = field(default_factory=Settings)
    composed: bool = False

    @property
    def shipped(self) -> bool:
        """Whether all of it is part of this repository, so that there is nothing to download."""
        return not self.composed and all(file.source.shipped for file in self.files)

    @property
    def empty_roles(self) -> tuple[str, ...]:
        """Required roles without a single file, which only a bundle that is not finished has."""
        filled = {file.role for file in self.files}
        return tuple(role for role in ROLES if role not in (*filled, *SPARED_ROLES))

    @property
    def optional_roles(self) -> tuple[str, ...]:
        """Optional roles that there are files for."""
        filled = {file.role for file in self.files}
        return tuple(role for role in OPTIONAL_ROLES if role in filled)


@dataclass(frozen=True, slots=True)
class Manifest:
    """All bundles by name, best first."""

    bundles: Mapping[str, BundleSpec]

    def bundle(self, name: str) -> BundleSpec:
        """The bundle called ``name``; raises ``WeightsError`` that lists the names there are."""
        if name not in self.bundles:
            raise WeightsError(f"no bundle is called {name!r}: use {', '.join(self.bundles)}")
        return self.bundles[name]


def manifest_path(root: Path) -> Path:
    """The manifest in ``root`` if there is one, else the one that is shipped."""
    own = root / MANIFEST_NAME
    return own if own.is_file() else SHIPPED_ROOT / MANIFEST_NAME


def load_manifest(root: Path = SHIPPED_ROOT) -> Manifest:
    """Read the manifest that holds for ``root``; raises ``WeightsError`` if it can't be understood."""
    path = manifest_path(root)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        bundles = {name: _bundle(name, raw) for name in raw["bundles"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path.name} can't be read: {type(error).__name__}: {error}") from error
    # Those of one's own come last: nobody gets them who asks for none by name.
    own = filter(None, map(_composed, sorted(root.glob(f"*/{COMPOSED_NAME}"))))
    return Manifest(MappingProxyType({**bundles, **{spec.name: spec for spec in own}}))


def _composed(path: Path) -> BundleSpec | None:
    """The bundle that ``compose`` described in a file; None, with a word in the log, for another file."""
    name = path.parent.name
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        table = {"licence": "own", "source": "repository"}
        models = {str(role): str(name) for role, name in raw.get("models", {}).items()}
        files = tuple(
            file
            for role, entries in raw["roles"].items()
            for file in _files(name, role, models.get(role, ""), {**table, "files": entries})
        )
        settings = bundle_settings(raw.get("settings", {}))
        return BundleSpec(name, str(raw["purpose"]), files, settings, composed=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{name}/{path.name}, which can't be read: {type(error).__name__}: {error}"
        logger.warning("passed over %s; compose it again", what)
    return None


def _bundle(name: str, raw: Mapping[str, Any]) -> BundleSpec:
    table = raw["bundles"][name]
    files = tuple(
        file
        for role, models in table["roles"].items()
        for model in models
        for file in _files(name, role, model, raw["models"][model])
    )
    return BundleSpec(name, table["purpose"], files, bundle_settings(table.get("settings", {})))


def _files(bundle: str, role: str, model: str, raw: Mapping[str, Any]) -> Iterator[WeightFile]:
    if role not in (*ROLES, *OPTIONAL_ROLES):
        raise ValueError(f"{role!r} is not a role: {', '.join((*ROLES, *OPTIONAL_ROLES))}")
    folder = _folder(bundle, role, raw)
    for entry in raw["files"]:
        yield WeightFile(
            role=role,
            folder=folder,
            path=_path(folder, entry["path"]),
            model=model,
            licence=raw["licence"],
            source=_source(raw["source"], entry),
            size=entry["size"],
            sha256=_digest(entry["sha256"]),
            about=entry["size"] or entry.get("about", 0),
            convert=_conversion(entry.get("convert", "none")),
            prefix=entry.get("prefix", ""),
        )


def _folder(bundle: str, role: str, raw: Mapping[str, Any]) -> str:
    """Where a model's files lie, relative to the bundle: only what is shipped can lie in another's folder."""
    home = raw.get("folder", f"{bundle}/{role}")
    if home == f"{bundle}/{role}":
        return role
    if raw["source"] != "repository" or not _HOME.fullmatch(home):
        raise ValueError(f"{home!r} is not the folder of a shipped model, bundle/role")
    return f"../{home}"


def _path(folder: str, path: str) -> str:
    inside = PurePosixPath(path)
    if inside.is_absolute() or ".." in inside.parts or "\\" in path:
        raise ValueError(f"{path!r} is not a path inside {folder}/")
    return str(PurePosixPath(folder, path))


def _source(raw: str | Mapping[str, str], entry: Mapping[str, Any]) -> Source:
    if isinstance(raw, str):
        if raw != "repository":
            raise ValueError(f'source must be "repository" or a table, got {raw!r}')
        return Source()
    if "url" in raw:
        return Source(**raw)
    return Source(**raw, file=entry.get("file", entry["path"]))


def _digest(sha256: str | None) -> str | None:
    if sha256 is not None and not _HEX.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is not a SHA-256 in lower-case hex")
    return sha256


def _conversion(name: str) -> Conversion:
    if name not in get_args(Conversion):
        raise ValueError(f"convert must be one of {get_args(Conversion)}, got {name!r}")
    return name  # type: ignore[return-value]
