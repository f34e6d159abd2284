"""The same device serves a program of another make: `bioguard --trace FILE serve --stdio --protocol 2 --record FILE`.

A client of its own, made from docs/formats/serve-2.md, enrolls the canaries, is refused, is told of locks, log and
attestation, and leaves. Everything that passed the pipe is kept as it came, for `told` to judge; the frames are written
and read by a library and not by the product's codec.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import cbor2

from bioguard.evidence.leak_scan.canaries import Canaries
from tee_sim.normal.sandbox_verdict.level import Level

SERVED: Final = "served"
"""Folder of what is left, and in it:"""
TIMELINE, CONVERSATION, PIPE, TOKENS = "timeline", "conversation", "pipe", "tokens"
VERSION, ANSWER, REFUSAL, EVENT = 2, 0, 1, 2
TOKEN_BYTES, CODE_BYTES = 69, 32
"""Of a token, and of its end, which makes it one (docs/formats/token.md)."""
FINGERPRINT, FACE = 1, 2
PURPOSES: Final = [1, 2, 3]
CANONICAL: Final = 0
RIGHT_INDEX: Final = 2
OPERATION_ID: Final = 0x7A11
VIEWS: Final = 3
"""Of an enrollment. The samples that follow are somebody else's."""
(ADD_USER, USERS, CONSENT, SET_PIN, VERIFY_PIN, CREATE_SESSION, CLOSE, CANCEL, GENERATE_CHALLENGE, ENROLL, AUTHENTICATE,
 REMOVE_ENROLLMENTS, PRESENT, IDENTIFY, LOCK_STATUS, RECORDS, CHECK_TOKEN, ATTEST, LOG_HEAD, LOG_READ) = (
    1, 3, 4, 10, 11, 20, 21, 22, 23, 25, 26, 29, 45, 50, 51, 53, 55, 70, 71, 72)  # fmt: skip
CHALLENGE_GENERATED, SUCCEEDED = 1, 6
Exchange = list[Any]
"""[what the client was about, method, fields, when it asked, [[frame, when it came], ...]], times in ms."""


class Client:
    """The server as a child process; one request is answered before the next is sent."""

    def __init__(self, line: Sequence[str], errors: Path) -> None:
        self.exchanges: list[Exchange] = []
        with errors.open("wb") as sink:
            self._server = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink)
        self._sink, self._source = cast("BinaryIO", self._server.stdin), cast("BinaryIO", self._server.stdout)
        self._hear(["hello", 0, [], _now_ms(), []])

    def ask(self, about: str, method: int, *fields: object) -> list[Any]:
        """Send a request; return the fields of its answer, none if it was refused."""
        body = cbor2.dumps([VERSION, len(self.exchanges), method, list(fields)])
        asked_ms = _now_ms()
        self._sink.write(len(body).to_bytes(4, "little") + body)
        self._sink.flush()
        return self._hear([about, method, list(fields), asked_ms, []])

    def event(self, number: int) -> list[Any]:
        """The fields of the last one of this kind."""
        frames = (cbor2.loads(frame) for one in reversed(self.exchanges) for frame, _ in reversed(one[4]))
        found: list[Any] = next(f[3][3] for f in frames if f[2] == EVENT and f[3][2] == number)
        return found

    def leave(self) -> int:
        """End the server's input; return its exit status."""
        rest = self._server.communicate()[0]
        if rest:
            self.exchanges.append(["end", 0, [], _now_ms(), [[rest, _now_ms()]]])
        return self._server.returncode

    def _hear(self, exchange: Exchange) -> list[Any]:
        self.exchanges.append(exchange)
        while True:
            body = self._read(int.from_bytes(self._read(4), "little"))
            exchange[4].append([body, _now_ms()])
            kind, payload = cbor2.loads(body)[2:]
            if kind != EVENT:
                return payload if kind == ANSWER else []

    def _read(self, size: int) -> bytes:
        data = self._source.read(size)
        if len(data) < size:
            raise SystemExit("the server went away in the middle of a conversation")
        return data


def _now_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def serve(directory: Path, out: Path, canaries: Canaries, samples: Sequence[Sequence[bytes]]) -> None:
    """Let a device whose user `canaries.name` has a PIN and nothing enrolled be driven over the pipe.

    Args:
        directory: of the device. out: where what it leaves is kept.
        samples: for faces and for fingers three views of the canary and two of somebody else, in canonical form.
    """
    kept = out / SERVED
    kept.mkdir()
    named = [str(kept / name) for name in (TIMELINE, CONVERSATION)]
    line = [
        *(sys.executable, "-I", "-B", "-m", "bioguard.cli", "--device", str(directory)),
        *("--allow-level", Level.NOT_ENFORCED.value, "--trace", named[0]),
        *("serve", "--stdio", "--protocol", str(VERSION), "--record", named[1]),
    ]
    client = Client(line, out / "sources" / "errors of the server")
    tokens = list(_live(client, canaries, *samples))
    status = client.leave()
    (kept / PIPE).write_bytes(cbor2.dumps(client.exchanges))
    (kept / TOKENS).write_bytes(b"".join(token[-CODE_BYTES:] for token in tokens))
    if status:
        raise SystemExit(f"the server ended with exit code {status}")


def _live(client: Client, canaries: Canaries, faces: Sequence[bytes], fingers: Sequence[bytes]) -> Iterator[bytes]:
    """All of it; the tokens that were given out."""
    name, pin, ask = canaries.name.encode(), canaries.pin, client.ask
    ask("another user", ADD_USER, b"somebody")
    ask("a PIN", SET_PIN, name, pin, pin)
    ask("a wrong PIN", VERIFY_PIN, name, pin[::-1], 0)
    (rights,) = ask("a token", VERIFY_PIN, name, pin, 0)
    yield rights
    for sensor, modality, position, samples in ((0, FINGERPRINT, RIGHT_INDEX, fingers), (1, FACE, 0, faces)):
        ask("consent", CONSENT, name, modality, PURPOSES, 30, True, rights)
        (session,) = ask("a session", CREATE_SESSION, name, sensor)
        ask("a challenge", GENERATE_CHALLENGE, session)
        (token,) = ask("a token", VERIFY_PIN, name, pin, client.event(CHALLENGE_GENERATED)[0])
        yield token
        ask("enroll", ENROLL, session, token, None, position, None, None)
        for number, sample in enumerate(samples[:VIEWS]):
            ask(f"enroll {modality} {number}", PRESENT, session, CANONICAL, sample, None)
        for sample in samples[:2]:
            ask("nothing waits", PRESENT, session, CANONICAL, sample, None)
        for stranger in samples[VIEWS:]:
            ask("authenticate", AUTHENTICATE, session, 0, None)
            ask(f"a stranger {modality}", PRESENT, session, CANONICAL, stranger, None)
            ask(f"cancel {modality}", CANCEL, session, None)
            ask("search a stranger", IDENTIFY, sensor, CANONICAL, stranger)
        for sample in samples[:2]:
            ask("authenticate", AUTHENTICATE, session, OPERATION_ID, None)
            ask(f"the person {modality}", PRESENT, session, CANONICAL, sample, None)
            if token := client.event(SUCCEEDED)[1]:
                yield token
                ask("check a token", CHECK_TOKEN, token)
        ask("locked", LOCK_STATUS, name, sensor)
        ask("search", IDENTIFY, sensor, CANONICAL, samples[0])
        ((record,),) = ask("records", RECORDS, name)
        ask("remove", REMOVE_ENROLLMENTS, session, [enrollment_id(record[0])])
        ask("close", CLOSE, session)
    ask("people", USERS)
    for profile in (0, 1):
        ask("attest", ATTEST, b"a nonce of the caller, 32 bytes.", profile)
    ask("log", LOG_HEAD)
    ask("log", LOG_READ, 0)


def enrollment_id(record_id: bytes) -> int:
    """The number of an enrollment: docs/formats/serve-2.md section 6."""
    return int.from_bytes(record_id[:4]) // 2


def frames_of(exchange: Exchange) -> list[list[Any]]:
    """The frames that an exchange brought. Raises ValueError for what is none, or not in the one form."""
    found = []
    for raw, _ in exchange[4]:
        frame = cbor2.loads(raw)
        if cbor2.dumps(frame) != raw or len(frame) != 4:
            raise ValueError("no frame of this version in its one form")
        found.append(frame)
    return found
