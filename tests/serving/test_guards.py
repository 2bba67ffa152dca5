"""What the predictor's work is wrapped in."""

from __future__ import annotations

import gc
from contextlib import suppress

from ssa.serving.guards import nothing_collected


def test_garbage_is_collected_again_after_setup_however_it_ends() -> None:
    with suppress(KeyError), nothing_collected():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
