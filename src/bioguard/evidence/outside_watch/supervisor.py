"""Answer a filter's questions: note what is asked, and let it go on."""

import errno
import fcntl
import os
import struct
from dataclasses import dataclass
from typing import Final

from bioguard.evidence.outside_watch.describe import DESCRIBE, Caller
from bioguard.evidence.outside_watch.filter import numbers

_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTIFICATION: Final = struct.Struct("<QIIiIQ6Q")
_RESPONSE: Final = struct.Struct("<QqiI")
_CONTINUE: Final = 1


@dataclass(frozen=True, slots=True)
class Event:
    """One call: which program asked for it, its name, and what it was about."""

    program: str
    call: str
    about: str


class Supervisor:
    """The other end of a filter."""

    def __init__(self, listener: int) -> None:
        self.listener = listener
        self.events: list[Event] = []
        self._names = numbers()

    def answer_one(self) -> None:
        """Answer the question that waits. One whose process is gone meanwhile needs no answer."""
        question = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.listener, _RECEIVE, question)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return
            raise
        identity, pid, _flags, number, _architecture, _at, *arguments = _NOTIFICATION.unpack(question)
        caller = Caller(pid)
        name = self._names.get(number, f"call {number}")
        describe = DESCRIBE.get(name)
        about = describe(caller, tuple(arguments)) if describe else ""
        self.events.append(Event(caller.program(), name, about))
        try:
            fcntl.ioctl(self.listener, _SEND, bytearray(_RESPONSE.pack(identity, 0, 0, _CONTINUE)))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    def close(self) -> None:
        """No more questions."""
        os.close(self.listener)
