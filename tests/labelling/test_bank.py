from __future__ import annotations

import pytest

from ssa.errors import InputError
from ssa.labelling.bank import check_bank, label_bank
from ssa.labelling.labels import BANK_SETS, load_labels
from ssa.labelling.parts import parts_of
from tests.fakes import FakeDenseRanker


def test_it_holds_every_set_and_part_once_in_order() -> None:
    bank = label_bank()
    assert len(bank) == len(set(bank))
    assert bank[: len(set(load_labels("coco")))] == tuple(dict.fromkeys(load_labels("coco")))
    for name in BANK_SETS:
        assert set(load_labels(name)) <= set(bank)
    assert set(parts_of("car")) <= set(bank)
    assert "steering wheel" in bank


def test_somebody_must_compare_it() -> None:
    check_bank(0, None)
    check_bank(3, FakeDenseRanker())
    with pytest.raises(InputError, match="bank_top_k must be 0 without a dense ranker; got 3"):
        check_bank(3, None)
