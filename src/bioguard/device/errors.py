"""From answers of the secure world to errors of bioguard: refusals by the tables in `refusals`, results by these.

The one place where a status becomes an error. `Device.ask` passes every reply through `raise_for_status`, so a caller
that does not look at the status cannot go on with a refusal.
"""

from collections.abc import Collection
from dataclasses import fields
from enum import IntEnum
from typing import TypeVar, cast

from bioguard.device.incidents import OVER_BUDGET
from bioguard.device.refusals import VOCABULARIES, Row
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure, NotPermitted, TeeUnavailable
from tee_sim.normal.client import OverBudgetError
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.schema import Record

T = TypeVar("T")

# fmt: off
_RESULTS: dict[TeeResult, Row] = {
    TeeResult.TARGET_DEAD: (TeeUnavailable, "tee.dead", "",  # how it ended is all there is to say
        "run the command again; `bioguard doctor` looks at the host"),
    TeeResult.TIMEOUT: (TeeUnavailable, "tee.timeout", "no answer in time",
        "look at the load of this machine, then try again"),
    TeeResult.COMMUNICATION: (TeeUnavailable, "tee.communication", "no understandable answer", "run: bioguard doctor"),
    TeeResult.BUSY: (TeeUnavailable, "tee.busy", "busy", "wait for the other session to end"),
    TeeResult.STORAGE_NOT_AVAILABLE: (TeeUnavailable, "store.unavailable", "the store cannot be used",
        "check the device directory and the disk"),
    TeeResult.STORAGE_READ_ONLY: (TeeUnavailable, "store.read_only", "the store can be read and not written",
        "make the device directory and its files writable: look at its mount and at the disk, then try again"),
    TeeResult.STORAGE_COUNTER_SPENT: (NotPermitted, "store.counter_spent",
        "the RPMB write counter is used up: the store is for reading and erasing, for good",
        "list, show and log show go on, and erase (with --operator once no PIN can be counted); "
        "then make a new device"),
    TeeResult.STORAGE_NO_SPACE: (NotPermitted, "store.full", "the store is full, nothing was changed",
        "erase records or free disk space"),
    TeeResult.OUT_OF_MEMORY: (NotPermitted, "store.too_large",
        "more is stored than this can go through without reading from the disk, which would say too much",
        "a search takes about 20 000 records; 1:1 goes on: name the person, or erase records"),
    TeeResult.ITEM_NOT_FOUND: (IntegrityFailure, "store.missing",
        "the store of this device, or its RPMB, was taken away or exchanged",
        "put the store and rpmb.img back that belong together, or run: bioguard device wipe"),
    TeeResult.UNSUPPORTED_VERSION: (IntegrityFailure, "store.version",
        "the store is of another version than the device",
        "put back the store that belongs to this device, or run: bioguard device wipe"),
    TeeResult.CORRUPT_OBJECT: (IntegrityFailure, "store.corrupt", "the store was tampered with or damaged",
        "nothing of it was used: erase the damaged record; if no command works, put back the files or wipe the device"),
    TeeResult.SECURITY: (IntegrityFailure, "store.security", "the store is not the one of the last commit",
        "an old copy, another device's copy or a manipulated store; restore nothing, investigate"),
    TeeResult.MAC_INVALID: (IntegrityFailure, "store.mac", "the store was tampered with",
        "the stored bytes were changed"),
    TeeResult.TIME_NEEDS_RESET: (TeeUnavailable, "tee.time_namespace", "the secure world does not start",
        "start bioguard outside of the time namespace; boot time must be the host's"),
    TeeResult.TIME_NOT_SET: (TeeUnavailable, "tee.time", "the secure world does not start",
        "look at the load of this machine, then try again"),
    TeeResult.ACCESS_DENIED: (NotPermitted, "tee.access_denied", "not allowed", "the trusted application refused"),
}
# fmt: on


# fmt: off
_BY_ORIGIN: dict[tuple[TeeResult, Origin], Row] = {
    (TeeResult.BAD_PARAMETERS, Origin.API): (InputRefused, "request.argument", "an argument cannot be sent",
        "see the bounds in the documentation of this call"),
    (TeeResult.TARGET_DEAD, Origin.TEE): (TeeUnavailable, "tee.panic", "a trusted application failed",
        "what it had stored stays; run the command again"),
}
# fmt: on
"""Results that mean something else from there."""


def from_status(status: IntEnum, about: str = "", *, wait_ms: int = 0) -> BioguardError:
    """The error for a refusal in any of the vocabularies.

    Args:
        about: names what was asked for.
        wait_ms: what a refusal for a while says of its end.
    """
    kind, code, message, hint = VOCABULARIES[type(status)][status]
    wait_s = -(-wait_ms // 1000)
    return kind(f"{message}: {about}" if about else message, hint=hint.format(wait_s=wait_s), code=code)


def status_of(reply: Record) -> IntEnum:
    """The status in a reply, whatever the field and its vocabulary are called.

    Raises:
        TypeError: a reply that says neither yes nor no: a command with one must not exist.
    """
    for field in fields(reply):  # type: ignore[arg-type]  # every record is a dataclass
        value = getattr(reply, field.name)
        if type(value) in VOCABULARIES:
            return cast("IntEnum", value)
    raise TypeError(f"{type(reply).__name__} has no status")


def raise_for_status(reply: Record, about: str = "", *, expected: Collection[IntEnum] = ()) -> None:
    """Raise the error of a reply that is a refusal.

    Args:
        about: names what was asked for.
        expected: refusals that the caller looks at itself.
    """
    status = status_of(reply)
    if status == 0 or any(status is one for one in expected):  # members of two vocabularies are equal as numbers
        return
    raise from_status(status, about, wait_ms=getattr(reply, "timeout_ms", 0))


def promised(value: T | None, what: str) -> T:
    """What an OK must come with. Raises IntegrityFailure for an OK without it."""
    if value is None:
        raise IntegrityFailure(
            f"the secure world says yes without {what}",
            hint="this build of the trusted application breaks its contract: do not use it",
            code="tee.incomplete",
        )
    return value


def from_tee(error: TeeError) -> BioguardError:
    """The error for a TEE result, whatever its origin. Unknown results count as the secure world being unusable."""
    if isinstance(error, OverBudgetError):
        return IntegrityFailure(error.message, hint=error.hint, code=OVER_BUDGET)
    unknown = (TeeUnavailable, f"tee.{error.result.name.lower()}", "the secure world failed", "run: bioguard doctor")
    row = _BY_ORIGIN.get((error.result, error.origin)) or _RESULTS.get(error.result, unknown)
    kind, code, message, hint = row
    return kind(f"{message}: {error.message}" if message else error.message, hint=error.hint or hint, code=code)
