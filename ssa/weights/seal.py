"""Write the hashes of a shipped bundle into the manifest: the last step after its models were trained."""

from __future__ import annotations

import json
from pathlib import Path

from ssa.errors import WeightsError
from ssa.files import write_whole
from ssa.weights.files import sha256_of
from ssa.weights.manifest import (
    MANIFEST_NAME,
    OPTIONAL_ROLES,
    ROLES,
    load_manifest,
)
from ssa.weights.manifest_format import format_manifest

LICENCE = "Apache-2.0"


def seal(name: str, root: Path) -> int:
    """List the files under ``root/name/<role>`` with size and hash in ``root``'s manifest; returns how many.

    Hidden files are left out; roles that another bundle lends to stay as they are. Raises ``WeightsError``
    for a bundle that is downloaded.
    """
    if not load_manifest(root).bundle(name).shipped:
        raise WeightsError(f"{name} is downloaded: its lock is written by the download, not sealed")
    path = root / MANIFEST_NAME
    raw = json.loads(path.read_text(encoding="utf-8"))
    count = 0
    roles = raw["bundles"][name]["roles"]
    for role in (*ROLES, *OPTIONAL_ROLES):
        entries = _entries(root / name / role)
        model = f"{name}_{role}"
        raw["models"].pop(model, None)
        lent = [other for other in roles.get(role, []) if other != model]
        roles[role] = [model] if entries else lent
        if role in OPTIONAL_ROLES and not roles[role]:
            del roles[role]
        if entries:
            raw["models"][model] = {
                "licence": LICENCE,
                "source": "repository",
                "folder": f"{name}/{role}",
                "files": entries,
            }
        count += len(entries)
    write_whole(path, (format_manifest(raw) + "\n").encode("utf-8"))
    return count


def _entries(folder: Path) -> list[dict[str, object]]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    relative = {path.relative_to(folder).as_posix(): path for path in found}
    return [
        {"path": name, "size": path.stat().st_size, "sha256": sha256_of(path)}
        for name, path in relative.items()
        if not any(part.startswith(".") for part in name.split("/"))
    ]
