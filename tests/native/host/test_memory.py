"""The heap of an instance, and what its host does about a stack or a heap that is written over."""

from pathlib import Path

import pytest

from tee_sim.secure.hosts.messages import HostRefusal, HostReturn, Panicked
from tee_sim.shared.params import Param
from tests.native.host.bare import Bare
from tests.native.host.test_entry_points import DO, OUT, counted, four, inout, returned

MEMORY = [
    *("BASICS", "FREE_TWICE", "FREE_WILD", "FREE_STACK", "FREE_INSIDE", "RESIZE_FREED", "FILL_UP", "HEAD_OVERRUN"),
    *("RIGHTS", "FUNCTIONS", "CHURN", "C_LIBRARY", "LARGE", "FREED_OVERRUN", "LEAK"),
]


def number(name: str) -> int:
    return DO["MEMORY"] + MEMORY.index(name)


@pytest.fixture(params=["13", "11"])
def host(request: pytest.FixtureRequest, runtime: Path, rough: Path, rough_11: Path) -> Bare:
    return Bare(runtime, rough if request.param == "13" else rough_11).started()


@pytest.mark.parametrize("rule", ["BASICS", "FILL_UP", "FUNCTIONS", "C_LIBRARY", "CHURN", "RIGHTS"])
def test_rules_of_the_memory_functions(host: Bare, rule: str) -> None:
    given = four(inout(20_000)) if rule == "CHURN" else four(Param.memref(b"in"), Param.output(9))
    with host:
        assert isinstance(host.invoke(number(rule), given), HostReturn)


def test_sizes_that_no_memory_has(runtime: Path, rough: Path) -> None:
    with Bare(runtime, rough).started() as host:
        assert isinstance(host.invoke(number("LARGE")), HostReturn)


@pytest.mark.parametrize("rule", ["FREE_TWICE", "FREE_WILD", "FREE_STACK", "FREE_INSIDE", "RESIZE_FREED"])
def test_blocks_that_are_none_are_a_panic(host: Bare, rule: str) -> None:
    with host:
        assert host.invoke(number(rule)) == Panicked()


@pytest.mark.parametrize("rule", ["HEAD_OVERRUN", "FREED_OVERRUN"])
def test_a_heap_that_was_written_over_is_a_panic_and_the_next_instance_has_a_new_one(host: Bare, rule: str) -> None:
    with host:
        assert host.invoke(number(rule)) == Panicked()
        host.create(2)
        host.open(2)
        assert isinstance(host.invoke(number("FILL_UP"), instance=2, context=2), HostReturn)


def test_each_instance_has_a_heap_and_data_of_its_own(host: Bare) -> None:
    with host:
        assert returned(host.invoke(DO["KEEP"], four(inout(0x1234))))[0].a == 0
        host.create(2)
        host.open(2)
        assert returned(host.invoke(DO["KEEP"], four(inout(0x99)), instance=2, context=2))[0].a == 0
        assert isinstance(host.invoke(number("FILL_UP"), instance=2, context=2), HostReturn)
        assert isinstance(host.invoke(number("FILL_UP")), HostReturn)
        assert returned(host.invoke(DO["KEEP"], four(inout(1))))[0].a == 0x1234
        assert returned(host.invoke(DO["KEEP"], four(inout(1)), instance=2, context=2))[0].a == 0x99


def test_the_stack_holds_what_was_asked_for_and_ends_at_a_page_that_nobody_may_touch(host: Bare) -> None:
    with host:
        assert isinstance(host.invoke(DO["RECURSE"], four(inout(12))), HostReturn)
        assert host.invoke(DO["RECURSE"], four(inout(64))) is None
        assert host.ended == -11


@pytest.mark.parametrize(("what", "signals"), [("WRITE_NULL", {-11}), ("WRITE_CODE", {-11}), ("SMASH", {-4, -5, -11})])
def test_what_writes_where_nothing_is_ends_its_process(host: Bare, what: str, signals: set[int]) -> None:
    with host:
        assert host.invoke(DO[what], four(Param.value(64))) is None
        assert host.ended in signals


@pytest.mark.parametrize("address", [0x1000, 0x7FFF_FFFF_F000, 0xFFFF_FFFF_FFFF_F000, 0xDEAD_BEEF])
def test_wild_pointers(runtime: Path, rough: Path, address: int) -> None:
    with Bare(runtime, rough).started() as host:
        assert host.invoke(DO["WRITE_WILD"], four(Param.value(address >> 32, address & 0xFFFF_FFFF))) is None
        assert host.ended == -11


def test_floating_point_works_on_the_stack_of_an_instance(host: Bare) -> None:
    with host:
        assert returned(host.invoke(DO["FLOATS"], four(inout(7))))[0].a == 35


def test_a_full_table_of_instances_is_out_of_memory_and_one_that_ends_makes_room(runtime: Path, rough: Path) -> None:
    with Bare(runtime, rough) as host:
        for instance in range(1, 65):
            assert host.create(instance) == HostReturn()
        refused = host.create(65)
        assert isinstance(refused, HostRefusal)
        assert refused.result.name == "OUT_OF_MEMORY"
        assert host.destroy(7) == HostReturn()
        assert host.create(66) == HostReturn()
        host.open(66)
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT), instance=66, context=1)) == (1, 41, 40)
