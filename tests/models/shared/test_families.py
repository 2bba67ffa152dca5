"""Which family a folder is of, and what loads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.errors import WeightsError
from ssa.models.shared.families import Families, model_type

COLOURS = Families("a colour", {"red": 1, "blue": 2}, usual="red")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"model_type": "sam2"}', "sam2"),
        ('{"decoder_num_heads": 2}', None),
        ('{"model_type": 3}', None),
        ("[]", None),
        ("no JSON", None),
        (None, None),
    ],
)
def test_the_family_is_what_the_configuration_says(
    tmp_path: Path, content: str | None, found: str | None
) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    assert model_type(tmp_path) == found


def test_a_folder_gets_the_loader_of_its_family(tmp_path: Path) -> None:
    assert COLOURS.loader(tmp_path) == 1
    (tmp_path / "config.json").write_text('{"model_type": "blue"}')
    assert COLOURS.loader(tmp_path) == 2


def test_a_family_may_be_one_of_many_others(tmp_path: Path) -> None:
    many = Families(
        "a colour", {"red": 1}, "red", others={"red": 7, "pink": 3}, others_are="any pale one"
    )
    assert many.loader(tmp_path) == 1
    (tmp_path / "config.json").write_text('{"model_type": "pink"}')
    assert many.loader(tmp_path) == 3
    (tmp_path / "config.json").write_text('{"model_type": "green"}')
    with pytest.raises(WeightsError, match="of the families red, or any pale one; got 'green'"):
        many.loader(tmp_path)


def test_a_family_without_a_loader_is_told_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "green"}')
    with pytest.raises(
        WeightsError, match="a colour of one of the families red, blue; got 'green'"
    ):
        COLOURS.loader(tmp_path)
