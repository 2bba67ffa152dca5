"""What makes two runs the same, and what a person is told when they aren't."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.dataset.identity import Identity, digest_of
from ssa.dataset.ledger import Ledger
from ssa.errors import InputError


def test_the_order_of_values_does_not_matter_and_each_value_does() -> None:
    one = Identity({"a": 1, "settings": {"b": 2, "c": {"d": None}}})
    assert one.text == Identity({"settings": {"c": {"d": None}, "b": 2}, "a": 1}).text
    others = ({"a": 2}, {"settings": {"b": 2, "c": {"d": 0}}}, {"more": None})
    digests = {
        Identity({"a": 1, "settings": {"b": 2, "c": {"d": None}}, **other}).digest
        for other in others
    }
    assert len({one.digest, *digests}) == 4


def test_a_digest_is_short_and_follows_from_the_text() -> None:
    identity = Identity({"a": "é" * 1000})
    assert identity.digest == digest_of(identity.text)
    assert len(identity.digest) == 16


def checked(tmp_path: Path, before: Identity, now: Identity) -> None:
    ledger = Ledger(tmp_path / "ledger")
    try:
        now.check(ledger)  # nothing is there yet
        ledger.remember("identity", before.text)
        now.check(ledger)
    finally:
        ledger.close()


def test_the_same_identity_goes_on(tmp_path: Path) -> None:
    checked(tmp_path, Identity({"a": {"b": 1.5}}), Identity({"a": {"b": 1.5}}))


def test_differences_are_told_by_name_with_both_values(tmp_path: Path) -> None:
    before = Identity({"bundle": "tiny", "settings": {"masks": {"points": 16}, "parts": None}})
    now = Identity({"bundle": "tiny", "settings": {"masks": {"points": 32}, "parts": True}})
    with pytest.raises(InputError) as refused:
        checked(tmp_path, before, now)
    said = str(refused.value)
    assert "(settings.masks.points was 16, is 32; settings.parts was null, is true)" in said
    assert "--mix" in said
    assert "bundle" not in said


def test_of_many_or_long_differences_a_few_are_told(tmp_path: Path) -> None:
    before = Identity({f"n{i}": i for i in range(9)})
    with pytest.raises(InputError, match=r"n4 was 4, is null; and 4 more\)"):
        checked(tmp_path, before, Identity({}))
    with pytest.raises(InputError) as refused:
        checked(tmp_path, Identity({"a": "x"}), Identity({"a": "y" * 500}))
    assert len(str(refused.value)) < 300
