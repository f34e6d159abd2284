"""Exit codes of the `bioguard` command: a stable interface (docs/exit-codes.md).

1 is never a normal answer: a Python traceback, a failed import and click's own Abort all end in 1,
so a quality lab that counts non-matches must not meet it for "no match".
"""

from enum import IntEnum, unique


@unique
class ExitCode(IntEnum):
    """What the process tells the shell. The table in `docs/exit-codes.md` is generated from here."""

    OK = 0
    """Done, and the answer is yes."""
    UNEXPECTED = 1
    """A bug of ours, Python died before we could speak, or the answer could not be written."""
    USAGE = 2
    """Bad command line or configuration."""
    NO = 3
    """Done, and the answer is no: no match, verification failed on valid input, findings, evidence with a FAIL."""
    INPUT_REFUSED = 4
    """Unreadable, malformed or unsuitable input. Nothing was stored."""
    NOT_PERMITTED = 5
    """Refused by a rule: no consent, locked out, wrong authorization, a limit is reached."""
    TEE_UNAVAILABLE = 6
    """The secure world died, timed out, or the sandbox is below the required level."""
    INTEGRITY = 7
    """A sealed record, a counter, a log or evidence does not verify, or a product's file is not as in a reference."""
    INTERRUPTED = 130
    """Ctrl-C."""
