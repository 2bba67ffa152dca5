"""The figures as flat JSON keys, and as a table to read."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks.compare import STAGES, Duel, Side
from benchmarks.slope import Slope

Figures = dict[str, float | str]

MEBIBYTE = 2**20
PACKAGES = ("torch", "transformers", "open_clip_torch", "segment_anything", "numpy")


def figures_of(work: str, duel: Duel, our_rate: float, reference_rate: float) -> Figures:
    """The figures of "label" or "amg", in whole and, for labelling, by stage.

    ``<work>.seconds`` and the like are ours, ``reference.<work>_seconds`` the published pipeline's. The rates
    are the machine's own, floating-point operations a second.
    """
    figures = _compared(work, duel, [""], our_rate, reference_rate)
    figures[f"{work}.first_seconds"] = duel.ours.seconds[0]
    for stage in STAGES if work == "label" else ():
        figures |= _compared(f"{work}.{stage}", duel, [stage], our_rate, reference_rate)
    return figures | {f"agreement.{key}": value for key, value in duel.agreement.items()}


def total_figures(duels: Sequence[Duel]) -> Figures:
    """Masks and labels together: the sums of each round's seconds, and the higher of the peaks."""
    ours, reference = (
        Side(
            seconds=[sum(parts) for parts in zip(*(s.seconds for s in sides), strict=True)],
            peak_bytes=[max(parts) for parts in zip(*(s.peak_bytes for s in sides), strict=True)],
        )
        for sides in ([d.ours for d in duels], [d.reference for d in duels])
    )
    return _compared("total", Duel(ours, reference, {}), [""], math.nan, math.nan)


def slope_figures(name: str, slope: Slope, unit: str) -> Figures:
    """Seconds at each size, the line through them and how well it fits."""
    each, none = slope.line
    points = zip(slope.sizes, slope.seconds, strict=True)
    return {
        **{f"slope.{name}.{size:g}_seconds": seconds for size, seconds in points},
        f"slope.{name}.seconds_per_{unit}": each,
        f"slope.{name}.fixed_seconds": none,
        f"slope.{name}.r_squared": slope.r_squared,
    }


def _compared(
    work: str, duel: Duel, stages: list[str], our_rate: float, reference_rate: float
) -> Figures:
    ours = _one_side(duel.ours, stages[0], our_rate)
    reference = _one_side(duel.reference, stages[0], reference_rate)
    figures: Figures = {
        f"{work}.ratio": reference["seconds"] / ours["seconds"] if ours["seconds"] else math.nan
    }
    figures |= {f"{work}.{what}": value for what, value in ours.items()}
    flat = work.replace(".", "_")
    return figures | {f"reference.{flat}_{what}": value for what, value in reference.items()}


def _one_side(side: Side, stage: str, rate: float) -> dict[str, float]:
    """Median seconds, operations, share of the machine's rate and peak, of one stage or ("") of all."""
    if stage:
        seconds = statistics.median(by_stage.get(stage, 0.0) for by_stage in side.stage_seconds)
        peak = side.stage_peak_bytes.get(stage, math.nan)
        operations = float(side.operations.get(stage, 0)) if side.operations else math.nan
    else:
        seconds = statistics.median(side.seconds)
        peak = max(side.peak_bytes)
        operations = float(sum(side.operations.values())) if side.operations else math.nan
    return {
        "seconds": seconds,
        "gflop": operations / 1e9,
        "matrix_share": operations / seconds / rate if seconds else math.nan,
        "peak_rise_mb": peak / MEBIBYTE,
    }


def machine(device: torch.device) -> str:
    """What the figures were measured on, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [
        _processor(),
        f"{len(os.sched_getaffinity(0))} cores, {torch.get_num_threads()} threads",
        f"{memory:.0f} GiB",
    ]
    if device.type == "cuda":
        parts.append(torch.cuda.get_device_name(device))
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> str:
    """The libraries whose speed is measured, in one line."""
    own = [f"{name} {version(name)}" for name in PACKAGES]
    return ", ".join([f"python {platform.python_version()}", *own])


def table(figures: Mapping[str, float | str]) -> str:
    """The figures for people: a row for each work and stage, then all that is not of that form."""
    columns = ("seconds", "gflop", "matrix_share", "peak_rise_mb")
    heads = ["s", "GFLOP", "of rate", "peak MB"]
    works = [key.removesuffix(".ratio") for key in figures if key.endswith(".ratio")]
    lines = [
        f"{'':18s}{'ratio':>8s}" + "".join(f"{head:>22s}" for head in heads),
        f"{'':18s}{'':>8s}" + f"{'ours':>11s}{'published':>11s}" * len(heads),
    ]
    if not works:
        lines.clear()
    told = {"machine", "versions"}
    for work in works:
        line = f"{work:18s}{_number(figures[f'{work}.ratio']):>8s}"
        told.add(f"{work}.ratio")
        for column in columns:
            pair = (f"{work}.{column}", f"reference.{work.replace('.', '_')}_{column}")
            line += "".join(f"{_number(figures[key]):>11s}" for key in pair)
            told.update(pair)
        lines.append(line)
    rest = [key for key in figures if key not in told]
    lines += ["", *(f"{key:40s} {_number(figures[key])}" for key in rest)]
    return "\n".join([*lines, "", f"on {figures['machine']}", f"with {figures['versions']}"])


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "–"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
