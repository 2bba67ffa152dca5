"""Where settings of masks bear published names they mean what was published."""

from __future__ import annotations

import inspect
from dataclasses import asdict

import pytest
from segment_anything import SamAutomaticMaskGenerator

from ssa.config import GRANULARITIES, MaskSettings, check_mask_source
from ssa.errors import InputError


def test_mask_settings_are_segment_anythings_own() -> None:
    parameters = inspect.signature(SamAutomaticMaskGenerator).parameters
    ours = asdict(MaskSettings())
    assert ours.pop("granularities") == GRANULARITIES
    assert ours == {name: parameters[name].default for name in ours}


def test_a_source_that_is_lacking_is_told_with_what_brings_it() -> None:
    check_mask_source("sam", ["sam"])
    with pytest.raises(InputError, match="are there \\(sam\\); got 'semantic-sam'; bring it"):
        check_mask_source("semantic-sam", ["sam"], {"semantic-sam": "bring it"})
