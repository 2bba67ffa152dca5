"""A run over a dataset: list → annotate group by group → number the labels → write the other formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ssa.dataset.export import export, outdated
from ssa.dataset.identity import Identity
from ssa.dataset.outcomes import Annotated, Failed, GroupDone
from ssa.dataset.output import OutputFolder
from ssa.dataset.plan import plan
from ssa.dataset.protocols import Watch, Workers
from ssa.errors import OutputError
from ssa.faults import Fault
from ssa.formats.categories import Categories
from ssa.sources import Item

HOPELESS = 3
"""So many groups in a row without one picture that the models could take: it isn't the pictures."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is wanted of a run, apart from who does the work.

    ``found`` is what to annotate; ``first`` are categories whose numbers are taken already; ``mix`` allows
    results of other settings in the same folder.
    """

    found: Iterable[Item | Fault]
    identity: Identity
    formats: tuple[str, ...] = ()
    first: Categories = field(default_factory=Categories)
    mix: bool = False


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
    task.identity.claim(ledger, task.mix)
    plan(ledger, task.found, output.is_written)
    before = ledger.totals
    left_out: list[Fault] = []
    watch.listed(before.pictures, before.done)
    try:
        _annotate(output, task.identity.digest, workers, watch)
        left_out = export(output, task.formats, task.first, watch.exporting)
    finally:
        watch.ended()
        faults = output.write_faults(left_out)
    after = ledger.totals
    new = after.done - before.done
    return Summary(after.pictures, after.done, new, after.masks, faults, outdated(output))


def _annotate(output: OutputFolder, made_by: str, workers: Workers, watch: Watch) -> None:
    hopeless = 0
    for done in workers.run(output.ledger.work()):
        faults = output.keep(done, made_by)
        found = [one for one in done.outcomes if isinstance(one, Annotated)]
        watch.group(len(done.outcomes), sum(one.masks for one in found), faults)
        hopeless = hopeless + 1 if _all_failed_in_models(done) else 0
        if hopeless == HOPELESS:
            raise OutputError(
                f"the models failed on every picture of {HOPELESS} groups in a row, at last with: "
                f"{faults[-1].message}; put that right and run the same command again"
            )


def _all_failed_in_models(done: GroupDone) -> bool:
    tried = [one for one in done.outcomes if not _never_reached_models(one)]
    return bool(tried) and all(isinstance(one, Failed) for one in tried)


def _never_reached_models(outcome: Annotated | Failed) -> bool:
    return isinstance(outcome, Failed) and outcome.fault.step != "annotate"
