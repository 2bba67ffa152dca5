"""Which weights speak: those of everything that is done, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ssa.dataset.identity import Identity
from ssa.dataset.ledger import Ledger
from ssa.dataset.outcomes import Annotated
from ssa.dataset.speakers import made_by
from ssa.sources import Item
from ssa.sources.item import Blob

TINY = "bundle tiny: drawn scenes only: it has never seen a photograph"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    blob = Blob(Path("/x"), 0, 1)
    ledger.list_anew([(0, Item(f"s/{name}", name, blob)) for name in "abc"])
    return ledger


def done(ledger: Ledger, name: str, bundle: str | None) -> None:
    identity = Identity({"bundle": bundle, "x": name} if bundle else {"x": name})
    key = f"s/{name}"
    ledger.keep([Annotated(key, b"", (), 0)], identity.digest, identity.text)
    ledger.settle([key])


def test_the_bundle_and_what_it_knows(ledger: Ledger) -> None:
    assert made_by(ledger) == "semantic-segment-anything"
    done(ledger, "a", "tiny")
    assert made_by(ledger) == f"semantic-segment-anything; {TINY}"


def test_of_mixed_results_each_once(ledger: Ledger) -> None:
    for name, bundle in (("a", "tiny"), ("b", "tiny"), ("c", "one of my own")):
        done(ledger, name, bundle)
    expected = f"semantic-segment-anything; bundle one of my own; {TINY}"
    assert made_by(ledger) == expected


def test_who_is_not_done_does_not_speak(ledger: Ledger) -> None:
    done(ledger, "a", "tiny")
    done(ledger, "b", "mine")
    ledger.forget_result("s/a")
    assert made_by(ledger) == "semantic-segment-anything; bundle mine"


def test_ledgers_of_earlier_versions_noted_the_last_one_alone(ledger: Ledger) -> None:
    done(ledger, "a", "mine")
    done(ledger, "b", "tiny")
    for name in "ab":
        text = Identity({"bundle": "mine" if name == "a" else "tiny", "x": name})
        ledger.remember(f"identity {text.digest}", "")
    assert json.loads(ledger.fact("identity") or "")["bundle"] == "tiny"
    assert made_by(ledger) == f"semantic-segment-anything; {TINY}; weights that are not on record"


def test_an_identity_without_weights_says_nothing(ledger: Ledger) -> None:
    done(ledger, "a", None)
    assert made_by(ledger) == "semantic-segment-anything"
