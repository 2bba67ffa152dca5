"""The published rules switch every rule of ours, and nothing but rules."""

from __future__ import annotations

from dataclasses import asdict

from ssa.config import PUBLISHED_RULES, NameRules


def test_the_published_rules_switch_every_one_of_ours() -> None:
    assert all(asdict(PUBLISHED_RULES).values())
    assert not any(asdict(NameRules()).values())
