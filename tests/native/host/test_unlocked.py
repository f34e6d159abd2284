"""Native applications without a lock: what AddressSanitizer, gdb and gcov say of them reaches whoever runs them."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tee_sim.normal.machine.applications import Application
from tee_sim.shared.errors import TeeError
from tee_sim.shared.params import NO_PARAMS, Param
from tee_sim.testing.machine_fixture import machine_for_test
from tests.native.host.conftest import TAS, built, needs
from tests.native.host.test_entry_points import DO, OUT, four, inout
from tests.native.host.test_locked import NUMBERS, ROUGH
from tests.native.host.test_memory import number

ROOT = Path(__file__).parents[3]
TEE_SIM = Path(sys.executable).with_name("tee-sim")
CLIENT = ROOT / "tests" / "native" / "host" / "client.py"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "dumb"}


def command(*words: object) -> list[str]:
    options = words[: words.index("--")]
    return [
        str(TEE_SIM),
        "run",
        *map(str, options),
        "--",
        sys.executable,
        str(CLIENT),
        *map(str, words[len(options) + 1 :]),
    ]


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=120, check=False, env=ENVIRONMENT)


def test_a_sanitizer_names_the_overrun_by_file_and_line(tmp_path: Path) -> None:
    needs("gcc", "make")
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout
    if not runtime.startswith("/"):
        pytest.skip("no sanitizer runtime")
    ta = built("rough", tmp_path, "CFG_TA_ASAN=y")
    done = run("--asan", ta, "--", "COUNT", f"{number('BASICS')}", f"{number('FILL_UP')}", f"{number('HEAD_OVERRUN')}")
    assert done.stdout.splitlines() == [
        "COUNT 1", f"{number('BASICS')} 0", f"{number('FILL_UP')} 0", f"{number('HEAD_OVERRUN')} TARGET_DEAD",
    ]  # fmt: skip
    assert "NOT ENFORCED" in done.stderr
    assert "heap-buffer-overflow" in done.stderr
    assert re.search(r"in heads .*rough/memory\.c:\d+", done.stderr), done.stderr
    left = run("--asan", ta, "--", f"{number('LEAK')}")
    assert "not freed when the instance ended: 123 bytes in 1 blocks" in left.stderr
    assert re.search(r"in memory_command .*rough/memory\.c:\d+", left.stderr), left.stderr
    locked = run(ta, "--", "COUNT")
    assert locked.returncode != 0
    assert "sanitizer" in locked.stderr


def counted_lines(objects: Path) -> str:
    """The source with how often each line ran."""
    words = ["gcov", "-t", "-o", str(objects), "rough.c"]
    return subprocess.run(words, cwd=TAS / "rough", capture_output=True, text=True, check=True, timeout=60).stdout


def test_coverage_is_written_when_an_instance_ends_and_where_it_crashes(tmp_path: Path) -> None:
    needs("gcc", "make", "gcov")
    ta = built("rough", tmp_path, "CFG_TA_COVERAGE=y")
    done = run("--coverage", ta, "--", "COUNT", "COUNT", "FLOATS:4", "PANIC:1")
    assert done.stdout.splitlines() == ["COUNT 1", "COUNT 2", "FLOATS 20", "PANIC TARGET_DEAD"]
    assert "NOT ENFORCED" in done.stderr
    counts = counted_lines(tmp_path)
    lines = {line.split(":", 2)[2].strip(): line.split(":")[0].strip() for line in counts.splitlines()}
    assert lines["params[0].value.a = (uint32_t)++calls;"] == "2"
    assert lines["constructed = begun + 1;"] == "1"
    assert lines["double half = (double)params[0].value.a / 2;"] == "1"
    done = run("--coverage", ta, "--", "COUNT", "WRITE_NULL")
    assert done.stdout.splitlines() == ["COUNT 1", "WRITE_NULL TARGET_DEAD"]
    assert "SIGSEGV" in done.stderr
    assert re.search(r"rough/rough\.c:\d+ in TA_InvokeCommandEntryPoint", done.stderr), done.stderr
    counts = counted_lines(tmp_path)
    assert re.search(r"^\s+3:\s+\d+:\s+params\[0\]\.value\.a = \(uint32_t\)\+\+calls;", counts, re.MULTILINE)


class Terminal:
    """A terminal with a program on it."""

    def __init__(self, words: list[str]) -> None:
        self._process, self._fd = pty.fork()
        if not self._process:
            os.execve(words[0], words, ENVIRONMENT)
        self.seen = ""
        self._at = 0

    def until(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while text not in self.seen[self._at :]:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self._fd], [], [], left)[0], self.seen  # noqa: PT018
            try:
                self.seen += os.read(self._fd, 4096).decode("utf-8", "replace")
            except OSError:
                raise AssertionError(self.seen) from None
        self._at = self.seen.index(text, self._at) + len(text)

    def say(self, line: str) -> None:
        os.write(self._fd, f"{line}\n".encode())

    def end(self) -> int:
        while True:
            try:
                self.seen += os.read(self._fd, 4096).decode("utf-8", "replace")
            except OSError:
                break
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])


def test_gdb_has_the_terminal_and_stops_in_the_application(rough: Path) -> None:
    needs("gdb")
    terminal = Terminal(command("--gdb", rough, "--", "COUNT", "COUNT"))
    terminal.until("NOT ENFORCED")
    terminal.until("(gdb) ")
    terminal.say("break count")
    terminal.until("(gdb) ")
    terminal.say("run")
    terminal.until("count (params=")
    terminal.until("(gdb) ")
    terminal.say("print begun")
    terminal.until("$1 = 40")
    terminal.say("backtrace")
    terminal.until("TA_InvokeCommandEntryPoint")
    terminal.say("delete")
    terminal.say("continue")
    terminal.until("COUNT 1")
    terminal.until("COUNT 2")
    assert terminal.end() == 0, terminal.seen


def test_one_tool_at_a_time(rough: Path) -> None:
    for options in (("--gdb", "--asan"), ("--coverage", "--debug")):
        done = run(*options, rough, "--", "COUNT")
        assert done.returncode == 2
        assert "exclude each other" in done.stderr


def test_a_fault_plan_is_one_for_it_too(rough: Path) -> None:
    done = run("--fault", "ta.alloc@2: no-memory", rough, "--", f"{number('BASICS')}", f"{number('BASICS')}")
    first, second = done.stdout.splitlines()
    assert first.startswith(f"{number('BASICS')} 0x8000"), done.stdout + done.stderr
    assert second == f"{number('BASICS')} 0"
    wrong = run("--fault", "ta.alloc: no-memory", rough, "--", "COUNT")
    assert wrong.returncode == 4
    assert "ta.alloc@N: no-memory" in wrong.stderr


def test_a_machine_of_a_test_hosts_it_in_a_process_of_its_own(rough: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    with machine_for_test([Application.read(rough)], "process") as tee:
        session = tee.context.open_session(ROUGH)
        assert session.invoke(DO["COUNT"], four(OUT, OUT))[0].a == 1
        for what, said in (("PANIC", "code 0x00000007"), ("WRITE_NULL", "SIGSEGV: at 0x0")):
            with pytest.raises(TeeError, match="TARGET_DEAD"):
                tee.context.open_session(ROUGH).invoke(DO[what], four(Param.value(7)))
            printed = capfd.readouterr().err
            assert said in printed
            assert re.search(r"rough/rough\.c:\d+ in TA_InvokeCommandEntryPoint", printed)
            assert "Traceback" not in printed
        assert tee.context.open_session(ROUGH).invoke(DO["COUNT"], four(OUT, OUT))[0].a == 1
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_what_a_tool_needs_is_said_before_it_starts(rough: Path) -> None:
    done = run("--asan", rough, "--", "COUNT")
    assert done.stdout == "COUNT 1\n"
    assert f"note: {rough} is not built with -fsanitize=address" in done.stderr
    done = run("--coverage", rough, "--", "COUNT")
    assert f"note: {rough} is not built with --coverage" in done.stderr
    words = ["setsid", "--wait", *command("--gdb", rough, "--", "COUNT")]
    alone = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
    assert alone.returncode != 0
    assert "there is no terminal for it" in alone.stderr or "gdb is not installed" in alone.stderr


def test_the_debug_profile_says_which_call_was_refused_and_where_it_crashed(
    rough: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if not NUMBERS:
        pytest.skip("no numbers of system calls of this machine")
    with machine_for_test([Application.read(rough)], "debug") as tee:
        session = tee.context.open_session(ROUGH)
        answer = session.invoke(DO["RAW_CALL"], four(inout(NUMBERS["socket"], 7), Param.value(2, 1), OUT))
        assert answer[2].a == 0xFFFF_FFFF
        assert "forbidden: socket(0x2, 0x1, 0x7, " in capfd.readouterr().err
        session.invoke(DO["TRACE"], four(inout(2)))
        printed = capfd.readouterr().err
        assert "trace: I TA_InvokeCommandEntryPoint:" in printed
        assert "trace: printed 7" in printed
        with pytest.raises(TeeError, match="a signal killed it"):
            session.invoke(DO["WRITE_NULL"], NO_PARAMS)
        printed = capfd.readouterr().err
        assert re.search(r"SIGSEGV: at 0x0; no function was called, call 0; \w+=0x", printed), printed
        assert re.search(r"rough/rough\.c:\d+ in TA_InvokeCommandEntryPoint: case WRITE_NULL", printed), printed
