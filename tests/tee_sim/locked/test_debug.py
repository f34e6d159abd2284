"""The debug profile says what a trusted application did, and where; the strict one says nothing and takes no report."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tee_sim.normal import timeline
from tee_sim.normal.client import Context
from tee_sim.normal.debug_text import lines
from tee_sim.normal.sandbox_verdict.probes import cached_probes
from tee_sim.normal.sandbox_verdict.processes import inspect_processes
from tee_sim.normal.sandbox_verdict.verdict import Level, Verdict
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.normal.supplicant import Supplicant
from tee_sim.normal.syscall_names import name_of
from tee_sim.shared.debug_report import DebugKind, DebugReport
from tee_sim.shared.debug_report import report as report_of
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.host_processes import host_heaps, host_names
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.sandbox.kernel import MACHINE
from tee_sim.shared.wire import Boot, Locked, LockProfile, Provision
from tests.tee_sim.locked.applications.mistaken.app import LEAVE_OPEN, MISTAKES
from tests.tee_sim.locked.applications.ordinary.app import FIRST_LATE, HOOKS, ORDINARY
from tests.tee_sim.locked.conftest import APPLICATIONS, interpreter, manifest
from tests.tee_sim.locked.test_ordinary_python import PARAMS
from tests.tee_sim.test_timeline import read

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")

MISTAKEN, ORDINARY_ONE = manifest(1, "mistaken"), manifest(2, "ordinary")
SOURCE = (APPLICATIONS / "mistaken" / "app.py").read_text("utf-8").splitlines()
NAMES = [mistake.__name__ for mistake in MISTAKES]
CALLS = {
    "opens_a_file": ("openat", "open", "'/etc/passwd', 'r'"),
    "swallows_it": ("newfstatat", "posix.stat", ""),
    "in_c": ("getppid", "", ""),
    "writes_to_a_descriptor": ("write", "posix.write", ""),
    "makes_a_socket": ("socket", "socket.__new__", "2, 1, 0"),
    "starts_a_program": ("pipe2 clone3", "subprocess.Popen os.posix_spawn", "'/bin/true', ['/bin/true']"),
    "starts_a_thread": ("clone3", "_thread.start_new_thread _thread.start_joinable_thread", ""),
    "forks": ("clone", "os.fork", ""),
}
"""System call, what Python was asked to do, and a part of what with; from one Python to the next, one or another."""
PANICS = {
    "divides": ("ZeroDivisionError", "division by zero"),
    "refers_to_another": (
        "mistaken.app.Unprintable",
        "(its __str__ fails) (); after ZeroDivisionError: division by zero",
    ),
    "recurses": ("RecursionError", "maximum recursion depth exceeded"),
    "answers_no_result": ("ValueError", "no result; after tee_sim.shared.errors.TeeError: none (SUCCESS"),
}


class World:
    """A running world, what it reported and how it was judged."""

    def __init__(self, folder: Path, profile: LockProfile, *manifests: Manifest, begin: str = "") -> None:
        self.reports: list[DebugReport] = []
        self.verdicts: list[Verdict] = []
        self.supplicant = Supplicant(folder)
        with interpreter(folder, begin=begin):
            self.boot = Boot(manifests=manifests, profile=profile)
            self.process = SecureProcess(self.boot, self.supplicant, on_debug=self.reports.append)
        self.process.boot(self._judge, Provision(huk=bytes(32), device_id=bytes(16), create=True))

    def _judge(self, pid: int, locked: Locked) -> str:
        names, heaps = host_names(self.boot), host_heaps(self.boot)
        self.verdicts.append(inspect_processes(pid, locked, names, cached_probes(), heaps).verdict)
        return self.verdicts[-1].level.value

    def ask(self, application: Manifest, command: int) -> list[DebugReport]:
        """One command in a session of its own, whatever comes of it; what was reported meanwhile."""
        self.reports.clear()
        with suppress(TeeError), Context(self.process).open_session(application.ta_uuid) as session:
            session.invoke(command, PARAMS)
        return list(self.reports)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.supplicant.close()


@pytest.fixture(scope="module")
def debug(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both applications in the debug profile."""
    world = World(tmp_path_factory.mktemp("debug"), LockProfile.PERMISSIVE_DEBUG, MISTAKEN, ORDINARY_ONE)
    yield world
    world.close()


def line_of(name: str) -> int:
    """Where the application does it."""
    return next(number for number, line in enumerate(SOURCE, 1) if line.endswith(f"line of {name}"))


def refusals(reports: list[DebugReport]) -> list[DebugReport]:
    return [r for r in reports if r.kind is DebugKind.FORBIDDEN_CALL]


def text_of(reports: list[DebugReport]) -> str:
    return "\n".join(line for report in reports for line in lines(report))


@pytest.mark.parametrize("name", CALLS)
def test_a_forbidden_call_is_named_with_its_application_line_and_arguments(debug: World, name: str) -> None:
    found = refusals(debug.ask(MISTAKEN, NAMES.index(name)))
    call, asked, part = CALLS[name]
    report = next(r for r in found if r.call is not None and name_of(r.call, MACHINE) in call.split())
    assert report.application == "mistaken"
    assert report.what in (asked.split() or [""])
    assert part in report.text
    assert (report.frames[-1].file, report.frames[-1].line) == (
        str(APPLICATIONS / "mistaken" / "app.py"), line_of(name),
    )  # fmt: skip
    assert report.frames[-1].function == name
    assert report.frames[-1].source == SOURCE[line_of(name) - 1].strip()
    assert len(report.arguments) == 6
    assert f"debug: mistaken: forbidden: {name_of(report.call or 0, MACHINE)}(0x" in text_of(found)
    assert f"mistaken/app.py:{line_of(name)} in {name}: " in text_of(found)


def test_what_python_asked_for_before_is_not_blamed(debug: World) -> None:
    first, second = refusals(debug.ask(MISTAKEN, NAMES.index("asks_for_something_else_before")))
    assert (first.what, first.text) == ("os.rmdir", "'/proc/self', -1")
    assert (second.what, second.text) == ("", "")
    assert name_of(second.call or 0, MACHINE) == "getppid"


def test_arguments_are_those_of_the_call(debug: World) -> None:
    (report,) = refusals(debug.ask(MISTAKEN, NAMES.index("writes_to_a_descriptor")))
    assert (report.arguments[0], report.arguments[2]) == (2, 1)


@pytest.mark.parametrize("name", PANICS)
def test_a_panic_is_named_with_its_exception_and_line(debug: World, name: str) -> None:
    (report,) = debug.ask(MISTAKEN, NAMES.index(name))
    what, text = PANICS[name]
    assert (report.kind, report.application, report.what) == (DebugKind.PANIC, "mistaken", what)
    assert report.text.startswith(text)
    assert line_of(name) in [frame.line for frame in report.frames]
    assert report.call is None
    printed = list(lines(report))
    assert printed[0] == f"debug: mistaken: panic: {what}: {report.text}"
    assert len(printed) <= 5


def test_a_transaction_that_was_left_open_is_named(debug: World) -> None:
    (report,) = debug.ask(MISTAKEN, LEAVE_OPEN)
    assert (report.kind, report.text) == (DebugKind.PANIC, "a transaction was left open")


@pytest.fixture(scope="module")
def printed(debug: World) -> list[list[DebugReport]]:
    """What was reported of each command, the first time that it was asked for: a warning is given once."""
    return [debug.ask(ORDINARY_ONE, number) for number in range(len(ORDINARY))]


def test_what_an_application_prints_is_shown_under_its_name(printed: list[list[DebugReport]]) -> None:
    found = [report for reports in printed for report in reports]
    assert len(found) > 1000
    assert {r.application for r in found} <= {"ordinary"}
    assert {r.kind for r in found} <= {DebugKind.OUTPUT, DebugKind.IGNORED}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "ordinary: stderr: "), (0, "UserWarning: x"), (1, "hello 1"), (3, "ValueError: caught"),
        (5, "ordinary: stdout: x"), (7, "ordinary: stderr: x"),
        (9, "RuntimeWarning: invalid value encountered in divide"),
        (10, "ordinary: exception ignored: ValueError: in a finalizer"), (14, "CRITICAL:root:level 50"),
        (16, "ordinary: stderr: z"),
    ],
)  # fmt: skip
def test_it_is_shown_as_it_was_printed(printed: list[list[DebugReport]], number: int, said: str) -> None:
    assert said in text_of(printed[number])


def test_much_is_shown_whole_and_too_much_is_counted(printed: list[list[DebugReport]]) -> None:
    assert "".join(r.text for r in printed[15]) == "y" * 20_000
    assert [r.text for r in printed[8]] == ["x"] * 1000 + ["(9000 more are not shown)"]


def test_a_host_that_crashes_ends_alone_with_its_watcher(debug: World) -> None:
    crashing = Context(debug.process).open_session(MISTAKEN.ta_uuid)
    with pytest.raises(TeeError, match="a signal killed it"):
        crashing.invoke(NAMES.index("crashes"), PARAMS)
    assert debug.process.alive
    assert [r.what for r in debug.ask(MISTAKEN, NAMES.index("divides"))] == ["ZeroDivisionError"]
    assert text_of(debug.ask(ORDINARY_ONE, 5)) == "debug: ordinary: stdout: x"


@pytest.mark.parametrize(
    ("entry", "what", "text"),
    [
        ("mistaken.app:Nobody", "AttributeError", "module 'mistaken.app' has no attribute 'Nobody'"),
        ("mistaken.main:Mistaken", "ModuleNotFoundError", "No module named 'mistaken.main'"),
    ],
)
def test_an_application_that_does_not_load_says_why(tmp_path: Path, entry: str, what: str, text: str) -> None:
    wrong = replace(MISTAKEN, entry=entry)
    world = World(tmp_path, LockProfile.PERMISSIVE_DEBUG, wrong)
    try:
        (report,) = world.ask(wrong, 0)
        assert (report.kind, report.application) == (DebugKind.PANIC, "mistaken")
        assert (report.what, report.text) == (what, text)
    finally:
        world.close()


def test_there_is_a_hook_in_the_debug_profile(debug: World) -> None:
    """Positive control of what the strict profile is asked."""
    assert [r.text for r in debug.ask(ORDINARY_ONE, HOOKS)] == ["somebody looks on"]


def test_a_module_that_is_not_there_says_what_to_do(debug: World) -> None:
    found = text_of(debug.ask(ORDINARY_ONE, FIRST_LATE))
    assert "panic: ModuleNotFoundError: No module named 'numpy.random'" in found
    assert "after the lock there is what the manifest names under code and preload, and nothing else" in found
    assert 'debug:   add "numpy.random" to preload, or to code if it is the application\'s own' in found


@pytest.mark.parametrize(
    ("what", "text", "name"),
    [
        ("ModuleNotFoundError", "No module named 'xml.dom.expatbuilder'", "xml.dom.expatbuilder"),
        ("ImportError", "cannot import name 'expatbuilder' from 'xml.dom' (x.py)", "xml.dom.expatbuilder"),
        ("ImportError", "no such plugin", ""),
        ("ValueError", "No module named 'x'", ""),
    ],
)
def test_a_report_of_a_missing_module_names_it(what: str, text: str, name: str) -> None:
    found = text_of([report_of(DebugKind.PANIC, "otp", what, text)])
    assert [line for line in found.splitlines() if "add " in line] == (
        [f'debug:   add "{name}" to preload, or to code if it is the application\'s own'] if name else []
    )


def test_the_world_goes_on_and_is_at_most_partial(debug: World) -> None:
    assert debug.process.alive
    assert debug.verdicts[-1].level is Level.PARTIAL
    assert any("foreign calls are answered, not killed" in reason for reason in debug.verdicts[-1].reasons)


def test_without_a_watcher_python_says_what_it_was_asked(tmp_path: Path) -> None:
    refuse = "import tee_sim.secure.lockdown.watcher as w\ndef no(): raise OSError(38, 'no')\nw.start = no\n"
    world = World(tmp_path, LockProfile.PERMISSIVE_DEBUG, MISTAKEN, begin=refuse)
    try:
        found = refusals(world.ask(MISTAKEN, NAMES.index("opens_a_file")))
        (report,) = found
        assert (report.call, report.arguments, report.what) == (None, (), "open")
        assert report.frames[-1].line == line_of("opens_a_file")
        assert "open('/etc/passwd', 'r', 524288); which system call that was is not known here" in text_of([report])
        assert refusals(world.ask(MISTAKEN, NAMES.index("in_c"))) == []
        assert world.verdicts[-1].level is Level.PARTIAL
    finally:
        world.close()


def test_without_any_lock_panics_are_reported(tmp_path: Path) -> None:
    world = World(tmp_path, LockProfile.OFF, MISTAKEN)
    try:
        (report,) = world.ask(MISTAKEN, NAMES.index("divides"))
        assert (report.kind, report.frames[-1].line) == (DebugKind.PANIC, line_of("divides"))
        assert world.ask(MISTAKEN, NAMES.index("opens_a_file")) == []
        assert world.verdicts[-1].level is Level.NOT_ENFORCED
    finally:
        world.close()


def test_a_strict_world_reports_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, LockProfile.STRICT, MISTAKEN, ORDINARY_ONE)
    try:
        assert world.ask(MISTAKEN, NAMES.index("divides")) == []
        assert world.ask(ORDINARY_ONE, 5) == []
        with Context(world.process).open_session(ORDINARY_ONE.ta_uuid) as session:
            session.invoke(HOOKS, PARAMS)  # a panic, were there a hook
        assert world.process.alive
        assert world.verdicts[-1].level.meets(Level.ENFORCED)
    finally:
        world.close()


CORE_SAYS_IT_ANYWAY = """
import tee_sim.secure.launcher as launcher
from tee_sim.shared.debug_report import DebugKind, report
made, pipes = launcher._ClientPipe.__init__, []
launcher._ClientPipe.__init__ = lambda self, *fds: (made(self, *fds), pipes.append(self))[0]
launcher._silent = lambda name: pipes[0].send(report(DebugKind.OUTPUT, name, "stdout", "a secret"))
"""
HOST_SAYS_IT_ANYWAY = """
import tee_sim.secure.hosts.process as process
from tee_sim.secure.hosts.messages import pack
from tee_sim.shared.debug_report import DebugKind, report
made = process.Host.__init__
def make(self, pipe, manifest):
    made(self, pipe, manifest, lambda: pipe.write(pack(report(DebugKind.OUTPUT, manifest.name, "stdout", "a secret"))))
process.Host.__init__ = make
"""


def test_a_strict_core_that_sends_a_report_is_killed(tmp_path: Path) -> None:
    """A build whose core reports in the strict profile too."""
    world = World(tmp_path, LockProfile.STRICT, MISTAKEN, begin=CORE_SAYS_IT_ANYWAY)
    try:
        session = Context(world.process).open_session(MISTAKEN.ta_uuid)
        with pytest.raises(TeeError, match="the secure world sent what it may not send now") as caught:
            session.invoke(NAMES.index("divides"), PARAMS)
        assert caught.value.result is TeeResult.TARGET_DEAD
        assert not world.process.alive
    finally:
        world.close()
    assert world.reports == []


def test_a_strict_host_that_sends_a_report_is_killed(tmp_path: Path) -> None:
    """A build whose hosts report in the strict profile too. The others go on."""
    world = World(tmp_path, LockProfile.STRICT, MISTAKEN, ORDINARY_ONE, begin=HOST_SAYS_IT_ANYWAY)
    try:
        session = Context(world.process).open_session(MISTAKEN.ta_uuid)
        with pytest.raises(TeeError, match="it sent the core what is no message and was killed"):
            session.invoke(NAMES.index("divides"), PARAMS)
        assert world.process.alive
        assert world.ask(ORDINARY_ONE, 0) == []
    finally:
        world.close()
    assert world.reports == []


def test_reports_are_on_the_timeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "timeline.json"
    monkeypatch.setenv(timeline.VARIABLE, str(path))
    world = World(tmp_path, LockProfile.PERMISSIVE_DEBUG, MISTAKEN)
    world.ask(MISTAKEN, NAMES.index("opens_a_file"))
    world.close()
    found = [e for e in read(path) if str(e["name"]).startswith("debug")]
    assert [e["name"] for e in found] == ["debug forbidden call", "debug panic"]
    args = found[0]["args"]
    assert isinstance(args, dict)
    assert args["text"].startswith("forbidden: openat(0x")
    assert args["at"].endswith(f"mistaken/app.py:{line_of('opens_a_file')} in opens_a_file")
