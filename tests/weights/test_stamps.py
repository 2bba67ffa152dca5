"""A start reads again only what may have changed, and believes nothing that it can't be sure of."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssa.errors import WeightsError
from ssa.weights import Bundle, fingerprint, open_bundle, verify, verify_what_changed
from ssa.weights.download import download
from ssa.weights.stamps import Stamp, read_stamps, stamps_of
from tests.weights.world import QUICK, fill_tiny

CLIP = "clip/model.bin"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are hashed from now on; each is really hashed."""
    import ssa.weights.checks as checks

    real, names = checks.sha256_of, []

    def noting(path: Path) -> str:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(checks, "sha256_of", noting)
    return names


@pytest.fixture
def bundle(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A downloaded bundle whose files last changed an hour ago, in a world with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    brought = download("light", world, **QUICK)
    age(brought)
    return brought


def age(bundle: Bundle) -> None:
    """Let every file have changed an hour earlier than it did."""
    for path in bundle.path.rglob("*"):
        seen = path.stat()
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns - 3_600_000_000_000))


def stamps_file(bundle: Bundle) -> Path:
    return bundle.root / ".light.stamps.json"


def test_a_second_start_reads_nothing(bundle: Bundle, hashed: list[str]) -> None:
    verify_what_changed(bundle)
    assert hashed
    hashed.clear()
    verify_what_changed(bundle)
    assert hashed == []


def test_a_check_reads_everything_and_renews_the_stamps(bundle: Bundle, hashed: list[str]) -> None:
    verify_what_changed(bundle)
    everything = sorted(hashed)
    hashed.clear()
    verify(bundle)
    assert sorted(hashed) == everything
    stamps_file(bundle).unlink()
    verify(bundle)
    hashed.clear()
    verify_what_changed(bundle)
    assert hashed == []


def test_a_quick_check_stamps_nothing(bundle: Bundle) -> None:
    verify(bundle, quick=True)
    assert not stamps_file(bundle).exists()


def rewritten(path: Path) -> None:
    """Other bytes, as many, and the old date."""
    seen = path.stat()
    path.write_bytes(b"X" * seen.st_size)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def replaced(path: Path) -> None:
    """Another file under the name, as long and as old."""
    seen, other = path.stat(), path.with_name("other")
    other.write_bytes(b"X" * seen.st_size)
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [rewritten, replaced])
def test_a_changed_file_is_found_out_whatever_its_date(
    bundle: Bundle, change: Callable[[Path], None]
) -> None:
    verify_what_changed(bundle)
    change(bundle.path / CLIP)
    with pytest.raises(WeightsError, match=r"light/clip/model\.bin is damaged"):
        verify_what_changed(bundle)


def test_only_the_changed_file_is_read(bundle: Bundle, hashed: list[str]) -> None:
    verify_what_changed(bundle)
    hashed.clear()
    (bundle.path / CLIP).chmod(stat.S_IRUSR)
    verify_what_changed(bundle)
    assert hashed == ["model.bin"]


def test_a_file_that_changed_just_now_gets_no_stamp(bundle: Bundle, hashed: list[str]) -> None:
    os.utime(bundle.path / CLIP)
    verify_what_changed(bundle)
    assert CLIP not in read_stamps(bundle, fingerprint(bundle))
    hashed.clear()
    verify_what_changed(bundle)
    assert hashed == ["model.bin"]


def test_a_missing_file_is_missing_whatever_was_stamped(bundle: Bundle) -> None:
    verify_what_changed(bundle)
    (bundle.path / CLIP).unlink()
    with pytest.raises(WeightsError, match=r"light/clip/model\.bin is missing"):
        verify_what_changed(bundle)


def test_another_manifest_makes_all_stamps_void(
    bundle: Bundle, world: Path, hashed: list[str]
) -> None:
    verify_what_changed(bundle)
    kept = read_stamps(bundle, fingerprint(bundle))
    assert kept == stamps_of(bundle, kept)
    lock = bundle.path / "bundle.lock.json"
    told = json.loads(lock.read_text())
    told["downloads"][0]["files"][0]["sha256"] = "0" * 64
    lock.write_text(json.dumps(told))
    hashed.clear()
    with pytest.raises(WeightsError, match="is damaged"):
        verify_what_changed(bundle)
    assert len(hashed) == len(kept)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda kept: "{",
        lambda kept: "[]",
        lambda kept: json.dumps({**kept, "files": []}),
        lambda kept: json.dumps({**kept, "files": {CLIP: {"size": 36}}}),
        lambda kept: json.dumps({**kept, "fingerprint": "0" * 64}),
    ],
)
def test_stamps_that_cannot_be_read_are_none(
    bundle: Bundle, hashed: list[str], spoil: Callable[[Any], str]
) -> None:
    verify_what_changed(bundle)
    everything = sorted(hashed)
    stamps_file(bundle).write_text(spoil(json.loads(stamps_file(bundle).read_text())))
    hashed.clear()
    verify_what_changed(bundle)
    assert sorted(hashed) == everything
    hashed.clear()
    verify_what_changed(bundle)
    assert hashed == []


def test_where_the_weights_are_read_only_stamps_lie_in_the_cache(
    bundle: Bundle, tmp_path: Path, hashed: list[str]
) -> None:
    stamps_file(bundle).mkdir()  # what nobody may write over
    verify_what_changed(bundle)
    assert [path.name for path in (tmp_path / "cache").rglob("*.json")] == ["light.json"]
    hashed.clear()
    verify_what_changed(bundle)
    assert hashed == []


def test_where_nothing_can_be_written_nothing_is_kept(
    bundle: Bundle, tmp_path: Path, hashed: list[str]
) -> None:
    stamps_file(bundle).mkdir()
    (tmp_path / "cache").write_text("no folder")
    verify_what_changed(bundle)
    everything = list(hashed)
    verify_what_changed(bundle)
    assert len(hashed) == 2 * len(everything)


def test_what_comes_with_the_code_has_none(world: Path) -> None:
    fill_tiny(world)
    tiny = open_bundle(world, "tiny")
    age(tiny)
    verify_what_changed(tiny)
    assert not list(world.glob(".*.stamps.json"))


def test_a_stamp_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Stamp.of(tmp_path / "gone")
