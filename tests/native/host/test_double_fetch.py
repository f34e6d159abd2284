"""CFG_TA_DOUBLE_FETCH=y: what an application reads twice of its input changes in between, and nothing else does."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tee_sim.secure.hosts.messages import HostReturn
from tee_sim.secure.native.load import _Config
from tee_sim.shared.native.allowed import DOUBLE_FETCH
from tee_sim.shared.native.elf import check
from tee_sim.shared.params import Param, ParamType
from tests.native.host.bare import Bare
from tests.native.host.conftest import TAS, built, needs

COMMANDS = {
    name: int(number)
    for name, number in re.findall(r"^    ([A-Z_]+) = (\d+)", (TAS / "fetch" / "fetch.h").read_text(), re.MULTILINE)
}
MESSAGE = b"\4\0\0\0\1\2\3\4"
PLAIN = {
    "READS_LENGTH_ONCE": 10, "COPIES_AND_READS_ITS_COPY": 10, "COPIES_TWICE": 14, "COMPARES_TWICE": 0,
    "WRITES_AND_READS_ITS_OWN": 3, "PEEKS_AND_COPIES_WITH_MEMCPY": 14, "READS_ALL_TWICE_BY_BYTE": 14,
}  # fmt: skip
CHANGED = {
    "READS_LENGTH_ONCE": 10,
    "COPIES_AND_READS_ITS_COPY": 10,
    "COPIES_TWICE": (4 ^ 0xFF) + 3 * 0xFF + 10,  # the length that was looked at, and not the rest
    "WRITES_AND_READS_ITS_OWN": 3,
    "PEEKS_AND_COPIES_WITH_MEMCPY": (4 ^ 0xFF) + 3 * 0xFF + 10,
    "READS_ALL_TWICE_BY_BYTE": sum(byte ^ 0xFF for byte in MESSAGE),
}
SAID = "byte 0 of parameter 0 is read again, and changes"


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("gcc", "make")
    return built("fetch", tmp_path_factory.mktemp("fetch"))


@pytest.fixture(scope="session", params=["gcc", "clang"])
def instrumented(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("make", request.param)
    return built("fetch", tmp_path_factory.mktemp("double"), "CFG_TA_DOUBLE_FETCH=y", f"CC={request.param}")


def asked(runtime: Path, ta: Path, command: str, kind: ParamType = ParamType.MEMREF_INPUT) -> tuple[object, list[str]]:
    """The sum that comes back, or else the message that does; and the reports."""
    given = Param(kind=kind, buffer=MESSAGE, size_bytes=len(MESSAGE))
    params = (given, Param(kind=ParamType.VALUE_OUTPUT), Param.none(), Param.none())
    with Bare(runtime, ta, _Config(reports=1, name=b"fetch")).started() as host:
        answer = host.invoke(COMMANDS[command], params)
        again = host.invoke(COMMANDS[command], params)
        texts = [report.text for report in host.reports]
        places = [(report.what, len(report.frames)) for report in host.reports]
    assert set(places) <= {("double fetch", 1)}
    left = [a.params[1].a if isinstance(a, HostReturn) else a for a in (answer, again)]
    assert left[0] == left[1], "the same each time"
    return left[0], texts


@pytest.mark.parametrize("command", PLAIN)
def test_as_it_is_built_otherwise_nothing_changes(runtime: Path, plain: Path, command: str) -> None:
    assert asked(runtime, plain, command, ParamType.MEMREF_INOUT) == (PLAIN[command], [])


@pytest.mark.parametrize("command", CHANGED)
@pytest.mark.parametrize("kind", [ParamType.MEMREF_INPUT, ParamType.MEMREF_INOUT])
def test_what_is_read_twice_changes_and_is_named(
    runtime: Path, instrumented: Path, command: str, kind: ParamType
) -> None:
    value, texts = asked(runtime, instrumented, command, kind)
    assert value == CHANGED[command]
    if CHANGED[command] == PLAIN[command]:
        assert texts == []
    else:
        assert texts[0] == SAID


def test_a_comparison_that_held_does_not_hold_again(runtime: Path, instrumented: Path) -> None:
    value, texts = asked(runtime, instrumented, "COMPARES_TWICE")
    assert value != 0
    assert len(texts) == 2, "once a call"


def test_a_length_that_is_read_twice_is_caught(runtime: Path, plain: Path, instrumented: Path) -> None:
    """The copy is of four gigabytes then: the process dies, as on a device memory would have been overwritten."""
    given = (Param.memref(MESSAGE), Param(kind=ParamType.VALUE_OUTPUT), Param.none(), Param.none())
    with Bare(runtime, plain).started() as host:
        assert isinstance(host.invoke(COMMANDS["READS_LENGTH_TWICE"], given), HostReturn)
    with Bare(runtime, instrumented).started() as host:
        assert host.invoke(COMMANDS["READS_LENGTH_TWICE"], given) is None
        assert host.ended is not None
        assert host.ended < 0


def test_an_output_is_the_applications_own(runtime: Path, instrumented: Path) -> None:
    value, texts = asked(runtime, instrumented, "WRITES_AND_READS_ITS_OWN", ParamType.MEMREF_INOUT)
    assert (value, texts) == (3, [])


def test_the_runtime_has_each_function_that_such_a_build_may_call(runtime: Path, instrumented: Path) -> None:
    if shutil.which("nm") is None:
        pytest.skip("nm is not on this host")
    shown = subprocess.run(["nm", "-D", "--defined-only", runtime], capture_output=True, text=True, check=True).stdout
    names = {line.split()[2] for line in shown.splitlines()}
    copies = {f"__wrap_mem{what}" for what in ("cpy", "move", "cmp")}
    assert {name for name in names if name.startswith("__tsan_")} | copies == DOUBLE_FETCH
    check(instrumented.read_bytes())


def test_the_build_needs_no_library_of_the_sanitizer(instrumented: Path) -> None:
    if shutil.which("readelf") is None:
        pytest.skip("nm is not on this host")
    shown = subprocess.run(["readelf", "-dW", instrumented], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"\(NEEDED\).*\[(.*)\]", shown)) <= {"libc.so.6"}
