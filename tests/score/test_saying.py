from __future__ import annotations

import json

from ssa.score.comparing import compare
from ssa.score.figures import score_of
from ssa.score.saying import About, to_json
from ssa.score.tally import Tally, tally_of
from tests.score.drawn import pair, truth


def test_the_json_has_every_figure_and_why_one_is_unknown() -> None:
    score = score_of(tally_of([pair(truth(), truth())]))
    payload = json.loads(to_json(About("out", "COCO instances"), score))
    assert payload["figures"] == score.figures
    assert payload["figures"]["names.all.level_1"] == 1
    unknown = {name for name, value in payload["figures"].items() if value is None}
    assert unknown == set(payload["why"])
    assert payload["about"]["truth"] == "COCO instances"
    assert "against" not in payload
    assert payload["classes"][0]["class"] == "car"


def test_another_run_stands_beside_it() -> None:
    tally = tally_of([pair(truth(), truth())])
    score = score_of(tally)
    payload = json.loads(to_json(About("a", "b"), score, score, compare(tally, tally)))
    assert payload["against"]["figures"] == payload["figures"]
    assert payload["against"]["changes"]["names.all.level_1"] == {
        "difference": 0.0,
        "low": 0.0,
        "high": 0.0,
    }
    assert set(payload["against"]["differences"].values()) == {0}
    assert "names.open_miou" in payload["against"]["differences"]
    assert "parts.found" not in payload["against"]["differences"]
    assert (payload["against"]["better"], payload["against"]["same"]) == (0, 5)


def test_of_nothing_there_is_json_too() -> None:
    assert json.loads(to_json(About("a", "b"), score_of(Tally())))["risk_coverage"] == []


def test_what_does_not_count_is_said() -> None:
    assert About("out", "label maps").lines == ["Against label maps."]
    (_, line) = About("out", "label maps", 1234, 0, 2).lines
    assert line == (
        "Pictures that don't count: 1,234 without a truth; 2 left out: they can't be read, or have another "
        "size."
    )
