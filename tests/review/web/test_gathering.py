"""One decision about many regions."""

from __future__ import annotations

from pathlib import Path

import pytest
from review_scenes import desk_of, regions, write_results

from ssa.json_fields import FieldError
from ssa.review.decisions import Accepted, Corrected, Rejected, Unsure
from ssa.review.web.gathering import decided, gathered


def test_each_kind_of_decision(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions(), regions()])
    with desk_of(out) as desk:
        places = gathered(desk.index, {"by": "cluster", "picture": 0, "cluster": 0})
        refs = [desk.index.ref(*place) for place in places]
        assert decided(desk.index, places, {"what": "accepted"})[1] == Accepted(refs[1], "door")
        assert decided(desk.index, places, {"what": "rejected"})[0] == Rejected(refs[0])
        made = decided(desk.index, places, {"what": "corrected", "label": "x"})
        assert made == [Corrected(ref, "x") for ref in refs]
        made = decided(desk.index, places, {"what": "unsure", "remark": "?"})
        assert made == [Unsure(ref, "?") for ref in refs]
        with pytest.raises(FieldError):
            decided(desk.index, places, {"what": "renamed"})
        with pytest.raises(FieldError):
            gathered(desk.index, {"by": "looks", "picture": 5, "place": 0, "least": 0.5})
