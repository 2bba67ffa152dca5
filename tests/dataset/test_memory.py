"""A long run holds no more memory than a short one: ledger, groups, files, formats, with a light engine."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHORT, LONG = 500, 5000
MOST_GROWTH = 0.1


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc"
)
def test_memory_is_flat_over_five_thousand_pictures(tmp_path: Path) -> None:
    paths = ":".join(str(ROOT / name) for name in (".", "scripts", "tests"))
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)],
        env={"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    assert float(done.stdout.split()[-1]) <= MOST_GROWTH


def main(folder: Path) -> None:
    """Print by how much the resident memory of a long run passes that of a short one before it."""
    from dataset_doubles import IDENTITY, FakeWorkers, Watcher, draw_pictures, items_of
    from test_leaks import resident_bytes

    from ssa.dataset.export import Wanted
    from ssa.dataset.output import opened
    from ssa.dataset.run import Task, run
    from ssa.errors import Fault

    class Measuring(Watcher):
        highest = 0

        def group(self, pictures: int, masks: int, faults: Sequence[Fault]) -> None:
            super().group(pictures, masks, faults)
            self.exporting("")

        def exporting(self, name: str) -> None:
            self.highest = max(self.highest, resident_bytes())

        def ended(self) -> None:
            self.exporting("")

    def highest_of(count: int) -> int:
        watcher = Measuring()
        task = Task(items[:count], IDENTITY, Wanted(("coco", "semantic-png", "parquet")))
        with opened(folder / f"out {count}") as output:
            run(output, task, FakeWorkers(), watcher)
        assert watcher.done == count
        return watcher.highest

    items = items_of(draw_pictures(folder / "pictures", LONG))
    short, long = highest_of(SHORT), highest_of(LONG)
    print(f"{short >> 20} MB, then {long >> 20} MB: {long / short - 1:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
