"""One attempt at one layer set, in one fresh process. Success is what the outside saw; the process is never asked."""

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import signal
import time
from pathlib import Path
from typing import Final

from bioguard.evidence.escape_battery import layers
from bioguard.evidence.escape_battery.attempt_environment import IA32_MARK, AttemptEnvironment
from bioguard.evidence.escape_battery.attempts.descriptors import Message
from bioguard.evidence.escape_battery.context import Context, Leaks, View
from bioguard.evidence.escape_battery.model import Attempt, Cell, Outcome, Shift
from bioguard.evidence.escape_battery.raw import AF, SOCK, Trace, name_of, sys_call
from tee_sim.shared.lock_report import LockError
from tee_sim.shared.sandbox import hygiene

_LOCKED, _ATTEMPT_RUNS, _DONE, _FAILED = 1, 2, 3, 4
_LEVEL_REFUSED: Final = 120
_LIMIT_S: Final = 3.0
"""From the attempt's first step to its end."""
_START_LIMIT_S: Final = 30.0
"""From the fork to the first step: a loaded machine is no result."""
_GRACE_S: Final = 0.25
"""After an attempt went through: how long a slow witness may take (docs/sandbox.md: 60 ms was too short once)."""
_GRACE_STOPPED_S: Final = 0.01
_SIGSYS_STATUS: Final = 128 + signal.SIGSYS
_SLOTS: Final = 4096
NO_OBSERVER: Final = "not made: no network of our own"
ALREADY: Final = "not made: no value to be told from"


class LevelRefused(Exception):
    """This host does not offer that layer set."""


def _prepare(environment: AttemptEnvironment) -> tuple[Path, Path, Path]:
    root = environment.base / f"cell-{secrets.token_hex(4)}"
    outside, store = root / "outside", root / "store"
    (outside / "spool").mkdir(parents=True)
    store.mkdir()
    for path in (outside / "target", outside / "leaked", outside / "read-only", outside / "handed", store / "slots"):
        path.write_bytes(bytes(_SLOTS))
        path.chmod(0o600)
        os.utime(path, (0, 0))
    return root, outside, store


def _open_leaks(environment: AttemptEnvironment, outside: Path, store: Path) -> tuple[Leaks, int, int, int]:
    """The descriptors of one cell; returns them and our ends: to the child, from the child, its output."""
    request, to_child = os.pipe()
    from_child, reply = os.pipe()
    pair = (ctypes.c_int * 2)()
    sys_call(None, "socketpair", AF.UNIX, SOCK.STREAM, 0, ctypes.byref(pair))
    ours, theirs = pair
    leaks = Leaks(
        request=request,
        reply=reply,
        socket=environment.leaked_socket,
        file=os.open(outside / "leaked", os.O_RDWR),
        read_only=os.open(outside / "read-only", os.O_RDONLY),
        root_directory=os.open("/", os.O_RDONLY | os.O_DIRECTORY),
        terminal=environment.terminal,
        pair=theirs,
        store=os.open(store / "slots", os.O_RDWR),
    )
    handed = os.open(outside / "handed", os.O_RDWR)
    message = Message(handed)
    sys_call(None, "sendmsg", ours, message.header, 0)
    os.close(handed)
    environment.pair_end, environment.leaked_file, environment.reply_write = ours, leaks.file, reply
    return leaks, to_child, from_child, ours


def _child(attempt: Attempt, level: str, context: Context, output: int) -> None:
    """Inside: lock, try, tell the page how it went. Never returns."""
    trace, leaks = context.trace, context.leaks
    try:
        os.setpgid(0, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        kept = [v for v in (getattr(leaks, name) for name in Leaks.__slots__) if v >= 0]
        hygiene.close_all_but(*kept)
        try:
            trace.processes_before = layers.apply(level, leaks.request, leaks.reply)
        except (OSError, LockError) as error:
            trace.error = error.errno or 0 if isinstance(error, OSError) else 0
            os._exit(_LEVEL_REFUSED)
        trace.stage = _LOCKED
        limit = time.monotonic() + _START_LIMIT_S
        while isinstance(attempt.check, Shift) and not trace.begin and time.monotonic() < limit:
            time.sleep(0.001)
        trace.stage = _ATTEMPT_RUNS
        try:
            attempt.body(context)
            trace.stage = max(trace.stage, _DONE)
        except OSError as error:
            trace.error = error.errno or 0
            trace.stage = _FAILED
        deadline = time.monotonic() + _LIMIT_S
        while attempt.lingers and not trace.release and time.monotonic() < deadline:
            time.sleep(0.001)
    finally:
        os._exit(0)


def _inner(pid: int, before: int) -> int:
    """The process behind so many; 0 when it is not there, so that nobody else is looked at in its place."""
    for _ in range(before):
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return 0
        if len(children) != 1:
            return 0
        pid = int(children[0])
    return pid


def _read_now(fd: int) -> bytes:
    with contextlib.suppress(BlockingIOError):
        return os.read(fd, 1 << 16)
    return b""


def run_attempt(environment: AttemptEnvironment, attempt: Attempt, level: str, trace: Trace) -> Cell:
    """Run one cell and judge it. Raises LevelRefused when the layer set cannot be applied here."""
    if attempt.observer and environment.cable is None:
        return Cell(Outcome.PROVES_NOTHING, NO_OBSERVER)
    token = secrets.token_hex(12).encode()
    root, outside, store = _prepare(environment)
    leaks, to_child, from_child, ours = _open_leaks(environment, outside, store)
    output_read, output_write = os.pipe()
    for fd in (from_child, output_read):
        os.set_blocking(fd, False)
    if attempt.group == "G":
        environment.start_victim(outside)
    environment.begin()
    trace.reset()
    context = Context(token, environment, leaks, trace, str(outside), str(store))
    pid = os.fork()
    if pid == 0:
        _child(attempt, level, context, output_write)
    view = View(token, environment, 0, outside, store)
    try:
        return _watch(attempt, level, view, trace, (pid, from_child, output_read))
    finally:
        _end(environment, attempt, pid, view.pid)
        for fd in (
            leaks.request,
            leaks.reply,
            leaks.file,
            leaks.read_only,
            leaks.root_directory,
            leaks.pair,
            leaks.store,
        ):
            os.close(fd)
        for fd in (to_child, from_child, output_read, output_write, ours):
            os.close(fd)
        shutil.rmtree(root, ignore_errors=True)
        _sweep(environment)


def _watch(attempt: Attempt, level: str, view: View, trace: Trace, ends: tuple[int, int, int]) -> Cell:
    """Look until the witness saw something, or the attempt is over and its grace time too."""
    pid, from_child, output = ends
    started = time.monotonic()
    began, over_at = started, None
    while True:
        view.reply += _read_now(from_child)
        view.output += _read_now(output)
        if view.status is None:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                view.status = status
        ready = trace.stage >= _DONE or view.status is not None or attempt.lingers
        if trace.stage >= _LOCKED:
            view.pid = view.pid or _inner(pid, trace.processes_before)
        if trace.stage == _LOCKED and not trace.begin and isinstance(attempt.check, Shift):
            before = attempt.check.read(view)
            view.aim = attempt.check.aim(view, before)
            if view.aim is None:
                return Cell(Outcome.PROVES_NOTHING, f"{ALREADY} {before}")
            trace.aim, trace.begin = view.aim, 1
        if ready and trace.stage >= _ATTEMPT_RUNS and attempt.check is not None and _check(attempt, view):
            return Cell(Outcome.ESCAPED)
        now = time.monotonic()
        if trace.stage < _ATTEMPT_RUNS and view.status is None and now - started < _START_LIMIT_S:
            began = now
        settled = view.status is not None or (attempt.lingers and trace.stage >= _DONE)
        if settled and over_at is None:
            went_through = trace.stage == _DONE and not _killed(view.status)
            over_at = now + (_GRACE_S if went_through and attempt.check is not None else _GRACE_STOPPED_S)
        if (over_at is not None and now >= over_at) or now - began > _LIMIT_S:
            break
        time.sleep(0.001)
    trace.release = 1
    if view.status is not None and os.WIFEXITED(view.status) and os.WEXITSTATUS(view.status) == _LEVEL_REFUSED:
        raise LevelRefused(f"errno {trace.error}" if trace.error else "refused")
    return _verdict(attempt, view, trace)


def _check(attempt: Attempt, view: View) -> bool:
    try:
        return attempt.check is not None and attempt.check(view)
    except (FileNotFoundError, ProcessLookupError):
        return False


def _killed(status: int | None) -> bool:
    if status is None:
        return False
    by_signal = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS
    return by_signal or (os.WIFEXITED(status) and os.WEXITSTATUS(status) == _SIGSYS_STATUS)


def _verdict(attempt: Attempt, view: View, trace: Trace) -> Cell:
    where = _call_name(trace.last_call)
    if _killed(view.status):
        return Cell(Outcome.KILLED, where)
    if trace.stage == _FAILED:
        return Cell(Outcome.REFUSED, f"{where}:{_errno_name(trace.error)}")
    if attempt.check is None and trace.stage == _DONE:
        return Cell(Outcome.CAPABILITY)
    if attempt.check is None and attempt.group == "D" and view.status == 0:
        return Cell(Outcome.CAPABILITY)  # it became another program, which ended well
    return Cell(Outcome.NOTHING, where if trace.stage < _DONE else "")


def _call_name(number: int) -> str:
    if number == Trace.NONE:
        return "inside a library"
    if number >= IA32_MARK:
        return f"ia32 {number & ~IA32_MARK}"
    return name_of(number)


def _errno_name(number: int) -> str:
    return errno.errorcode.get(number, str(number))


def _end(environment: AttemptEnvironment, attempt: Attempt, pid: int, inner: int) -> None:
    """End the attempt's processes: its group, and whatever it left behind, which the kernel gave to us."""
    for kill, target in ((os.killpg, pid), (os.kill, inner)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if target > 1:
                kill(target, signal.SIGKILL)
    if attempt.group == "G":
        environment.stop_victim()
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        try:
            done, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not done:
            for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(int(child), signal.SIGKILL)
            time.sleep(0.001)


def _sweep(environment: AttemptEnvironment) -> None:
    """Empty its own shared directories; the environment's base may lie in one of them."""
    for folder in environment.shared:
        for entry in folder.iterdir():
            if entry == environment.base:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
