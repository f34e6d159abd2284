"""`python -m tee_sim.normal.rpmb_chip IMAGE`: the device on stdin and stdout, for testing other code against it.

Each request is two numbers u16 big-endian, request frames and reply frames, and then the request frames of 512 bytes.
The answer is the reply frames, nothing else. End of input ends the program; a malformed request ends it with code 2.
"""

import argparse
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from tee_sim.normal.rpmb_chip.chip import DeviceConfig, RpmbDevice
from tee_sim.normal.rpmb_chip.file_medium import FileMedium, OsFile
from tee_sim.shared.errors import TeeError
from tee_sim.shared.rpmb_frames import FRAME_BYTES

_COUNTS = struct.Struct(">HH")


def serve(device: RpmbDevice, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until the input ends. Raises TeeError COMMUNICATION for a malformed one."""
    while len(head := source.read(_COUNTS.size)) == _COUNTS.size:
        request_frames, reply_frames = _COUNTS.unpack(head)
        sink.write(device.transfer(source.read(request_frames * FRAME_BYTES), reply_frames))
        sink.flush()


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tee_sim.normal.rpmb_chip", description="simulated RPMB device (SIMULATED)"
    )
    parser.add_argument("image", type=Path, help="state file; made if it does not exist")
    parser.add_argument("--size-kib", type=int, default=128, help="capacity of a new device (default 128)")
    parser.add_argument("--max-write-blocks", type=int, default=32, choices=range(1, 33), metavar="1..32")
    parser.add_argument("--reject-zero-count", action="store_true", help="block count 0 is an error")
    parser.add_argument("--expired-is-write-failure", action="store_true", help="answer 0x85 instead of 0x80")
    options = parser.parse_args(arguments)
    config = DeviceConfig(
        accept_zero_count=not options.reject_zero_count,
        expired_is_write_failure=options.expired_is_write_failure,
        max_write_blocks=options.max_write_blocks,
    )
    try:
        medium = FileMedium(OsFile(options.image), options.size_kib << 10)
        serve(RpmbDevice(medium, config), sys.stdin.buffer, sys.stdout.buffer)
    except (TeeError, OSError) as error:
        sys.stderr.write(f"rpmb: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
