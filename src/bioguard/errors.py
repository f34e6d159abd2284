"""Every error bioguard raises on purpose.

Rules: an error says whose fault it is by its class, carries a stable `code` that appears in JSON, the exit
code of the command line and a one-line `hint` that can be acted on. Messages are lower case, without a full
stop, and never carry a feature, template, key, token, PIN, threshold or raw score.
"""

from typing import ClassVar

from bioguard.exit_codes import ExitCode


class BioguardError(Exception):
    """Base of all bioguard errors. Not raised itself.

    Args:
        message: one line, lower case, no full stop.
        hint: what to do about it, one line. There is always something that can be done.
        code: overrides the class's stable code with a more exact one.

    Attributes:
        code: the stable code, the one of the JSON output and of `error[code]`.
    """

    code: str = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED

    def __init__(self, message: str, *, hint: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code


class InputRefused(BioguardError):
    """The caller's input cannot be used. Nothing was stored or changed."""

    code = "input"
    exit_code = ExitCode.INPUT_REFUSED


class NotAcquired(BioguardError):
    """A sensor made no sample of a picture. Nothing was compared, stored or counted."""

    code = "sample.not_acquired"
    exit_code = ExitCode.NO


class WrongUsage(BioguardError):
    """The command line asks for what this command or this device does not have. Nothing was stored or changed."""

    code = "usage"
    exit_code = ExitCode.USAGE


class NotPermitted(BioguardError):
    """A rule forbids it: consent, lockout, authorization, a quota. Nothing was stored or changed."""

    code = "permission"
    exit_code = ExitCode.NOT_PERMITTED


class TeeUnavailable(BioguardError):
    """The secure world is not there: died, timed out, or not locked down as far as required."""

    code = "tee"
    exit_code = ExitCode.TEE_UNAVAILABLE


class IntegrityFailure(BioguardError):
    """Something sealed, signed or counted does not verify. The data were not used."""

    code = "integrity"
    exit_code = ExitCode.INTEGRITY
