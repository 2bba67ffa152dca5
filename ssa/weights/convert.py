"""What becomes of a file before it enters a bundle: pickles to safetensors, an archive to a folder."""

from __future__ import annotations

import pickle
import stat
import zipfile
from pathlib import Path, PurePosixPath

from ssa.errors import DownloadError

_MOST_UNPACKED_BYTES = 1 << 30


def to_safetensors(source: Path, target: Path) -> None:
    """Rewrite a PyTorch state dict (name → tensor) as safetensors; names, shapes and dtypes stay.

    It may be the ``"model"`` of a training checkpoint, whose other entries are left out. Read with
    ``weights_only``, so nothing in the pickle is run. Tensors that share memory become copies: every name
    stays loadable. Raises ``DownloadError`` if the file holds anything else.
    """
    import torch
    from safetensors.torch import save_file

    try:
        state = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise DownloadError(
            f"{source.name} is not a checkpoint of plain tensors: {error}"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("model"), dict):
        state = state["model"]
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise DownloadError(f"{source.name} is not a table of tensors: {type(state).__name__}")
    tensors = {str(name): tensor.detach().contiguous().clone() for name, tensor in state.items()}
    # transformers refuses a file that does not say which framework wrote it.
    save_file(tensors, target, metadata={"format": "pt"})


def unpack(archive: Path, target: Path, prefix: str) -> list[str]:
    """Extract what lies under ``prefix`` in a zip archive to the folder ``target``.

    Returns the paths written, relative to ``target``. Raises ``DownloadError`` for an archive that is
    broken, holds nothing there, reaches outside ``target``, holds links, or unpacks to over 1 GiB.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [
                m for m in opened.infolist() if m.filename.startswith(prefix) and not m.is_dir()
            ]
            _check(archive, members, prefix)
            return [_extract(opened, member, target, prefix) for member in members]
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DownloadError(f"{archive.name} is not a sound zip archive: {error}") from error


def _check(archive: Path, members: list[zipfile.ZipInfo], prefix: str) -> None:
    if not members:
        raise DownloadError(f"{archive.name} holds nothing under {prefix}")
    if sum(member.file_size for member in members) > _MOST_UNPACKED_BYTES:
        raise DownloadError(f"{archive.name} unpacks to over 1 GiB")
    for member in members:
        path = PurePosixPath(member.filename[len(prefix) :])
        outside = path.is_absolute() or ".." in path.parts or "\\" in member.filename
        if outside or stat.S_ISLNK(member.external_attr >> 16):
            raise DownloadError(f"{archive.name} holds an unsafe entry: {member.filename!r}")


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, prefix: str) -> str:
    relative = member.filename[len(prefix) :]
    path = target / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(opened.read(member))
    return relative
