"""A client without a pipe: requests by name, and every frame that came kept as plain values."""

from typing import Any

from bioguard.device import Device
from bioguard.serve.v2.conversation import Conversation
from bioguard.serve.v2.events import EventKind
from bioguard.serve.v2.table import BY_NAME
from tee_sim.shared import codec


class Refused(Exception):
    """A refusal: code, message, hint, exit code."""

    @property
    def code(self) -> str:
        return self.args[0]


class Client:
    """One connection to a device."""

    def __init__(self, device: Device, conversation: type[Conversation] = Conversation, **options: Any) -> None:
        self.frames: list[list[Any]] = []
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.replies: list[list[bytes]] = []
        self.conversation = conversation(device, self._came, **options)
        self.conversation.begin()
        self.hello = self.frames.pop()
        self._number = 0

    def _came(self, frame: bytes) -> None:
        assert len(frame) - 4 == int.from_bytes(frame[:4], "little")
        self.received.append(frame[4:])
        self.frames.append(codec.decode(frame[4:]))

    def ask(self, name: str, *fields: object) -> list[Any]:
        """The fields of the answer; what came before it is in `events`. Raises Refused."""
        self._number += 1
        self.frames = []
        body = codec.encode([2, self._number, BY_NAME[name].number, list(fields)])
        self.sent.append(body)
        before = len(self.received)
        self.conversation.take(body)
        self.replies.append(self.received[before:])
        version, number, kind, payload = self.frames.pop()
        assert (version, number) == (2, self._number)
        if kind == 1:
            raise Refused(*payload)
        assert kind == 0
        return payload

    def refused(self, name: str, *fields: object) -> str:
        """The code of the refusal."""
        try:
            self.ask(name, *fields)
        except Refused as refusal:
            return refusal.code
        raise AssertionError(f"{name} was carried out")

    @property
    def events(self) -> list[tuple[int, str, list[Any]]]:
        """Session, name and fields of the events of the last request."""
        assert all(frame[0] == 2 and frame[2] == 2 for frame in self.frames)
        return [(frame[1], EventKind(frame[3][2]).name, frame[3][3]) for frame in self.frames]

    def names(self) -> list[str]:
        """Only the names."""
        return [name for _, name, _ in self.events]

    def person(self, name: bytes, *modalities: int, pin: bytes = b"4711") -> None:
        """A user with a PIN who consents to everything, for these modalities."""
        self.ask("add_user", name)
        for modality in modalities:
            self.ask("consent", name, modality, [1, 2, 3], 365, True, b"")
        self.ask("set_pin", name, pin, None)

    def token(self, session: int, name: bytes, pin: bytes = b"4711") -> bytes:
        """For an enrollment: a PIN token with a fresh challenge of the sensor."""
        self.ask("generate_challenge", session)
        ((_, _, [challenge]),) = self.events
        return self.ask("verify_pin", name, pin, challenge)[0]

    def sample(self, person: int, position: int, impression: int) -> tuple[int, bytes]:
        """Form and bytes of a simulated sample."""
        form, sample = self.ask("simulated_sample", person, position, impression)
        return form, sample

    def present(self, session: int, person: int, position: int, impression: int) -> list[str]:
        """Touch or look; the names of the events."""
        form, sample = self.sample(person, position, impression)
        self.ask("present", session, form, sample, None)
        return self.names()

    def enroll(self, session: int, name: bytes, person: int, position: int) -> int:
        """Three captures; the enrollment id."""
        self.ask("enroll", session, self.token(session, name), None, position, None, None)
        for impression in range(3):
            self.present(session, person, position, impression)
        _, kind, (number, remaining) = self.events[-1]
        assert (kind, remaining) == ("ENROLLMENT_PROGRESS", 0)
        return number
