"""Which mask model a folder holds: what its configuration says, else what its role is called after."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.models.roles import load_proposer
from ssa.models.sam import SamMaskProposer
from ssa.models.semantic_sam import SemanticSamMaskProposer
from ssa.weights import SHIPPED_ROOT

CPU = choose_placement("cpu", "float32")


@pytest.mark.parametrize(
    ("role", "kind"), [("sam", SamMaskProposer), ("semantic_sam", SemanticSamMaskProposer)]
)
def test_published_checkpoints_are_of_the_family_of_their_role(role: str, kind: type) -> None:
    assert isinstance(load_proposer(SHIPPED_ROOT / "tiny" / role, CPU), kind)


def test_a_folder_may_hold_another_family_than_its_role_says(tmp_path: Path) -> None:
    folder = tmp_path / "sam"
    shutil.copytree(SHIPPED_ROOT / "tiny" / "semantic_sam", folder)
    (folder / "config.json").write_text('{"model_type": "semantic_sam", "short_side_px": 256}')
    assert isinstance(load_proposer(folder, CPU), SemanticSamMaskProposer)


def test_a_family_without_an_adapter_is_told_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "sam9"}')
    with pytest.raises(WeightsError, match=r"families sam, semantic_sam, .*; got 'sam9'"):
        load_proposer(tmp_path, CPU)
