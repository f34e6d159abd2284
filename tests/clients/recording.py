"""One conversation with a device, recorded as the frames that `walk DIR FRAMES` repeats."""

from pathlib import Path

from bioguard.device import Device
from bioguard.serve.v2.conversation import Conversation
from bioguard.serve.v2.table import METHODS
from tee_sim.shared import codec

NUMBERS = {method.name: method.number for method in METHODS}


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "little") + body


def record(directory: Path) -> bytes:
    """A user who enrolls a finger and authenticates: > and < before each frame, without hello."""
    log: list[bytes] = []
    with Device.open(directory) as device:
        conversation = Conversation(device, lambda frame: log.append(b"<" + frame))
        conversation.begin()
        log.clear()

        def ask(method: str, *fields: object) -> list:
            body = codec.encode([2, sum(frame[:1] == b">" for frame in log) + 1, NUMBERS[method], list(fields)])
            log.append(b">" + framed(body))
            conversation.take(body)
            return codec.decode(log[-1][5:])[3]

        def touch(impression: int) -> None:
            ask("present", session, *ask("simulated_sample", 5, 2, impression), None)

        ask("add_user", b"erin")
        ask("consent", b"erin", 1, [1, 2], 30, True, b"")
        ask("set_pin", b"erin", b"0815", None)
        [session] = ask("create_session", b"erin", 0)
        ask("generate_challenge", session)
        [challenge] = codec.decode(log[-2][5:])[3][3]
        [token] = ask("verify_pin", b"erin", b"0815", challenge)
        ask("enroll", session, token, None, 2, None, None)
        for impression in range(3):
            touch(impression)
        ask("authenticate", session, 5, None)
        touch(7)
        ask("users")
        ask("clock_advance", 1000)
        ask("enroll", session, token, 99, 2, None, None)  # refused: the frame does not fit
        ask("close", session)
        conversation.end()
    return b"".join(log)
