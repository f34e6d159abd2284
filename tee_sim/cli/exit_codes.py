"""What `tee-sim` ends with, and which error ends with what: a stable interface (docs/tee-sim.md)."""

from enum import IntEnum, unique

from tee_sim.normal.machine.errors import MachineError
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest_values import ManifestError


@unique
class ExitStatus(IntEnum):
    """What the process says to the shell; `run` ends with the status of its program instead."""

    OK = 0
    """Done."""
    UNEXPECTED = 1
    """A bug of ours."""
    USAGE = 2
    """The command line is wrong."""
    NO = 3
    """Done, and the answer is no: the application refused, `check` found something, or an attack worked."""
    INPUT_REFUSED = 4
    """A path, a manifest, a word or a fault plan cannot be used. Nothing was changed."""
    MACHINE_REFUSED = 5
    """The machine's directory is in use, something else, or made otherwise. Nothing was changed."""
    UNAVAILABLE = 6
    """The secure world does not start, is not locked enough, or died; an application panicked."""
    INTEGRITY = 7
    """Fuses or store are not as they were left."""
    INTERRUPTED = 130
    """Ctrl-C."""


_OF_MACHINE = {
    "machine.path": ExitStatus.INPUT_REFUSED,
    "machine.not_run": ExitStatus.INPUT_REFUSED,
    "machine.missing": ExitStatus.INPUT_REFUSED,
    "machine.file": ExitStatus.INTEGRITY,
    "machine.fuse_mode": ExitStatus.INTEGRITY,
    "machine.fuse_damaged": ExitStatus.INTEGRITY,
    "machine.disk": ExitStatus.UNAVAILABLE,
    "machine.level": ExitStatus.UNAVAILABLE,
    "machine.session": ExitStatus.UNAVAILABLE,
    "machine.power": ExitStatus.UNAVAILABLE,
    "attack.unknown": ExitStatus.UNAVAILABLE,
}
_OF_RESULT = {
    TeeResult.TARGET_DEAD: ExitStatus.UNAVAILABLE,
    TeeResult.TIMEOUT: ExitStatus.UNAVAILABLE,
    TeeResult.SECURITY: ExitStatus.INTEGRITY,
    TeeResult.CORRUPT_OBJECT: ExitStatus.INTEGRITY,
    TeeResult.CORRUPT_OBJECT_2: ExitStatus.INTEGRITY,
}
_HINTS = {
    TeeResult.TARGET_DEAD: "run: tee-sim check PATH; where it says nothing, run the same with --debug",
    TeeResult.SECURITY: "the store is older than the machine, or another's: put back what was there, or begin another",
    TeeResult.CORRUPT_OBJECT: "the store is damaged: put back what was there, or begin another machine",
    TeeResult.ITEM_NOT_FOUND: "look at the applications that are hosted: tee-sim list PATH",
    TeeResult.BUSY: "the application takes one session at a time: add the flag multi_session to its manifest",
    TeeResult.SHORT_BUFFER: "give an output more room: the size that is needed stands with the parameter",
    TeeResult.NOT_SUPPORTED: "look at the command's number in the application",
    TeeResult.STORAGE_NO_SPACE: "raise the quota in the manifest, or free disk space",
}
_PANIC = "what it had stored stays; to see file and line run the same with --debug"
_HINT = "the result is the application's own: look there for what raises it"


def code_of(error: TeeError) -> str:
    """The stable word for an error."""
    return error.code if isinstance(error, MachineError | ManifestError) else f"tee.{error.result.name.lower()}"


def hint_of(error: TeeError) -> str:
    """Something that can be done, for every error."""
    if error.result is TeeResult.TARGET_DEAD and error.origin is Origin.TEE:
        return _PANIC
    return error.hint or _HINTS.get(error.result, _HINT)


def exit_of(error: TeeError) -> ExitStatus:
    """What an error ends the process with."""
    if isinstance(error, MachineError):
        return _OF_MACHINE.get(error.code, ExitStatus.MACHINE_REFUSED)
    if error.origin is Origin.API:
        return ExitStatus.INPUT_REFUSED
    if error.origin is Origin.COMMS:
        return ExitStatus.UNAVAILABLE
    if error.origin is Origin.TRUSTED_APP:
        return ExitStatus.NO
    return _OF_RESULT.get(error.result, ExitStatus.NO)
