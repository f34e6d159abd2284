"""`python -m tee_sim.normal.rpmb_chip` as a program."""

import subprocess
import sys
from pathlib import Path

from tee_sim.secure.rpmb_client import RpmbClient
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.rpmb_frames import FRAME_BYTES


class Program:
    """A transport over the program's pipes."""

    def __init__(self, image: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tee_sim.normal.rpmb_chip", str(image), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        head = (len(request) // FRAME_BYTES).to_bytes(2, "big") + reply_frames.to_bytes(2, "big")
        self.process.stdin.write(head + request)
        self.process.stdin.flush()
        return self.process.stdout.read(reply_frames * FRAME_BYTES)


def test_serves_frames_and_keeps_its_state_when_killed(tmp_path: Path) -> None:
    image = tmp_path / "device.img"
    first = Program(image)
    client = RpmbClient(first, b"k" * 32, SeededRng(b"1"))
    client.program_key()
    client.write(5, [b"5" * 256])
    first.process.kill()
    first.process.communicate()
    second = Program(image)
    client = RpmbClient(second, b"k" * 32, SeededRng(b"2"))
    assert client.read_counter() == 1
    assert client.read(5, 1) == [b"5" * 256]
    second.process.communicate()
    assert second.process.returncode == 0


def run(image: Path, raw: bytes, *options: str) -> tuple[int, bytes, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tee_sim.normal.rpmb_chip", str(image), *options],
        input=raw,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def test_malformed_input_and_damaged_image(tmp_path: Path) -> None:
    image = tmp_path / "device.img"
    assert run(image, b"\0\1\0\1" + bytes(100)) == (
        2, b"", "rpmb: rpmb message is not a whole number of frames (COMMUNICATION, origin TEE)\n",
    )  # fmt: skip
    assert run(image, b"\0\1\0\1" + bytes(512))[0] == 0
    image.write_bytes(b"\1" * len(image.read_bytes()))
    assert run(image, b"")[2] == "rpmb: rpmb image is damaged (CORRUPT_OBJECT, origin TEE)\n"
    assert run(tmp_path / "odd", b"", "--size-kib", "100")[2].startswith("rpmb: rpmb size is a multiple of 128 KiB")
