"""`tee_sim.shared.readiness` leaves nothing of a record, or of those in it, to be made later."""

from typing import Annotated

from tee_sim.shared import schema
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.readiness import make_ready
from tee_sim.shared.schema import Items, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Record):
    flag: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Record):
    inner: Inner | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer(Record):
    items: Annotated[tuple[Item, ...], Items(3)] = ()


def test_records_within_records_are_made_ready_too() -> None:
    make_ready(Outer)
    ready = {Outer, Item, Inner}
    assert ready <= schema._LAYOUTS.keys()
    made = {kind: vars(kind)["__init__"] for kind in ready}
    outer = Outer(items=(Item(inner=Inner(flag=True)), Item(inner=None)))
    assert Outer.from_bytes(outer.to_bytes()) == outer
    assert made == {kind: vars(kind)["__init__"] for kind in ready}
