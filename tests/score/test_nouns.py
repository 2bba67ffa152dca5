from __future__ import annotations

import lzma
from importlib.resources import files
from pathlib import Path

import pytest

from ssa.score.nouns import Nouns, load_nouns
from wordnet_packing import licence, pack, table

WORDNET = Path("/usr/share/wordnet")

# entity > thing > (car, wheel, toy); a toy car is a car and a toy, and a car has a wheel. Paris is an
# instance, and what is a kind of it (plaster) is one of thing.
DATA = """  1 All of it is free.
00000001 03 n 01 entity 0 001 ~ 00000002 n 0000 | what is
00000002 03 n 01 thing 0 001 @ 00000001 n 0000 | a thing
00000003 03 n 02 car 0 Auto 0 002 @ 00000002 n 0000 %p 00000004 n 0000 | drives; "a | b"
00000004 03 n 01 wheel 0 002 @ 00000002 n 0000 #p 00000003 n 0000 | turns
00000005 03 n 01 toy 0 001 @ 00000002 n 0000 | for play
00000006 03 n 01 toy_car 0 002 @ 00000003 n 0000 @ 00000005 n 0000 | small
00000007 03 n 01 car 1 001 @ 00000005 n 0000 | of a train
00000008 15 n 01 Paris 0 001 @i 00000002 n 0000 | no kind but one
00000009 15 n 01 plaster 0 001 @ 00000008 n 0000 | of it
"""
INDEX = """  1 All of it is free.
car n 2 2 @ ~ 2 1 00000007 00000003
paris n 1 1 @i 1 0 00000008
toy n 1 1 @ 1 0 00000005
"""
EXCEPTIONS = "wheeles wheel\nparises paris\ntoy_cars toy_car\n"
TABLE = table(DATA, INDEX, EXCEPTIONS)


def test_the_table_of_made_up_files_by_hand() -> None:
    # Sisters are in order of their words: auto|car, plaster, toy, wheel; two
    # lines after toy car is its second kind, five after car its wheel.
    assert TABLE.split("\n\n") == [
        "0 entity\n1 thing\n2 auto|car\t%5\n3 toy car\t^2\n2 plaster\n2 toy\n3 *car\n2 wheel",
        "toy cars\ttoy car\nwheeles\twheel\n",
    ]


def test_what_is_read_of_it() -> None:
    nouns = Nouns(TABLE)
    assert "paris" not in nouns
    car, of_a_train = nouns.meanings("car")
    assert nouns.lemmas[car] == ("auto", "car")
    assert nouns.usual("car") == of_a_train
    assert nouns.usual("auto") == car
    (toy_car,), (toy,) = nouns.meanings("toy car"), nouns.meanings("toy")
    (entity,), (thing,) = nouns.meanings("entity"), nouns.meanings("thing")
    assert nouns.above(toy_car) == {toy_car: 0, car: 1, toy: 1, thing: 2, entity: 3}
    assert nouns.depth(toy_car) == 3
    assert nouns.parts(car) == {*nouns.meanings("wheel")}
    assert nouns.parts(toy_car) == set()
    assert nouns.meanings("boat") == []


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        *(("wolves", "wolf"), ("men", "man"), ("buses", "bus"), ("boxes", "box")),
        *(("benches", "bench"), ("brushes", "brush"), ("fairies", "fairy"), ("dogs", "dog")),
        *(("firemen", "fireman"), ("scissors", "scissors"), ("bus", "bus"), ("s", "s")),
        ("qwerts", "qwerts"),
    ],
)
def test_plurals(plural: str, singular: str) -> None:
    assert load_nouns().singular(plural) == singular


def test_the_licence_is_what_stands_before_the_data() -> None:
    assert licence(DATA) == "All of it is free.\n"


def test_the_packed_table_is_small_and_has_its_licence_beside_it() -> None:
    folder = files("ssa.score").joinpath("wordnet")
    assert len(folder.joinpath("nouns.xz").read_bytes()) < 1_000_000
    assert "Copyright 2006 by Princeton University" in folder.joinpath("LICENSE").read_text()
    tops = [one for one in range(len(load_nouns().lemmas)) if not load_nouns().depth(one)]
    assert [load_nouns().lemmas[one] for one in tops] == [("entity",)]
    assert "albert einstein" not in load_nouns()


@pytest.mark.skipif(not WORDNET.is_dir(), reason="needs WordNet's database in /usr/share/wordnet")
def test_the_database_gives_the_packed_table_again() -> None:
    data, index, exceptions = (
        (WORDNET / name).read_text("ascii") for name in ("data.noun", "index.noun", "noun.exc")
    )
    text = table(data, index, exceptions)
    packed = files("ssa.score").joinpath("wordnet", "nouns.xz").read_bytes()
    assert lzma.decompress(packed).decode() == text
    assert pack(text) == pack(text)
    assert licence(data) == files("ssa.score").joinpath("wordnet", "LICENSE").read_text()
