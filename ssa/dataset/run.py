"""A run over a dataset: list → annotate group by group → number the labels → write the other formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ssa.dataset.export import Wanted, check_numbers, export, outdated
from ssa.dataset.identity import Identity
from ssa.dataset.ledger import FAILED, Ledger
from ssa.dataset.outcomes import Annotated, Failed, Outcome
from ssa.dataset.output import OutputFolder
from ssa.dataset.plan import plan
from ssa.dataset.protocols import Watch, Workers
from ssa.errors import Fault, OutputError
from ssa.sources import Item

HOPELESS = 3
"""So many groups in a row without one picture that the models could take: it isn't the pictures."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is wanted of a run, apart from who does the work.

    ``found`` is what to annotate. ``mix`` allows results of other settings in the same folder, ``moved``
    inputs in other places than before.
    """

    found: Iterable[Item | Fault]
    identity: Identity
    wanted: Wanted = field(default_factory=Wanted)
    mix: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended: pictures listed, done (now or before) and done now, masks of all done, faults.

    ``outdated`` are formats of earlier runs that this one was not asked to write anew.
    """

    pictures: int
    done: int
    new: int
    masks: int
    faults: int
    outdated: tuple[str, ...] = ()


def run(output: OutputFolder, task: Task, workers: Workers, watch: Watch) -> Summary:
    """Annotate what isn't yet, and write what is asked for.

    However it ends, the faults so far are written, and the same call goes on from there. Raises
    ``InputError`` where results would mix, ``OutputError`` where they can't be written, and what
    ``workers`` raise.
    """
    ledger = output.ledger
    output.recover()
    if not task.mix:
        task.identity.check(ledger)
    check_numbers(output, task.wanted)
    plan(ledger, task.found, output.is_written, task.moved)
    before = ledger.totals
    left_out: list[Fault] = []
    watch.listed(before.pictures, before.done)
    try:
        _annotate(output, task.identity, workers, watch)
        left_out = export(output, task.wanted, watch.exporting)
    finally:
        watch.ended()
        faults = output.write_faults(left_out)
    after = ledger.totals
    new = after.done - before.done
    return Summary(after.pictures, after.done, new, after.masks, faults, outdated(output))


def _annotate(output: OutputFolder, identity: Identity, workers: Workers, watch: Watch) -> None:
    hopeless = 0
    for done in workers.run(output.ledger.work()):
        tried = [one for one in done.outcomes if _is_first_try(one, output.ledger)]
        faults = output.keep(done, identity)
        found = [one for one in done.outcomes if isinstance(one, Annotated)]
        watch.group(len(done.outcomes), sum(one.masks for one in found), faults)
        if tried:
            hopeless = hopeless + 1 if all(isinstance(one, Failed) for one in tried) else 0
        if hopeless == HOPELESS:
            raise OutputError(
                f"the models failed on every picture of {HOPELESS} groups in a row, at last with: "
                f"{faults[-1].message}; put that right and run the same command again"
            )


def _is_first_try(outcome: Outcome, ledger: Ledger) -> bool:
    """Whether the models had this picture, and never before: what fails again and again says nothing new."""
    known = ledger.known(outcome.key)
    reached = isinstance(outcome, Annotated) or outcome.fault.step in ("annotate", "worker")
    return reached and known is not None and known.state != FAILED
