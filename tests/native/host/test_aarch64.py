"""The same C on aarch64, emulated: its own switching of stacks, and relocations of its own kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tee_sim.secure.hosts.messages import HostReturn, Panicked
from tee_sim.shared.params import NO_PARAMS, Param
from tests.native.host.bare import Bare
from tests.native.host.conftest import KIT, built, made, needs
from tests.native.host.test_entry_points import DO, OUT, counted, four, inout, returned
from tests.native.host.test_memory import number

ROOT = "/usr/aarch64-linux-gnu"
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-rdynamic"]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What loads and serves an application, and the application that misbehaves."""
    needs("aarch64-linux-gnu-gcc", "qemu-aarch64", "make")
    folder = tmp_path_factory.mktemp("aarch64")
    sources = [str(Path(__file__).with_name("served.c")), *map(str, sorted((KIT / "runtime").glob("*.c")))]
    folders = [f"-I{KIT / name}" for name in ("include", "runtime")]
    made("aarch64-linux-gnu-gcc", *FLAGS, *folders, "-o", str(folder / "served"), *sources)
    (folder / "ta").mkdir()
    return folder / "served", built("rough", folder / "ta", "CROSS_COMPILE=aarch64-linux-gnu-")


@pytest.fixture
def host(parts: tuple[Path, Path]) -> Iterator[Bare]:
    served, ta = parts
    with Bare(served, ta, program=("qemu-aarch64", "-L", ROOT, str(served))).started() as host:
        yield host


def test_it_is_loaded_and_each_instance_has_globals_of_its_own(host: Bare) -> None:
    assert counted(host.invoke(DO["COUNT"], four(OUT, OUT))) == (1, 41, 40)
    assert counted(host.invoke(DO["COUNT"], four(OUT, OUT))) == (2, 41, 41)
    assert host.create(2) == HostReturn()
    assert host.open(2) == HostReturn(context=2, params=NO_PARAMS)
    assert counted(host.invoke(DO["COUNT"], four(OUT, OUT), instance=2, context=2)) == (1, 41, 40)
    assert counted(host.invoke(DO["COUNT"], four(OUT, OUT))) == (3, 41, 42)


def test_a_panic_leaves_the_stack_of_the_instance(host: Bare) -> None:
    for instance in range(2, 6):
        host.create(instance)
        opened = host.open(instance)
        assert isinstance(opened, HostReturn)
        answer = host.invoke(DO["PANIC"], four(Param.value(7)), instance=instance, context=opened.context)
        assert answer == Panicked()
    assert counted(host.invoke(DO["COUNT"], four(OUT, OUT))) == (1, 41, 40)


def test_bytes_floats_and_memory(host: Bare) -> None:
    answer = host.invoke(DO["ECHO"], four(Param.memref(b"bytes" * 1000), Param.output(5000)))
    assert returned(answer)[1].buffer == b"bytes" * 1000
    assert returned(host.invoke(DO["FLOATS"], four(inout(7))))[0].a == 35
    for rule in ("BASICS", "FILL_UP", "FUNCTIONS", "C_LIBRARY", "RIGHTS"):
        assert isinstance(host.invoke(number(rule), four(Param.memref(b"in"), Param.output(9))), HostReturn), rule
    assert host.invoke(number("FREE_TWICE")) == Panicked()


def test_a_stack_that_overflows_ends_the_process(host: Bare) -> None:
    assert isinstance(host.invoke(DO["RECURSE"], four(inout(12))), HostReturn)
    assert host.invoke(DO["RECURSE"], four(inout(64))) is None
    assert host.ended == -11
