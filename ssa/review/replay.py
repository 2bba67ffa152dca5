"""From the regions that were found and what was decided about them to the regions that there are now.

A decision is about a region as it was found or made: by its id, if that region's mask is still the same; else
by the mask, if one region of the picture alone has it (another run may have found it in another place).
Else the decision is stale: it speaks of nothing that is there, and is told and not applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ssa.formats.example import Reviewed
from ssa.review.decisions import (
    BY_ACCEPT,
    BY_PAGE,
    Accepted,
    Added,
    Corrected,
    Joined,
    Piece,
    RegionId,
    RegionRef,
    Rejected,
    Renamed,
    Split,
    Unsure,
    fingerprint,
    made_id,
)
from ssa.review.history import Step
from ssa.review.renames import Renames
from ssa.types import RLE


@dataclass(frozen=True, slots=True)
class Found:
    """A region that a run found: its id, its mask and its label, None for none."""

    id: RegionId
    mask: RLE
    label: str | None


@dataclass(frozen=True, slots=True)
class RegionNow:
    """A region as it was decided.

    ``origin`` is the fingerprint of the mask it was found or made with (see ``ref``). ``position`` is its
    place among the found ones, None for one that a decision made. ``by`` took the last decision about it,
    "" where there was none, and so many ``together``; ``remark`` came with that. ``given`` is the entry
    that gave it its label, 0 for the run.
    """

    id: RegionId
    mask: RLE
    label: str | None
    origin: str
    position: int | None
    reviewed: Reviewed = "none"
    remark: str = ""
    by: str = ""
    together: int = 1
    given: int = 0
    is_changed: bool = False
    has_new_mask: bool = False

    @property
    def is_said(self) -> bool:
        """Whether a person decided on it, be it with others at once."""
        return self.reviewed != "none" and self.by != BY_ACCEPT

    @property
    def was_looked_at(self) -> bool:
        """Whether somebody decided on this very region: many at once on the page are a rule of somebody's."""
        return self.is_said and not (self.by == BY_PAGE and self.together > 1)

    def ref(self, picture: str) -> RegionRef:
        """What a decision about it calls it, in the picture with this key."""
        return RegionRef(picture, self.id, self.origin)


@dataclass(frozen=True, slots=True)
class PictureNow:
    """A picture's regions, those found first and in their order, rejected ones too; and stale decisions."""

    regions: tuple[RegionNow, ...]
    stale: tuple[Step, ...] = ()


def regions_now(found: Sequence[Found], steps: Iterable[Step], renames: Renames) -> PictureNow:
    """What is left of the found regions of one picture after ``steps``, and what came to them.

    Regions that were split or joined are gone. A decision whose mask has another size than the regions, or
    than the mask that it corrects, is stale.
    """
    picture = _Picture(found, renames)
    stale = tuple(step for step in steps if not picture.take(step))
    return PictureNow(picture.regions(), stale)


class _Picture:
    """One picture's regions while decisions come in."""

    def __init__(self, found: Sequence[Found], renames: Renames) -> None:
        self._renames = renames
        self._regions = {
            one.id: RegionNow(one.id, one.mask, one.label, fingerprint(one.mask), position)
            for position, one in enumerate(found)
        }

    def regions(self) -> tuple[RegionNow, ...]:
        """All with the names that they have now."""
        return tuple(
            replace(one, label=self._called(one.label, one.given)) for one in self._regions.values()
        )

    def take(self, step: Step) -> bool:
        """Heed one decision; False where it is stale."""
        match step.decision:
            case Added(_, piece):
                return self._fits(piece.mask) and self._make([piece], step)
            case Split(region, pieces):
                return self._replace((region,), pieces, step)
            case Joined(regions, piece):
                return self._replace(regions, (piece,), step)
            case Renamed():
                return True
        known = self._find(step.decision.region)
        changed = None if known is None else self._decided(known, step)
        if changed is None:
            return False
        self._regions[changed.id] = changed
        return True

    def _decided(self, region: RegionNow, step: Step) -> RegionNow | None:
        match step.decision:
            case Accepted() if step.by == BY_ACCEPT and region.is_said:
                return region  # it was decided while the others were counted
            case Accepted(_, label):
                shown = self._called(region.label, region.given, step.number)
                if label != shown:  # another run has given it another name since
                    return _relabelled(region, label, step)
                return _marked(region, "corrected" if region.is_changed else "accepted", step)
            case Corrected(_, label, mask):
                if mask is not None:
                    if not _same_size(mask, region.mask):
                        return None
                    region = replace(region, mask=mask, has_new_mask=True)
                if label is not None:
                    region = _relabelled(region, label, step)
                return replace(_marked(region, "corrected", step), is_changed=True)
            case Rejected(_, remark):
                return _marked(region, "rejected", step, remark)
            case Unsure(_, remark):
                return _marked(region, "unsure", step, remark)
        raise TypeError(f"expected a decision about one region; got {step.decision}")

    def _replace(self, refs: Sequence[RegionRef], pieces: Sequence[Piece], step: Step) -> bool:
        regions = [self._find(ref) for ref in refs]
        if None in regions or not all(self._fits(one.mask) for one in pieces):
            return False
        for region in regions:
            if region is not None:
                self._regions.pop(region.id, None)
        return self._make(pieces, step)

    def _make(self, pieces: Sequence[Piece], step: Step) -> bool:
        for place, piece in enumerate(pieces, start=step.first_made):
            number, origin = made_id(step.number, place), fingerprint(piece.mask)
            made = RegionNow(number, piece.mask, piece.label, origin, None, has_new_mask=True)
            changed = replace(made, given=step.number, is_changed=True)
            self._regions[number] = _marked(changed, "corrected", step)
        return True

    def _find(self, ref: RegionRef) -> RegionNow | None:
        own = self._regions.get(ref.id)
        if own is not None and own.origin == ref.mask:
            return own
        alike = [one for one in self._regions.values() if one.origin == ref.mask]
        return alike[0] if len(alike) == 1 else None

    def _fits(self, mask: RLE) -> bool:
        return all(_same_size(mask, one.mask) for one in self._regions.values())

    def _called(self, label: str | None, given: int, until: int | None = None) -> str | None:
        return None if label is None else self._renames.now(label, given, until)


def _marked(region: RegionNow, reviewed: Reviewed, step: Step, remark: str = "") -> RegionNow:
    return replace(region, reviewed=reviewed, remark=remark, by=step.by, together=step.together)


def _relabelled(region: RegionNow, label: str | None, step: Step) -> RegionNow:
    changed = replace(region, label=label, given=step.number, is_changed=True)
    return _marked(changed, "corrected", step)


def _same_size(one: RLE, other: RLE) -> bool:
    return (one.height, one.width) == (other.height, other.width)
