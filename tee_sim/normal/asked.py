"""What is said of one request to the secure world: what can be sent, until when, and why no answer came."""

import signal
import time
from typing import Final

from tee_sim.normal.operation import CancellableOperation
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import MAX_DEADLINE_MS
from tee_sim.shared.wire import EXIT_PROTOCOL, HEAD_BYTES, REQUESTS, Message, Return, Wait, pack

RETURN: Final = pack(Return(result=TeeResult.SUCCESS, origin=Origin.TEE))[HEAD_BYTES : HEAD_BYTES + 2]
"""What the body of a Return begins with: how many items, and its tag."""


def how_it_ended(status: int) -> str:
    """An exit status in words: the process's own, or the waiter's, which says 128 plus the signal as a shell does.

    An application could choose the number: only which of these ends it was is reported (docs/sandbox.md section 6).
    """
    number = signal_of(status)
    if number == signal.SIGSYS:
        return "exit status 159: a system call that its filter forbids"
    if status == EXIT_PROTOCOL:
        return "exit status 70: it was sent what is no message, or failed inside"
    return f"killed by signal {number}" if number > 0 else "it ended by itself"


def signal_of(status: int) -> int:
    """The signal that ended a process, by its exit status or the waiter's; not above 0 for none."""
    return -status if status < 0 else status - 128


def dead(message: str) -> TeeError:
    """The error for a secure world that is gone, or is ended for what it does."""
    return TeeError(TeeResult.TARGET_DEAD, message, origin=Origin.COMMS)


def misspoken(error: TeeError) -> TeeError:
    """The same, for what it sent."""
    return dead(f"the secure world sent what it may not send now: {error.message}")


def is_plain_success(body: bytes) -> bool:
    """Whether the body of a Return surely says SUCCESS, and that no process has ended. False: it has to be read.

    The last two items are how a process has ended and a count of bits, which has one of four lengths: where several
    would fit, all of them must say that none has ended.
    """
    if len(body) < _LEAST_BYTES or body[_RESULT] != TeeResult.SUCCESS:
        return False
    ends = [body[-1 - size] for size, heads in _COUNTS if body[-size] in heads]
    return not any(end <= max(HostEnd) and end != HostEnd.NONE for end in ends) and HostEnd.NONE in ends


_RESULT: Final = len(RETURN)
_LEAST_BYTES: Final = len(RETURN) + 6
_COUNTS: Final = ((1, range(0x18)), (2, (0x18,)), (3, (0x19,)), (5, (0x1A,)))
"""Lengths of a number of 32 bits in CBOR, and what it begins with; alone, with itself."""


def too_late() -> TeeError:
    """The error past a deadline."""
    return TeeError(
        TeeResult.TIMEOUT,
        "the secure world did not answer in time and was killed",
        origin=Origin.COMMS,
        hint="raise the deadline, or look at the load of this machine",
    )


def checked_deadline(timeout_ms: int) -> float:
    """When a request has to be answered. Raises TeeError BAD_PARAMETERS of origin API for a time that is none."""
    if not timeout_ms > 0:
        raise unsendable(f"timeout_ms is {timeout_ms}, not above 0")
    if timeout_ms > MAX_DEADLINE_MS:
        raise unsendable(f"timeout_ms is {timeout_ms}, above {MAX_DEADLINE_MS}")
    return deadline_after(timeout_ms)


def packed(message: Message) -> bytes:
    """The frame of a request. Raises TeeError BAD_PARAMETERS of origin API for what cannot be sent."""
    if type(message) not in REQUESTS:
        raise unsendable(f"{type(message).__name__} is no request")
    try:
        return pack(message)
    except TeeError as error:
        raise unsendable(error.message) from None


def unsendable(what: str) -> TeeError:
    """The error for what cannot be sent."""
    return TeeError(TeeResult.BAD_PARAMETERS, what, origin=Origin.API, hint="nothing was sent")


def deadline_after(timeout_ms: int) -> float:
    """That moment of the monotonic clock, in seconds."""
    return time.monotonic() + timeout_ms / 1000


def wait_for(message: Wait, operation: CancellableOperation | None, deadline: float) -> bool:
    """Whether the operation was cancelled, in time or until the deadline. Nobody may ask about any other request."""
    if operation is None:
        raise dead("the secure world asked about a cancellation that nobody can request")
    left_ms = max(0.0, (deadline - time.monotonic()) * 1000)
    cancelled = operation.wait(min(message.timeout_ms, left_ms))
    if not cancelled and left_ms < message.timeout_ms:  # said now, it would be believed to be the time asked for
        raise too_late()
    return cancelled
