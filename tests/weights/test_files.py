"""Sizes in words."""

from __future__ import annotations

from ssa.weights.files import human_size


def test_sizes_read_well() -> None:
    shown = [human_size(size) for size in (0, 999, 1500, 2_500_000, 2_564_550_879)]
    assert shown == ["0 bytes", "999 bytes", "2 kB", "2 MB", "2.6 GB"]
