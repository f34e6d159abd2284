"""What a server must not send: each client says the same one line, ends with 1 and neither crashes nor waits."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tee_sim.shared import codec
from tests.clients.toolchains import LANGUAGES, framed

HELLO = [2, "bioguard", True, "full", True, True, False, False, False, 4, 4, 0, [1 << 20, 1 << 14, 5, 1], []]
GONE = "the server is gone"
LENGTH = "frame length is out of bounds"
CBOR = "frame is not canonical CBOR"
COUNT = "another number of fields"
VERSION = "another protocol version"


def frame(*items: object) -> bytes:
    return framed(codec.encode(list(items)))


GOOD = frame(2, 0, 0, HELLO)
CASES = {
    "nothing": (b"", GONE),
    "half a frame": (GOOD[:-1], GONE),
    "length 0": (bytes(4), LENGTH),
    "length over the limit": ((2**20 + 1).to_bytes(4, "little") + bytes(64), LENGTH),
    "a long head": (framed(b"\x98\x04" + codec.encode([2, 0, 0, HELLO])[1:]), CBOR),
    "a map": (frame(2, 0, 0, [{}, *HELLO[1:]]), CBOR),
    "version 1": (frame(1, 0, 0, HELLO), VERSION),
    "version 3 in hello": (frame(2, 0, 0, [3, *HELLO[1:]]), VERSION),
    "a version in words": (frame(2, 0, 0, ["2", *HELLO[1:]]), "a field has another type"),
    "short hello": (frame(2, 0, 0, HELLO[:-1]), COUNT),
    "another id": (GOOD + frame(2, 2, 0, []), "answer to another request"),
    "no kind": (GOOD + frame(2, 1, 3, []), "no such kind of frame"),
    "long answer": (GOOD + frame(2, 1, 0, [0]), COUNT),
    "a refusal": (GOOD + frame(2, 1, 1, ["user.exists", "is there", "b", 4]), "refused: user.exists: is there"),
    "an event is missing": (GOOD + frame(2, 1, 2, [2, 0, 10, []]), "an event is missing"),
    "short event": (GOOD + frame(2, 1, 2, [1, 0, 1, []]), COUNT),
    "events without end": (GOOD + b"".join(frame(2, 1, 2, [n, 0, 99, []]) for n in range(1, 2000)), GONE),
}


ONE_A_MESSAGE = {words: (sent, words) for sent, words in CASES.values()}
FRAMES = b">" + frame(2, 1, 3, []) + b"<" + frame(2, 1, 0, [[b"erin"]])
DIFFERENT = (GOOD + frame(2, 1, 0, [[b"eric"]]), "a frame differs from the recorded one")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_refuses_what_no_server_may_send(
    language: str, program: Callable[[str], list[str]], tmp_path: Path
) -> None:
    server = tmp_path / "bioguard"
    # its output ends with the file; its input is read on, so that a client which writes meets no closed pipe
    server.write_text(f'#!/bin/sh\ncat "{tmp_path}/sent"\nexec cat >/dev/null\n')
    server.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    recorded = tmp_path / "frames"
    recorded.write_bytes(FRAMES)

    def said(sent: bytes, *arguments: Path) -> tuple[int, str]:
        (tmp_path / "sent").write_bytes(sent)
        command = [*program(language), "phone", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stderr

    cases = ONE_A_MESSAGE if language == "java" else CASES  # its machine starts slowly
    found = {name: said(sent) for name, (sent, _) in cases.items()}
    assert found == {name: (1, f"client: {words}\n") for name, (_, words) in cases.items()}
    assert said(DIFFERENT[0], recorded) == (1, f"client: {DIFFERENT[1]}\n")
