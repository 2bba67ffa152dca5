"""What labels are called after some renames."""

from ssa.review.renames import Rename, Renames

RENAMES = Renames([Rename(2, "black cat", "cat"), Rename(5, "cat", "feline"), Rename(7, "x", "y")])


def test_a_label_follows_the_renames_that_came_after_it() -> None:
    assert RENAMES.now("black cat") == "feline"
    assert RENAMES.now("black cat", until=4) == "cat"
    assert RENAMES.now("dog") == "dog"


def test_a_label_that_came_later_stays_as_it_was_given() -> None:
    assert RENAMES.now("cat", given=5) == "cat"
    assert RENAMES.now("cat", given=4) == "feline"
    assert RENAMES.now("black cat", given=2) == "black cat"


def test_later_runs_are_told_where_each_label_ended() -> None:
    assert RENAMES.aliases() == {"black cat": "feline", "cat": "feline", "x": "y"}
    assert Renames([Rename(1, "a", "b"), Rename(2, "b", "a")]).aliases() == {"b": "a"}
    assert Renames().aliases() == {}
