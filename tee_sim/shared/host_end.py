"""How the process of a trusted application ended: one of six, and no more. Its exit status is not passed on."""

from enum import IntEnum, unique


@unique
class HostEnd(IntEnum):
    """What the core saw. NONE: nothing ended."""

    NONE = 0
    FORBIDDEN_CALL = 1
    SIGNAL = 2
    EXITED = 3
    TOO_SLOW = 4
    OUT_OF_TURN = 5
    BUDGET = 6

    @property
    def words(self) -> str:
        """For an error's text."""
        return _WORDS[self]


_WORDS = {
    HostEnd.NONE: "it runs",
    HostEnd.FORBIDDEN_CALL: "it made a system call that its filter forbids",
    HostEnd.SIGNAL: "a signal killed it",
    HostEnd.EXITED: "it ended by itself",
    HostEnd.TOO_SLOW: "it took longer than its manifest allows and was killed",
    HostEnd.OUT_OF_TURN: "it sent the core what is no message and was killed",
    HostEnd.BUDGET: "what it was about to let out was more than its manifest's budget, so it was killed",
}

NO_HOST_LEFT = "every process of the trusted application has ended"
"""Said of TARGET_DEAD, origin COMMS: the spares are used up, and only another secure world has new ones."""
