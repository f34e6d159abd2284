"""Peak resident memory of reading one file over what the process has at the start, by the kernel's own count.

    python tests/formats/memory.py FILE...

Prints JSON: for each file the peak in bytes and the code of the refusal, or null. Each file is read in a fork of its
own, so that memory which an earlier file gave back to the allocator hides nothing.
"""

import json
import os
import sys
from pathlib import Path

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load


def status(field: str) -> int:
    """A field of /proc/self/status in bytes, such as VmRSS."""
    text = Path("/proc/self/status").read_text("ascii")
    return int(text.partition(f"{field}:")[2].split()[0]) << 10


def reset_peak() -> None:
    """Set VmHWM to what is resident now (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def measured(path: Path) -> tuple[int, str | None]:
    """Peak bytes over the start, and the refusal's code."""
    reset_peak()
    before, code = status("VmRSS"), None
    try:
        load(path, ImportOptions(lenient=True))
    except InputRefused as error:
        code = error.code
    return max(0, status("VmHWM") - before), code


def in_a_fork(path: Path) -> tuple[int, str | None]:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_end, json.dumps(measured(path)).encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        answer = stream.read()
    status = os.waitpid(child, 0)[1]
    if status:
        raise RuntimeError(f"{path}: the child ended with status {status}")
    peak, code = json.loads(answer)
    return peak, code


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: in_a_fork(Path(name)) for name in sys.argv[1:]}) + "\n")
