"""Errors raised on purpose: one tree, and each is also what Python calls such an error."""

from __future__ import annotations

import pickle

import pytest

from ssa import errors
from ssa.errors import Fault, SSAError

KINDS = {
    errors.InputError: ValueError,
    errors.ImageError: errors.InputError,
    errors.OutputError: OSError,
    errors.OutOfMemory: MemoryError,
    errors.WorkerError: SSAError,
    errors.WeightsError: SSAError,
    errors.DownloadError: errors.WeightsError,
}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    defined = {
        one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, SSAError)
    }
    assert defined == {SSAError, *KINDS}
    assert errors.__doc__ is not None
    assert all(one.__name__ in errors.__doc__ for one in defined)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_caught_by_what_it_is(kind: type[SSAError]) -> None:
    with pytest.raises(KINDS[kind], match=r"^why$"):
        raise kind("why")
    assert issubclass(kind, SSAError)


@pytest.mark.parametrize("kind", KINDS)
def test_each_comes_whole_from_another_process(kind: type[SSAError]) -> None:
    error = kind("expected this; got that")
    error.add_note("said the library")
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back)) == (kind, str(error))


def test_a_fault_is_a_row() -> None:
    fault = Fault("a.png", "decode", "expected a picture")
    assert pickle.loads(pickle.dumps(fault)) == fault
    assert (fault.file, fault.step, fault.message) == ("a.png", "decode", "expected a picture")
