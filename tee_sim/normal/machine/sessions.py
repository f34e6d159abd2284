"""Give sessions numbers that stay theirs over restarts: a secure world counts from one again after each.

Without this a client's session of before could be somebody's new session after.
"""

from dataclasses import replace

from tee_sim.normal.machine.errors import MachineError
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import NO_PARAMS
from tee_sim.shared.wire import HEAD_BYTES, CloseSession, Invoke, Message, OpenSession, Return, pack

_INVOKE = pack(Invoke(session=0, command=0, params=NO_PARAMS))[HEAD_BYTES : HEAD_BYTES + 2]
"""What the body of an Invoke begins with: how many items, and its tag. The session's number follows."""
_AT = len(_INVOKE)
_LONGER = 24
"""From here on a number takes more than one byte."""


class SessionNumbers:
    """The numbers that clients hold, and those of the secure world that runs."""

    def __init__(self) -> None:
        self._next = 1
        self._inner: dict[int, int] = {}
        self._ended: set[int] = set()

    @property
    def open(self) -> int:
        """How many are open."""
        return len(self._inner)

    def end_all(self) -> None:
        """The secure world that gave them is gone."""
        self._ended |= self._inner.keys()
        self._inner.clear()

    def inward(self, message: Message) -> Message:
        """The message as this secure world knows it.

        Raises:
            MachineError: its session was open in a secure world that is gone (once for a CloseSession: it is closed).
            TeeError: BAD_PARAMETERS, it is no session.
        """
        if not isinstance(message, Invoke | CloseSession):
            return message
        inner = self._inner_of(message.session, closes=isinstance(message, CloseSession))
        return replace(message, session=inner)

    def inward_invoke(self, body: bytes) -> bytes | None:
        """The body of an Invoke as this secure world knows it; None for one that has to be read to see.

        Only as far as the session's number is looked at: what follows is for the secure world to refuse.

        Raises:
            TeeError: as `inward`.
        """
        if not body.startswith(_INVOKE) or len(body) <= _AT or body[_AT] >= _LONGER:
            return None
        outer = body[_AT]
        inner = self._inner_of(outer, closes=False)
        if inner == outer:
            return body
        return None if inner >= _LONGER else b"%b%c%b" % (_INVOKE, inner, body[_AT + 1 :])

    def small(self) -> bytes:
        """The secure world's number of each session of one byte, 0 for none: others have to be read."""
        table = bytearray(_LONGER)
        for outer, inner in self._inner.items():
            if max(outer, inner) < _LONGER:
                table[outer] = inner
        return bytes(table)

    def _inner_of(self, outer: int, *, closes: bool) -> int:
        if outer in self._ended:
            if closes:
                self._ended.discard(outer)
            raise MachineError(
                "machine.session",
                "the secure world was started again since this session was opened",
                hint="open another session; what was stored is still there",
                origin=Origin.COMMS,
            )
        if outer not in self._inner:
            raise TeeError(TeeResult.BAD_PARAMETERS, "no such session", origin=Origin.API, hint="open one first")
        return self._inner[outer]

    def outward(self, message: Message, answer: Return) -> Return:
        """The answer to a client's message as the client knows it."""
        if isinstance(message, OpenSession) and answer.result is TeeResult.SUCCESS:
            number, self._next = self._next, self._next + 1
            self._inner[number] = answer.session
            return replace(answer, session=number)
        if isinstance(message, CloseSession):
            self._inner.pop(message.session, None)
        if isinstance(message, Invoke) and answer.session:
            return replace(answer, session=message.session)
        return answer
