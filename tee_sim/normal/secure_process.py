"""The normal world's end of the secure world: starts it, looks at it, talks to it, kills it.

Rules:
* two pipes, one more a process of a sensor, `/dev/null` on 0 to 2, no other descriptor;
* an empty environment but for thread counts;
* what cannot be packed is refused before anything is sent: a mistake of one caller ends nobody's session;
* every wait has a deadline; a late, dead or babbling secure world ends in a typed error and a dead process;
* no secret is sent before `inspect` has agreed to what it saw from outside.

Does not promise: that the process is locked; that is for `inspect` to judge. Nor that what a killed secure world was
asked last was not carried out.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol, Self, cast

from tee_sim.normal import events
from tee_sim.normal.asked import (
    RETURN,
    checked_deadline,
    dead,
    deadline_after,
    how_it_ended,
    is_plain_success,
    misspoken,
    packed,
    signal_of,
    too_late,
    wait_for,
)
from tee_sim.normal.captured import Captured, capture_message
from tee_sim.normal.child import Child, child_environment, take_ahead
from tee_sim.normal.debug_text import print_report
from tee_sim.normal.kernel_log import KernelLog
from tee_sim.normal.native_lines import NativeLines
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.picture_pipe import send_picture
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import NO_HOST_LEFT, HostEnd
from tee_sim.shared.host_processes import picture_pipes
from tee_sim.shared.limits import (
    BOOT_TIMEOUT_MS,
    GRACE_TIMEOUT_MS,
    INVOKE_TIMEOUT_MS,
    MAX_COMPILED_BYTES,
)
from tee_sim.shared.wire import (
    BEFORE_THE_LOCK,
    Boot,
    BootFailed,
    Compiled,
    Feed,
    FrameReader,
    Locked,
    LockProfile,
    Message,
    Provision,
    Ready,
    Return,
    StorageCall,
    StorageReply,
    Wait,
    Waited,
    framed,
    may_send,
    pack,
    unpack,
)

Inspect = Callable[[int, Locked], str]
"""Looks at process `pid` from outside and returns how far it is locked; raises TeeError to refuse it."""


class StorageHandler(Protocol):
    """The supplicant, as seen from here."""

    def handle(self, operation: int, request: object) -> list[object]:
        """Do one storage operation. Raises TeeError to answer with its result."""
        ...


def answer_storage(storage: StorageHandler, call: StorageCall) -> bytes:
    """Return the frame that answers one storage call; an answer larger than a frame is a failure of it."""
    try:
        return pack(StorageReply(result=TeeResult.SUCCESS, reply=storage.handle(call.operation, call.request)))
    except TeeError as error:
        return pack(StorageReply(result=error.result, reply=[]))


class SensorStartError(TeeError):
    """TARGET_DEAD: a sensor could not be made, so nothing started. Without that sensor it may."""


class SecureProcess:
    """One running secure world.

    Args:
        boot: what to load and how to lock.
        storage: answers storage calls.
        tap: called with (direction, frame bytes) for every frame after the root secret was sent; for evidence.
        keep_variables: names of further environment variables that the secure world is given.
        on_debug: called with each report of a secure world whose profile is none that locks; by default they are
            printed on standard error.
        on_forbidden: called with words when one of its processes was killed for a system call; for people, not for an
            error's text.

    Attributes:
        compiled: the code that it has compiled, if BOOT asks for it; nothing if all of it was taken.
    """

    def __init__(
        self,
        boot: Boot,
        storage: StorageHandler,
        *,
        tap: Callable[[str, bytes], None] | None = None,
        keep_variables: Collection[str] = (),
        on_debug: Callable[[DebugReport], None] = print_report,
        on_forbidden: Callable[[str], None] | None = None,
    ) -> None:
        self._storage = storage
        self._tap = tap
        self._on_debug = on_debug
        self._native_lines = NativeLines(boot)
        self._on_forbidden = on_forbidden
        self._may_send = may_send(boot.profile)
        self._keeps_code = boot.keep_code
        self._sensors = boot.sensors
        self._picture: bytes | None = None
        self.compiled = bytearray()
        self._reader = FrameReader()
        self._locked = False
        self._why = ""
        frame = pack(boot)
        environment = child_environment(keep_variables)
        shown = boot.profile is LockProfile.OFF
        pictures = picture_pipes(boot)
        ahead = None if shown else take_ahead(environment, frame, pictures=pictures)
        self._child = ahead or Child(environment, shows_errors=shown, pictures=pictures)
        self._process, self._read_fd, self._write_fd = self._child.process, self._child.read_fd, self._child.write_fd
        self._events = events.WorldEvents()
        self._kernel_log = KernelLog(self._process.pid)
        try:
            self._events = events.watch(boot.manifests, self._process.pid, profile=boot.profile.name)
            self._write(frame, deadline_after(BOOT_TIMEOUT_MS), sent=len(self._child.told))
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The process we started (the waiter, when the secure world lives in a PID namespace of its own)."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def how_it_ended(self) -> str:
        """Why it does not run any more, for a sentence that names it; empty while it runs."""
        status = self._process.poll()
        return self._why or ("" if status is None else how_it_ended(status))

    def boot(self, inspect: Inspect, provision: Provision) -> Ready:
        """Wait for the lock, let `inspect` look at it, then hand over the root secret.

        Raises:
            TeeError: whatever `inspect` raises; the store's own result when it does not open; TARGET_DEAD.
        """
        deadline = deadline_after(BOOT_TIMEOUT_MS)
        try:
            # 1. What it says about its lock. Until then it may send LOCKED or BOOT_FAILED and nothing else, but for the
            #    code that it has compiled, if it was asked for that.
            message = self._receive(deadline)
            while isinstance(message, Compiled):
                self.compiled += message.part
                if len(self.compiled) > (MAX_COMPILED_BYTES if self._keeps_code else 0):
                    raise dead("the secure world sent more compiled code than it was asked for")
                message = self._receive(deadline)
            if isinstance(message, BootFailed):
                why = f"the secure world could not start: {message.stage}: {message.detail}"
                of_sensor = message.detail.startswith("SensorError: ")
                raise SensorStartError(TeeResult.TARGET_DEAD, why, origin=Origin.COMMS) if of_sensor else dead(why)
            # 2. Look at it from outside, while it waits: a report alone could be made up by what was loaded into it.
            verdict = inspect(self.pid, cast("Locked", message))
            self._events.locked(verdict)
            if self._wants_calls():
                self._kernel_log.remember()
            # 3. Only now the secret. Its frame is not tapped, so that no evidence holds it. What may come back from now
            #    on are closed types and sealed bytes (FROM_SECURE_WORLD).
            self._locked = True
            self._write(pack(replace(provision, verdict=verdict)), deadline, tapped=False)
            answer = self._pump(deadline)
        except BaseException:
            self.kill()
            raise
        if isinstance(answer, Ready):
            self._events.ready(answer)
            return answer
        self.kill()
        raise TeeError(answer.result, "the secure store does not open", origin=answer.origin)

    def exchange(self, message: Message, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Return:
        """Send one request and serve storage calls until its answer.

        Raises:
            TeeError: BAD_PARAMETERS of origin API for a message that cannot be sent; TARGET_DEAD if the secure world is
                gone, TIMEOUT (it is killed) past the deadline.
        """
        return self._exchange(message, timeout_ms, None)

    def exchange_cancellable(
        self, message: Message, operation: CancellableOperation, *, timeout_ms: int = INVOKE_TIMEOUT_MS
    ) -> Return:
        """`exchange`, and the secure world may ask meanwhile whether the operation was cancelled."""
        return self._exchange(message, timeout_ms, operation)

    def capture(self, sensor: str, picture: bytes, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Captured:
        """Have a sensor read a picture, which goes to its process alone.

        Raises:
            TeeError: as `exchange`; BAD_PARAMETERS of origin API for a sensor or a picture that is none; TARGET_DEAD of
                origin TEE when every process of the sensor has ended, and the secure world goes on without it.
        """
        message = capture_message(self._sensors, sensor, picture)
        self._picture = picture
        try:
            answer = self._exchange(message, timeout_ms, None)
        finally:
            self._picture = None
        return Captured.of(answer, sensor, self.kill)

    @property
    def pipes(self) -> tuple[int, int]:
        """Descriptors, reading first, for whoever passes on."""
        return self._read_fd, self._write_fd

    @property
    def passes(self) -> bool:
        """Whether nobody here wants to know what a message says."""
        return self._tap is None and not self._events.written

    def pass_on(self, body: bytes, operation: CancellableOperation, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> bytes:
        """`exchange_cancellable` of the body of an Invoke that is canonical, and the answer's body as it came.

        Raises:
            TeeError: as `exchange_cancellable`.
        """
        deadline = checked_deadline(timeout_ms)
        try:
            self._write(framed(body), deadline)
        except BaseException as error:
            self._ended_by(error)
            raise
        return self.pass_on_from(b"", operation, deadline)

    def pass_on_from(self, heard: bytes, operation: CancellableOperation, deadline: float) -> bytes:
        """The rest of `pass_on`, of a request that was sent: `heard` is what has come since."""
        try:
            while True:
                answer, heard = self._receive_body(deadline, heard), b""
                if answer.startswith(RETURN):
                    break
                self._serve(self._unpacked(answer), deadline, operation)
            if not is_plain_success(answer):
                seen = cast("Return", self._unpacked(answer))
                self._look_at(seen)
                if seen.host_end is HostEnd.FORBIDDEN_CALL:
                    self._say_call()
        except BaseException as error:
            self._ended_by(error)
            raise
        return answer

    def _exchange(self, message: Message, timeout_ms: int, operation: CancellableOperation | None) -> Return:
        deadline = checked_deadline(timeout_ms)
        frame = packed(message)
        self._events.asked(message)
        try:
            self._write(frame, deadline)
            answer = self._pump(deadline, operation)
            if not isinstance(answer, Return):
                raise dead("the secure world sent an answer out of turn")
            self._look_at(answer)
        except BaseException as error:
            self._ended_by(error)
            raise
        self._events.answered(answer)
        if answer.host_end is HostEnd.FORBIDDEN_CALL:
            self._say_call()
        return answer

    def _look_at(self, answer: Return) -> None:
        if answer.result is TeeResult.TARGET_DEAD and answer.origin is Origin.COMMS:
            # Nothing forks after the lock: whoever asks next starts another one, with new hosts.
            self._why = NO_HOST_LEFT
            self.kill()

    def _ended_by(self, error: BaseException) -> None:
        self._events.failed(error)
        if isinstance(error, TeeError) and not self._why:
            self._why = error.message.replace("the secure world", "it", 1)
        self.kill()

    def _wants_calls(self) -> bool:
        return self._on_forbidden is not None or self._events.written

    def _say_call(self) -> None:
        """Say which system call it was, to whoever wants to know; reading the log costs milliseconds."""
        if self._wants_calls():
            words = self._kernel_log.last_call()
            self._events.forbidden(words)
            if self._on_forbidden is not None:
                self._on_forbidden(f"a process was killed by signal 31, SIGSYS: {words}")

    def _pump(self, deadline: float, operation: CancellableOperation | None = None) -> Ready | Return:
        while True:
            message = self._receive(deadline)
            if isinstance(message, Ready | Return):
                return message
            self._serve(message, deadline, operation)

    def _serve(self, message: Message, deadline: float, operation: CancellableOperation | None) -> None:
        """Do what the secure world asks for before it answers."""
        if isinstance(message, Wait):
            self._write(pack(Waited(cancelled=wait_for(message, operation, deadline))), deadline)
        elif isinstance(message, Feed):
            self._feed(message, deadline)
        elif isinstance(message, DebugReport):
            said = self._native_lines.resolved(message)
            self._on_debug(said)
            self._events.reported(said)
        elif isinstance(message, StorageCall):
            self._write(answer_storage(self._storage, message), deadline)
        else:
            raise dead("the secure world sent an answer out of turn")

    def _feed(self, asked: Feed, deadline: float) -> None:
        """Send the picture, once, until its reader or the secure world has had enough of it."""
        picture, self._picture = self._picture, None
        if picture is None or asked.process >= len(self._child.picture_fds):
            raise dead("the secure world asked for a picture that nobody gave")
        fd = self._child.picture_fds[asked.process]
        if not send_picture(fd, asked.number, picture, self._read_fd, deadline):
            raise too_late()

    def _write(self, frame: bytes, deadline: float, *, tapped: bool = True, sent: int = 0) -> None:
        if self._tap is not None and tapped:
            self._tap("to-secure", frame)
        view = memoryview(frame)[sent:]
        while view:
            try:
                view = view[os.write(self._write_fd, view) :]
            except BlockingIOError:
                self._wait(self._write_fd, select.POLLOUT, deadline)
            except OSError:
                raise self._gone() from None

    def _receive(self, deadline: float) -> Message:
        return self._unpacked(self._receive_body(deadline))

    def _receive_body(self, deadline: float, data: bytes = b"") -> bytes:
        while True:
            try:
                body = self._reader.feed(data)
            except TeeError as error:
                raise misspoken(error) from None
            if body is not None:
                if self._tap is not None:
                    self._tap("from-secure", body)
                return body
            data = self._read(deadline)

    def _unpacked(self, body: bytes) -> Message:
        try:
            return unpack(body, self._may_send if self._locked else BEFORE_THE_LOCK)
        except TeeError as error:
            raise misspoken(error) from None

    def _read(self, deadline: float) -> bytes:
        """What comes next, asked for first: a secure world that was just written to has not answered yet."""
        self._wait(self._read_fd, select.POLLIN, deadline)
        try:
            data = os.read(self._read_fd, 1 << 16)
        except OSError:
            raise self._gone() from None
        if not data:
            raise self._gone()
        return data

    def _gone(self) -> TeeError:
        """The error for a secure world whose pipe has closed, with the way it ended."""
        status = self._child.ended_within(GRACE_TIMEOUT_MS)
        if status is None:
            self._why = "it closed its pipe"
            return dead("the secure world is gone")
        self._why = how_it_ended(status)
        if signal_of(status) == signal.SIGSYS:
            self._say_call()
        return dead(f"the secure world is gone ({self._why})")

    def _wait(self, fd: int, event: int, deadline: float) -> None:
        left_ms = (deadline - time.monotonic()) * 1000
        poll = select.poll()
        poll.register(fd, event)
        if left_ms <= 0 or not poll.poll(left_ms):
            raise too_late()

    def close(self) -> int | None:
        """Close the request pipe and wait for a clean end; kill after the grace time. Returns the exit status."""
        if self._write_fd >= 0:
            os.close(self._write_fd)
            self._write_fd = -1
        status = self._child.ended_within(GRACE_TIMEOUT_MS)
        if status is None:
            return self.kill()
        self._close_rest()
        self._events.ended(self.how_it_ended())
        return status

    def kill(self) -> int | None:
        """SIGKILL, now. Safe to call twice."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        status = self._process.wait()
        if self._write_fd >= 0:
            os.close(self._write_fd)
            self._write_fd = -1
        self._close_rest()
        self._events.ended(self.how_it_ended())
        return status

    def _close_rest(self) -> None:
        self._child.close_pictures()
        if self._read_fd >= 0:
            os.close(self._read_fd)
            self._read_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
