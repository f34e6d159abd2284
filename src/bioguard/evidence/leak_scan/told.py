"""What a server told, held against what it has to tell (docs/formats/serve-2.md).

A score is no canary, so it is not looked for: all that is told of a claim is known beforehand. The lists are written
here and not taken from the product. A complaint names the place, never the value.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cbor2

from bioguard.evidence.leak_scan import exercise_serve as served
from bioguard.evidence.leak_scan.exercise_serve import EVENT, REFUSAL, Exchange, enrollment_id, frames_of
from bioguard.evidence.leak_scan.written import conversation, timeline

_ID, _TOKEN, _ANY = object(), object(), object()
_TOUCH, _LOOK, _CANCELED = (3, [1, 0]), (21, [1, 0, 1000, 1000]), (18, [5, 0, ""])
_STAGE, _LAST_STAGE = (4, [1, 0, 3, None, 1000, 1000]), (4, [1, 0, 6, None, 1000, 1000])
_FAILED: Final[tuple[int, list[Any]]] = (7, [])
_SUCCEEDED, _ENROLLED = (6, [_ID, _TOKEN]), (5, [_ID, 0])
EVENTS: Final[dict[str, list[tuple[int, list[Any]]]]] = {
    "a challenge": [(1, [_ANY])],
    "enroll 1 0": [_TOUCH, (5, [0, 2])],
    "enroll 1 1": [_TOUCH, (5, [0, 1])],
    "enroll 1 2": [_TOUCH, _ENROLLED],
    "enroll 2 0": [_STAGE, (5, [0, 2])],
    "enroll 2 1": [_STAGE, (5, [0, 1])],
    "enroll 2 2": [_LAST_STAGE, _ENROLLED],
    "a stranger 1": [_TOUCH, _FAILED],
    "a stranger 2": [_LOOK, _FAILED],
    "cancel 1": [_CANCELED],
    "the person 1": [_TOUCH, _SUCCEEDED],
    "the person 2": [_LOOK, _SUCCEEDED],
    "remove": [(13, [[_ID]])],
    "close": [(19, [])],
}
"""Of each thing that the client is about, with all their fields; of the others there are none."""
ANSWERS: Final[dict[str, list[Any]]] = {
    "another user": [], "consent": [], "close": [], "locked": [0, 0], "search a stranger": [False, None, None],
    **{f"enroll {modality} {number}": [] for modality in (1, 2) for number in range(served.VIEWS)},
    **{f"{who} {modality}": [] for who in ("a stranger", "the person", "cancel") for modality in (1, 2)},
}  # fmt: skip
REFUSALS: Final = {"a wrong PIN": ("pin.wrong", 5), "nothing waits": ("session.state", 5)}
_WITH_TOKENS: Final = ("a token", "the person 1", "the person 2")
_WITH_NAMES: Final = ("people", "search")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server left.

    Attributes:
        exchanges: all that passed the pipe. timeline, conversation: the files that its caller named.
        modes: permission bits of the two.
    """

    exchanges: Sequence[Exchange]
    timeline: bytes
    conversation: bytes
    modes: tuple[int, int] = (0o600, 0o600)

    @classmethod
    def read(cls, folder: Path) -> "Served":
        """What `exercise_serve.serve` left in a folder."""
        files = [folder / name for name in (served.TIMELINE, served.CONVERSATION)]
        return cls(
            exchanges=cbor2.loads((folder / served.PIPE).read_bytes()),
            timeline=files[0].read_bytes(),
            conversation=files[1].read_bytes(),
            modes=(files[0].stat().st_mode & 0o7777, files[1].stat().st_mode & 0o7777),
        )

    def sources(self) -> Iterator[tuple[str, bytes]]:
        """What is scanned; what carries a token or names people is apart, and belongs there."""
        yield "timeline of the server", self.timeline
        told: dict[str, bytearray] = {"answers and events": bytearray()}
        for about, _, _, _, frames in self.exchanges:
            where = "answers and events"
            where = "frames with a token" if about in _WITH_TOKENS else where
            where = "answers with names" if about in _WITH_NAMES else where
            told.setdefault(where, bytearray()).extend(b"".join(frame for frame, _ in frames))
        yield from ((f"{where} of the server", bytes(data)) for where, data in told.items())

    @property
    def carried(self) -> bytes:
        """What the client sent, in which the canaries must be found."""
        return b"".join(cbor2.dumps([method, fields]) for _, method, fields, _, _ in self.exchanges)

    def complaints(self) -> Iterator[tuple[str, str]]:
        """(where, what) of all that is told and should not be."""
        try:
            yield from (("pipe of the server", what) for what in pipe(self.exchanges))
            yield from (("timeline of the server", what) for what in timeline(self.timeline))
            yield from (
                ("conversation of the server", what) for what in conversation(self.conversation, self.exchanges)
            )
        except (ValueError, LookupError, TypeError, AttributeError, EOFError) as error:
            yield "what a server told", f"cannot be read: {type(error).__name__}"
        for mode, where in zip(self.modes, ("timeline", "conversation"), strict=True):
            if mode != 0o600:
                yield f"{where} of the server", f"others may read it: mode {mode:o}"


def pipe(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """What was told that the page does not say, or says otherwise."""
    ids, operations, refused = _enrollments(exchanges), dict[int, int](), dict[str, list[Any]]()
    clock = _Clock()
    for exchange in exchanges:
        about, method, fields = exchange[:3]
        *events, last = frames_of(exchange)
        if not _alike([(f[3][2], f[3][3]) for f in events], EVENTS.get(about, []), ids):
            yield f"{about}: other events, or other fields of them"
        yield from (f"{about}: {what}" for what in clock.look(exchange, events))
        kind, payload = last[2:]
        if (kind == REFUSAL) is not (about in REFUSALS) or kind == EVENT:
            yield f"{about}: refused, or not refused"
        elif kind == REFUSAL:
            if (payload[0], payload[3]) != REFUSALS[about] or refused.setdefault(about, payload) != payload:
                yield f"{about}: another refusal, or another text for another sample"
        elif method in (served.ENROLL, served.AUTHENTICATE, served.GENERATE_CHALLENGE, served.REMOVE_ENROLLMENTS):
            operations[fields[0]] = operations.get(fields[0], 0) + 1
            if payload != [operations[fields[0]]]:
                yield f"{about}: operations are not counted from 1"
        elif about in ANSWERS and payload != ANSWERS[about]:
            yield f"{about}: another answer"


def _enrollments(exchanges: Iterable[Exchange]) -> set[int]:
    answers = [frames_of(one)[-1][3] for one in exchanges if one[0] == "records"]
    return {enrollment_id(record[0]) for records in answers for record in records[0]}


def _alike(seen: Any, wanted: Any, ids: set[int]) -> bool:
    if wanted is _ID:
        return type(seen) is int and seen in ids
    if wanted is _TOKEN:
        return isinstance(seen, bytes) and len(seen) == served.TOKEN_BYTES
    if isinstance(wanted, list | tuple):
        return isinstance(seen, list | tuple) and len(seen) == len(wanted) and all(
            _alike(one, other, ids) for one, other in zip(seen, wanted, strict=True)
        )  # fmt: skip
    return wanted is _ANY or (type(seen) is type(wanted) and seen == wanted)


class _Clock:
    """Whether numbers and times of events are those of the moments at which they came."""

    def __init__(self) -> None:
        self._sequence = 0
        self._bounds: tuple[int, int] | None = None

    def look(self, exchange: Exchange, events: Sequence[list[Any]]) -> Iterator[str]:
        """The device's clock began somewhere between two bounds, and each event makes them narrower or is wrong."""
        for event, (_, came_ms) in zip(events, exchange[4], strict=False):
            self._sequence += 1
            sequence, time_ms = event[3][:2]
            if sequence != self._sequence:
                yield "events are not counted"
            first, last = exchange[3] - time_ms - 1, came_ms - time_ms + 1
            low, high = self._bounds or (first, last)
            self._bounds = max(low, first), min(high, last)
            if self._bounds[0] > self._bounds[1]:
                self._bounds = None
                yield "another time than that of the event"
