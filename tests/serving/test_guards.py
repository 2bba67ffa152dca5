"""What the predictor's work is wrapped in."""

from __future__ import annotations

import gc
import inspect
from contextlib import suppress

import pytest

from ssa.errors import InputError
from ssa.serving.guards import known_names_only, nothing_collected


def test_garbage_is_collected_again_after_setup_however_it_ends() -> None:
    with suppress(KeyError), nothing_collected():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_other_names_are_one_line_and_the_method_keeps_its_signature() -> None:
    def predict(self: object, image: str, top_k: int = 3) -> tuple[str, int]:
        """Say what came."""
        return image, top_k

    guarded = known_names_only(predict)
    assert guarded(None, image="a", top_k=4) == ("a", 4)
    assert inspect.signature(guarded) == inspect.signature(predict)
    with pytest.raises(InputError) as caught:
        guarded(None, image="a", prompt="a cat", **{"/srv/secret": 1})
    said = str(caught.value)
    assert said.startswith("expected inputs called image, output_json, ")
    assert "got 'prompt', a value of type str" in said
    assert "\n" not in said
