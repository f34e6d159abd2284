"""What `tee-sim` ends with, and which error ends with what: a stable interface (docs/tee-sim.md)."""

from enum import IntEnum, unique

from tee_sim.normal.dev_kit_error import DevKitError
from tee_sim.normal.machine.errors import MachineError
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest_values import ManifestError
from tee_sim.shared.native.refusal import NativeRefused


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
    (TeeResult.TARGET_DEAD, Origin.COMMS): "run: tee-sim check PATH; where it says nothing, run the same with --debug",
    (TeeResult.TARGET_DEAD, Origin.TEE): "what it had stored stays; to see file and line run the same with --debug",
    (
        TeeResult.SECURITY,
        Origin.TEE,
    ): "the store is older than the machine, or another's: put back what was there, or begin another",
    (
        TeeResult.CORRUPT_OBJECT,
        Origin.TEE,
    ): "the store is damaged: put back what was there, or begin another machine",
    (TeeResult.CORRUPT_OBJECT_2, Origin.TEE): "begin another machine: what its store holds cannot be read any more",
    (
        TeeResult.ITEM_NOT_FOUND,
        Origin.TEE,
    ): "look at what is hosted (tee-sim list PATH), and in the application at the object that it reads",
    (
        TeeResult.BUSY,
        Origin.TEE,
    ): "close the other session, or add the flag multi_session to the manifest; where none is open, repeat the command",
    (TeeResult.STORAGE_NO_SPACE, Origin.TEE): "raise the quota in the manifest, or free disk space",
    (TeeResult.NOT_SUPPORTED, Origin.TRUSTED_APP): "look at the command's number in the application",
}
"""Only the layer that made a result knows what it means: BUSY of an application is not that of the session table."""
_DEBUGGED = {
    (TeeResult.TARGET_DEAD, Origin.COMMS): "run: tee-sim check PATH; what was denied stands above, if anything was",
    (TeeResult.TARGET_DEAD, Origin.TEE): "what it had stored stays; file and line stand above, if it panicked",
}
"""What takes the place of a hint that says to run the same with --debug, where it was."""
_SHORT = "give an output more room: the size that is needed stands with the parameter"
_OF_ORIGIN = {
    Origin.API: "nothing was sent: look at what was given",
    Origin.COMMS: "repeat the command; where that does not help, run: tee-sim check PATH",
    Origin.TEE: "the secure world refused: look in the application at what it asked for",
    Origin.TRUSTED_APP: "the result is the application's own: look there for what raises it",
}


def code_of(error: TeeError) -> str:
    """The stable word for an error."""
    if isinstance(error, MachineError | ManifestError | NativeRefused | DevKitError):
        return error.code
    return f"tee.{error.result.name.lower()}"


def hint_of(error: TeeError, *, debugged: bool = False) -> str:
    """Something that can be done, for every error. `debugged`: it was run with --debug."""
    which = (error.result, error.origin)
    if debugged and not isinstance(error, MachineError) and which in _DEBUGGED:
        return _DEBUGGED[which]
    # A panic's own hint is for programs: it says to open another session, and a command has none.
    if error.hint and which != (TeeResult.TARGET_DEAD, Origin.TEE):
        return error.hint
    if error.result == TeeResult.SHORT_BUFFER:  # a convention between client and application, whoever says so
        return _SHORT
    return _HINTS.get(which, _OF_ORIGIN[error.origin])


def exit_of(error: TeeError) -> ExitStatus:
    """What an error ends the process with."""
    if isinstance(error, MachineError):
        return _OF_MACHINE.get(error.code, ExitStatus.MACHINE_REFUSED)
    if isinstance(error, DevKitError):
        return ExitStatus.UNAVAILABLE
    if error.origin is Origin.API:
        return ExitStatus.INPUT_REFUSED
    if error.origin is Origin.COMMS:
        return ExitStatus.UNAVAILABLE
    if error.origin is Origin.TRUSTED_APP:
        return ExitStatus.NO
    return _OF_RESULT.get(error.result, ExitStatus.NO)
