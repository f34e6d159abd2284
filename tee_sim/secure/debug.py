"""What the debug profile reports of an application: panics, refused system calls and whatever it prints.

Nothing of this runs in the strict profile; `tee_sim.secure.quiet` is all that stands there in its place.

Three sources. A panic is reported from its exception. A refused call comes from the watcher (`lockdown.watcher`), which
has the kernel's word; where Python was at that time is looked up at once, by a hook at every call and return. What it
was asked to do, with readable arguments, comes from Python's audit events; without a watcher they are all there is.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Protocol

from tee_sim.secure.codeload import CodeTable
from tee_sim.secure.hosts.remote_app import PanicError
from tee_sim.secure.lockdown.watcher import RefusedCalls
from tee_sim.secure.quiet import Nowhere
from tee_sim.shared.debug_report import MAX_TEXT_CHARS, DebugFrame, DebugKind, DebugReport, frame, report
from tee_sim.shared.manifest import Manifest

AUDITED: Final = frozenset(
    (
        *("open", "ctypes.dlopen", "sqlite3.connect", "subprocess.Popen", "_thread.start_new_thread", "pty.spawn"),
        "_thread.start_joinable_thread",
        *("os.chdir", "os.chflags", "os.chmod", "os.chown", "os.exec", "os.fork", "os.forkpty", "os.getxattr"),
        *("os.kill", "os.killpg", "os.link", "os.listdir", "os.listxattr", "os.lockf", "os.mkdir", "os.posix_spawn"),
        *("os.remove", "os.removexattr", "os.rename", "os.rmdir", "os.scandir", "os.setxattr", "os.spawn"),
        *("os.symlink", "os.system", "os.truncate", "os.utime"),
        *("socket.__new__", "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"),
        *("socket.gethostbyname", "socket.gethostbyaddr", "socket.gethostname", "socket.sethostname"),
        *("fcntl.fcntl", "fcntl.flock", "fcntl.ioctl", "fcntl.lockf", "resource.setrlimit", "resource.prlimit"),
        *("signal.pthread_kill", "syslog.openlog", "syslog.syslog"),
    )
)
"""Audit events of calls that end in a system call which the filter refuses (docs.python.org, audit events table)."""
MAX_REPORTS: Final = 1000
"""During one request, panics aside: an application that prints or fails in a loop must not drown the rest."""
_MOST_CAUSES: Final = 4
_Line = tuple[FrameType, int]
_Lines = list[_Line]
_LINE_CHARS: Final = MAX_TEXT_CHARS // 2


class Outlet(Protocol):
    """Where frames leave this process: to the core, or the core's to the normal world."""

    writing: bool
    """A frame is half written: whatever is said now must wait."""

    def write(self, frame: bytes) -> None: ...


class Debugger:
    """Reports of one process.

    Args:
        manifests: the applications that it runs.
        code: their modules; for the lines of a report they are read once more, before the lock.
    """

    def __init__(self, manifests: Sequence[Manifest], code: CodeTable) -> None:
        self._owners = _owners(manifests, code)
        self._only = ""
        self._lines = {path: _lines_of(path) for path in self._owners}
        self._outlet: Outlet | None = None
        self._pack: Callable[[DebugReport], bytes]
        self._calls: RefusedCalls | None = None
        self._any_new: Callable[[], bool] = lambda: False
        self._asked = ("", "")
        self._asked_in: FrameType | None = None
        self._asked_by: object = None
        self._entered: object = None
        self._waiting: deque[DebugReport] = deque()
        self._saying = False
        self._count = 0
        self._dropped_at: _Lines = []

    def voice(self, name: str) -> Nowhere:
        """What stands in the place of a standard stream."""
        return _Voice(name, self._printed) if "std" in name and "in" not in name else Nowhere()

    def start(
        self,
        outlet: Outlet,
        pack: Callable[[DebugReport], bytes],
        calls: RefusedCalls | None,
        *,
        locked: bool,
        only: str = "",
    ) -> None:
        """Report from now on. After the lock, and after `quiet.install`.

        Args:
            outlet, pack: where to, and how.
            calls: of this process's watcher.
            locked: without it panics are reported, and nothing else.
            only: the application of this process.
        """
        self._outlet, self._pack, self._calls, self._only = outlet, pack, calls, only
        if not locked:
            return
        sys.excepthook = self._excepthook
        sys.unraisablehook = self._unraisable
        sys.addaudithook(self._audited)
        if calls is not None:
            self._any_new = calls.any_new
            sys.setprofile(self._passed)

    def pass_on(self, said: DebugReport) -> None:
        """Send on what another process of the secure world reported."""
        self._waiting.append(said)
        self._say_waiting()

    def panic(self, application: str = "") -> None:
        """Report the exception that is being handled as a panic of an application."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, PanicError):  # which its own process has reported
            self._failed(DebugKind.PANIC, error, application)
        self.flush()

    def flush(self) -> None:
        """Say what had to wait. Called before an answer is sent: the count of reports begins anew."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        dropped, self._count = self._count - MAX_REPORTS, 0
        if dropped > 0:
            where, self._dropped_at = self._dropped_at, []
            self._report(DebugKind.OUTPUT, "reports", f"({dropped} more are not shown)", where)
            self._count = 0
        self._say_waiting()

    # -- refused calls -------------------------------------------------------------------------------------------------

    def _audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in AUDITED or arguments == (None,):  # the program itself is open: ctypes.dlopen
            return
        self._asked = (event, ", ".join(map(_shown, arguments)))
        self._asked_in, self._asked_by = sys._getframe(1), self._entered
        if self._calls is None:
            self._report(DebugKind.FORBIDDEN_CALL, *self._taken(""), _outwards(sys._getframe(1)))

    def _passed(self, where: FrameType, event: str, argument: Any) -> None:
        """At every call and return of a function: was something refused since the last time?"""
        if self._any_new():
            done = f"{argument.__module__}.{argument.__qualname__}" if event.startswith("c_") else ""
            self._refused(where, done)
        if event == "c_call":
            self._entered = argument
        elif where is self._asked_in and (event == "return" or (argument is self._asked_by is not sys.audit)):
            self._taken("")  # what was asked is done, and nothing of it was refused

    def _refused(self, where: FrameType | None, done: str) -> None:
        what, text = self._taken(done)
        for call in self._calls.take() if self._calls is not None else ():
            self._report(
                DebugKind.FORBIDDEN_CALL, what, text, _outwards(where), call=call.number, arguments=call.arguments
            )

    def _taken(self, otherwise: str) -> tuple[str, str]:
        asked, self._asked, self._asked_in = self._asked, ("", ""), None
        return asked if asked[0] else (otherwise, "")

    # -- what is printed and what fails --------------------------------------------------------------------------------

    def _printed(self, stream: str, line: str, frames: _Lines) -> None:
        for start in range(0, max(len(line), 1), _LINE_CHARS):
            self._report(DebugKind.OUTPUT, stream, line[start : start + _LINE_CHARS], frames, most=1)

    def _excepthook(self, _kind: object, error: BaseException, _traceback: object) -> None:
        self._failed(DebugKind.IGNORED, error)

    def _unraisable(self, failed: Any) -> None:
        if failed.exc_value is not None:
            self._failed(DebugKind.IGNORED, failed.exc_value)

    def _failed(self, kind: DebugKind, error: BaseException, application: str = "") -> None:
        """The exception, what it came from, and the lines of the first of them that has any of an application."""
        chain = list(_chain(error))
        own = next((lines for one in chain if (lines := [*self._own(_of_traceback(one.__traceback__))])), [])
        text = "; after ".join((_words(error), *(f"{_name(one)}: {_words(one)}" for one in chain[1:])))
        if not own and not (application or self._only):
            own = _of_traceback(error.__traceback__) or _outwards(sys._getframe(1))
        self._report(kind, _name(error), text, own, application=application)

    def _own(self, lines: Iterable[_Line]) -> Iterator[_Line]:
        return ((where, line) for where, line in lines if where.f_code.co_filename in self._owners)

    def _report(
        self,
        kind: DebugKind,
        what: str,
        text: str,
        lines: Iterable[_Line],
        *,
        application: str = "",
        most: int = 16,
        call: int | None = None,
        arguments: tuple[int, ...] = (),
    ) -> None:
        every = list(lines)
        self._count += kind is not DebugKind.PANIC
        if self._count > MAX_REPORTS and kind is not DebugKind.PANIC:
            self._dropped_at = every
            return
        shown = (list(self._own(every)) or every)[-most:]
        files = [where.f_code.co_filename for where, _ in reversed(shown)]
        owner = self._only or application or next((name for file in files if (name := self._owners.get(file))), "")
        frames = tuple(self._frame(where, line) for where, line in shown)
        self._waiting.append(report(kind, owner, what, text, call=call, arguments=arguments, frames=frames))
        self._say_waiting()

    def _frame(self, where: FrameType, line: int) -> DebugFrame:
        code = where.f_code
        source = self._lines.get(code.co_filename, [])[line - 1 : line] if line > 0 else []
        return frame(code.co_filename, line, code.co_qualname, "".join(source))

    def _say_waiting(self) -> None:
        """Send them in order, and none inside another frame: a finalizer may print in the middle of a write."""
        if self._saying or self._outlet is None or self._outlet.writing:
            return
        self._saying = True
        try:
            while self._waiting:
                self._outlet.write(self._pack(self._waiting.popleft()))
        finally:
            self._saying = False


class _Voice(Nowhere):
    """A stream whose lines are reported."""

    def __init__(self, name: str, say: Callable[[str, str, _Lines], None]) -> None:
        self._name = name.strip("_")
        self._say = say
        self._begun = ""
        self._where: _Lines = []

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        self._where = _outwards(sys._getframe(1))
        for line in lines:
            self._say(self._name, line, self._where)
        return len(text)

    def flush(self) -> None:
        begun, self._begun = self._begun, ""
        if begun:
            self._say(self._name, begun, self._where)
        self._where = []


def _owners(manifests: Sequence[Manifest], code: CodeTable) -> Mapping[str, str]:
    """The application that each file is of; empty for a file of several."""
    found: dict[str, str] = {}
    for manifest in manifests:
        for path in _files(manifest, code):
            found[path] = "" if path in found else manifest.name
    return found


def _files(manifest: Manifest, code: CodeTable) -> Iterator[str]:
    for name, module in code.modules.items():
        if any(name == p or (p.endswith(".*") and f"{name}.".startswith(p[:-1])) for p in manifest.code):
            yield module.path


def _lines_of(path: str) -> list[str]:
    with suppress(OSError, UnicodeDecodeError):
        return Path(path).read_text("utf-8").splitlines(keepends=True)
    return []


def _outwards(where: FrameType | None) -> _Lines:
    """The frames from the outermost to this one, each with the line it is at."""
    found = []
    while where is not None:
        found.append((where, where.f_lineno or 0))
        where = where.f_back
    return found[::-1]


def _of_traceback(traceback: TracebackType | None) -> _Lines:
    found = []
    while traceback is not None:
        found.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if one is None:
            return
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"(its __str__ fails) {_shown(error.args)}"


def _shown(value: Any) -> str:
    """An argument of an audit event; of a large one the beginning."""
    try:
        return repr(value[:200] if isinstance(value, str | bytes) else value)[:400]
    except Exception:
        return f"({type(value).__name__})"
