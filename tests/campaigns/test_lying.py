"""A short form of `python -m tests.campaigns.lying`, and proof that it can fail."""

import dataclasses
import shutil
from collections.abc import Iterator
from random import Random

import pytest

from tee_sim.normal.dev_kit import kit_folder
from tee_sim.shared.gp_functions import Function
from tests.campaigns import lying
from tests.campaigns.lying_programs import RECIPES, Programs
from tests.native.builds import Builds

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lying.Liar]:
    with lying.liar(Builds(kit_folder(), tmp_path_factory.mktemp("built"))) as one:
        yield one


def test_every_recipe_succeeds_as_it_stands(liar: lying.Liar) -> None:
    """Else the programs would be refused early, and meet nothing that is really there."""
    programs = Programs(liar.rows, Random(1))
    assert [liar.play(programs.recipe(recipe, place=2)) for recipe in RECIPES] == ["returned"] * len(RECIPES)
    assert {function for recipe in RECIPES for function, _ in recipe} <= {row.function for row in liar.rows}


def test_the_table_has_every_function_but_those_of_memory(liar: lying.Liar) -> None:
    own = {"MALLOC", "REALLOC", "FREE", "MEM_MOVE", "MEM_COMPARE", "MEM_FILL", "SET_INSTANCE_DATA"}
    own |= {"GET_INSTANCE_DATA", "INIT_REF_ATTRIBUTE", "INIT_VALUE_ATTRIBUTE"}
    assert {row.function for row in liar.rows} == {one for one in Function if one.name not in own}


def test_core_and_neighbor_live_and_every_result_is_one_of_its_function(liar: lying.Liar) -> None:
    programs = Programs(liar.rows, Random(7))
    ends = [liar.play(programs.program()) for _ in range(300)]
    assert ends.count("returned") > 60
    assert ends.count("panicked") > 60
    assert len({name for name, _ in liar.results}) > 30


def test_a_result_that_its_function_does_not_have_is_found(liar: lying.Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    forbidden = Function.GET_PROPERTY_AS_U32
    rows = [
        dataclasses.replace(row, function=Function.DIGEST_DO_FINAL) if row.function is forbidden else row
        for row in liar.rows
    ]
    programs = Programs(liar.rows, Random(1))
    asked = programs.recipe(((forbidden, (2, 9, 0)),), place=0)
    monkeypatch.setattr(liar, "rows", rows)
    with pytest.raises(lying.LieError, match=r"^TEE_DigestDoFinal answered 0xffff0008: "):
        liar.play(asked)


def test_a_neighbor_that_lost_something_is_found(liar: lying.Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lying, "KEPT", (lying.KEPT[0], b"another"))
    with pytest.raises(lying.LieError, match="the safe holds something else"):
        liar.play(b"")
