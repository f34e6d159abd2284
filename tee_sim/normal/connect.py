"""Reach the machine that `tee-sim run` has started for this program, over two inherited pipes.

    from tee_sim.normal.connect import connect

    with connect().open_session(UUID_OF_MINE) as session:
        session.call(ADD, ADD.request(step=3))

The environment variable TEE_SIM_CLIENT holds the numbers of the two descriptors. There is no socket, and no other
process can join.

Each way a frame with a small array goes first, then, if it announces one, the frame of the message itself:

    program:  [timeout in ms] and the request | [] to have the secure world killed
    machine:  [] and the answer | [result, origin, message, hint, code] for an error
"""

import os
from typing import cast

from tee_sim.normal.client import Context
from tee_sim.normal.machine.errors import RESULTS, MachineError
from tee_sim.shared import codec
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import INVOKE_TIMEOUT_MS
from tee_sim.shared.wire import FrameReader, Message, Return, framed, pack, unpack

VARIABLE = "TEE_SIM_CLIENT"


class Link:
    """Frames over two descriptors, one way each. Blocking."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.read_fd = read_fd
        self._write_fd = write_fd
        self._reader = FrameReader()

    def send(self, *frames: bytes) -> None:
        """Write whole frames. Raises OSError."""
        view = memoryview(b"".join(frames))
        while view:
            view = view[os.write(self._write_fd, view) :]

    def receive(self) -> bytes | None:
        """The body of the next frame; None at the end. Raises TeeError for what is no frame, OSError."""
        while True:
            data = os.read(self.read_fd, min(self._reader.wanted(), 1 << 16))
            if not data:
                return None
            body = self._reader.feed(data)
            if body is not None:
                return body

    def close(self) -> None:
        """Close both ends that are ours."""
        os.close(self.read_fd)
        os.close(self._write_fd)


def error_to_plain(error: TeeError) -> list[object]:
    """An error as it travels."""
    code = error.code if isinstance(error, MachineError) else ""
    return [int(error.result), int(error.origin), str(error.message), error.hint, code]


def _error(plain: list[object]) -> TeeError:
    result, origin, message, hint, code = cast("tuple[int, int, str, str, str]", tuple(plain))
    if code in RESULTS:
        return MachineError(code, message, hint=hint, origin=Origin(origin))
    return TeeError(result, message, origin=Origin(origin), hint=hint)


def _gone() -> TeeError:
    return TeeError(TeeResult.TARGET_DEAD, "tee-sim run has ended", origin=Origin.COMMS, hint="start it again")


class _Machine:
    """`tee_sim.normal.client.Transport` over a `Link`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def exchange(self, message: Message, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Return:
        """One request, one answer. Raises TeeError as the machine does."""
        self._ask(framed(codec.encode([timeout_ms])), pack(message))
        body = self._link.receive()
        if body is None:
            raise _gone()
        return cast("Return", unpack(body, {Return}))

    def kill(self) -> int | None:
        """End the secure world; the next call starts it again."""
        self._ask(framed(codec.encode([])))
        return None

    def _ask(self, *frames: bytes) -> None:
        try:
            self._link.send(*frames)
            body = self._link.receive()
        except OSError:
            raise _gone() from None
        if body is None:
            raise _gone()
        head = codec.decode(body)
        if head:
            raise _error(cast("list[object]", head))


_CONTEXTS: dict[str, Context] = {}


def connect() -> Context:
    """The client API of the machine that started this program; the same one when called again.

    Raises:
        MachineError: this program was not started by `tee-sim run`.
    """
    named = os.environ.get(VARIABLE, "")
    numbers = named.split(",")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise MachineError(
            "machine.not_run",
            "this program has no machine to talk to",
            hint="start it with: tee-sim run PATH -- PROGRAM",
        )
    if named not in _CONTEXTS:
        _CONTEXTS[named] = Context(_Machine(Link(int(numbers[0]), int(numbers[1]))))
    return _CONTEXTS[named]
