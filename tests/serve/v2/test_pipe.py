"""Frames over real descriptors: cut anywhere, ended anywhere; and what time brings while nobody asks."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.device import Device
from bioguard.errors import BioguardError, InputRefused
from bioguard.serve.v2 import pipe
from bioguard.serve.v2.conversation import Conversation
from tee_sim.shared import codec


def framed(value: object) -> bytes:
    body = codec.encode(value)
    return len(body).to_bytes(4, "little") + body


class Script(Conversation):
    """Takes what comes and answers nothing."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.waits = 0
        self.on_due = lambda: 0

    @property
    def awaits_time(self) -> bool:
        return self.waits > 0

    def begin(self) -> None:
        self.said.append("hello")

    def take(self, body: bytes) -> None:
        self.said.append(codec.decode(body))

    def refuse(self, error: BioguardError) -> None:
        self.said.append(error.message)

    def due(self) -> None:
        self.waits -= 1
        self.said.append("due")
        self.on_due()

    def end(self) -> None:
        self.said.append("end")


def fed(chunks: list[bytes]) -> Script:
    """What a conversation hears of these bytes, each written when the ones before were read."""
    script, left = Script(), list(chunks)
    source, sink = os.pipe()
    try:
        while left:
            os.write(sink, left.pop(0))
        os.close(sink)
        pipe.converse(source, script)
    except InputRefused as error:
        script.said.append(error.code)
    finally:
        os.close(source)
    return script


@given(st.lists(st.integers(1, 40), max_size=8))
def test_frames_arrive_whole_wherever_they_were_cut(cuts: list[int]) -> None:
    data = b"".join(framed([2, number, 1, [b"a" * number]]) for number in range(1, 5))
    chunks = []
    for cut in cuts:
        chunks.append(data[:cut])
        data = data[cut:]
    script = fed([chunk for chunk in (*chunks, data) if chunk])
    assert script.said == ["hello", *([2, number, 1, [b"a" * number]] for number in range(1, 5)), "end"]


def test_an_end_within_a_frame_is_told() -> None:
    assert fed([framed([2, 1, 0, []])[:-1]]).said == [
        "hello", "the input ends within a frame", "end", "serve.malformed"
    ]  # fmt: skip


def test_a_length_above_the_limit_ends_it_at_once() -> None:
    said = fed([(1_048_577).to_bytes(4, "little") + framed([2, 1, 0, []])]).said
    assert said == ["hello", "frame of 1048577 bytes is larger than 1048576", "end", "serve.malformed"]


def test_while_something_is_awaited_time_is_looked_at() -> None:
    source, sink = os.pipe()
    script = Script()
    script.waits = 2
    script.on_due = lambda: os.write(sink, framed([2, 1, 0, []])) if script.waits == 0 else 0
    told: list[object] = []

    def take(body: bytes) -> None:
        told.append(codec.decode(body))
        os.close(sink)

    script.take = take  # type: ignore[method-assign]
    assert pipe.converse(source, script) == 1
    os.close(source)
    assert (script.said, told) == (["hello", "due", "due", "end"], [[2, 1, 0, []]])


def test_a_frame_goes_out_at_once() -> None:
    class Raw(io.RawIOBase):
        seen: list[bytes] = []  # noqa: RUF012

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.seen.append(bytes(data))
            return len(data)

    raw = Raw()
    send = pipe.writer(io.BufferedWriter(raw))
    send(b"one")
    send(b"two")
    assert raw.seen == [b"one", b"two"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("piped") / "device"
    Device.init(directory).close()
    return directory


def run(directory: Path, data: bytes) -> tuple[list[list], subprocess.CompletedProcess[bytes]]:
    line = [sys.executable, "-m", "bioguard.cli", "--device", str(directory), "serve", "--stdio", "--protocol", "2"]
    done = subprocess.run(line, input=data, capture_output=True, check=False, timeout=60)
    frames, octets = [], done.stdout
    while octets:
        size = int.from_bytes(octets[:4], "little")
        frames.append(codec.decode(octets[4 : 4 + size]))
        octets = octets[4 + size :]
    return frames, done


def test_the_command_speaks_until_its_input_ends(served: Path) -> None:
    asked = [framed([2, 7, 1, [b"ida"]]), framed([2, 8, 3, []]), framed([2, 9, 20, [b"ida", 0]])]
    frames, done = run(served, b"".join(asked))
    hello, *rest = frames
    assert (hello[:3], hello[3][:1], hello[3][4:6]) == ([2, 0, 0], [2], [False, False])
    assert rest == [[2, 7, 0, []], [2, 8, 0, [[b"ida"]]], [2, 9, 0, [1]]]
    assert (done.returncode, done.stderr) == (0, b"")


def test_after_what_is_no_frame_it_ends_with_a_refusal_and_code_4(served: Path) -> None:
    frames, done = run(served, framed([1, 1, 3, []]) + framed([2, 2, 3, []]))
    assert frames[1:] == [
        [2, 0, 1, ["serve.malformed", "protocol version 2 is spoken here",
                   "the conversation ends: send canonical CBOR in the form of the page", 4]]
    ]  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.startswith(b"bioguard: error[serve.malformed]: protocol version 2 is spoken here\n")
