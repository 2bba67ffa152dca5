"""Sources on the disk for the tests: what is in a file doesn't matter but for the JSON."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path

from ssa.errors import Fault
from ssa.sources import Item, MaskOrigin, find_items

MASKS = json.dumps(
    {
        "image": {"image_id": 1, "width": 2, "height": 2, "file_name": "sa_1.jpg"},
        "annotations": [{"id": 1, "segmentation": {"size": [2, 2], "counts": "04"}}],
    }
).encode()
METADATA = b'{"caption": "a dog", "annotations": [{"bbox": [0, 0, 1, 1]}]}'

Files = Mapping[str, bytes]


def sa1b(*numbers: int) -> dict[str, bytes]:
    """A few pictures of SA-1B with their JSON."""
    return {
        name: data
        for number in numbers
        for name, data in (
            (f"sa_{number}.jpg", f"picture {number}".encode()),
            (f"sa_{number}.json", MASKS),
        )
    }


def make_folder(folder: Path, files: Files) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def make_tar(
    path: Path, files: Iterable[tuple[str, bytes]] | Files, tar_format: int = tarfile.PAX_FORMAT
) -> Path:
    pairs = files.items() if isinstance(files, Mapping) else files
    with tarfile.open(path, "w", format=tar_format) as tar:
        for name, data in pairs:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    return path


def found(
    *inputs: Path, masks: MaskOrigin = None, out: Path = Path("/nowhere/out")
) -> tuple[list[Item], list[Fault]]:
    """All that inputs give: items and faults, each in their order."""
    everything = list(find_items(inputs, masks, out))
    return (
        [one for one in everything if isinstance(one, Item)],
        [one for one in everything if isinstance(one, Fault)],
    )


def keys(items: Iterable[Item]) -> list[str]:
    return [item.key for item in items]
