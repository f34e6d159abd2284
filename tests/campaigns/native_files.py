"""`python -m tests.campaigns.native_files [--files N] [--seed S]`: files of native applications with bytes changed.

One application is built and changed at random in its headers, its dynamic segment, its tables and elsewhere. What must
hold of each file:

    the rules in Python and the reader of the head end in an answer or a refusal, each within a second
    the loader in C, called without them, maps it or says why not: it neither crashes nor hangs

Ends with 3 on the first violation, and leaves the file in the current folder.
"""

import argparse
import ctypes
import os
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tee_sim.normal.dev_kit import kit_folder
from tee_sim.shared.native.elf import check
from tee_sim.shared.native.head import TaHead
from tee_sim.shared.native.image import Image
from tee_sim.shared.native.refusal import NativeRefused
from tests.native.builds import TAS, Builds

MOST_S = 1.0
LOADER_S = 5
LEFT_FILE = "native-file.ta"
_NUMBERS = (0, 1, 8, 0x1000, 0xFFFF_FFFF, 1 << 40, 1 << 63, (1 << 64) - 1)

Load = Callable[[bytes], bool]
"""Whether the loader maps a file; called in a process of its own, which it may end."""


class FileError(AssertionError):
    """What a file must not do; the text says what it did."""


@dataclass(slots=True)
class Files:
    """Changed files of one application.

    Attributes:
        codes: how often which rule refused; `taken` where none did.
        loaded: how often the loader took a file.
    """

    right: bytes
    random: Random
    load: Load
    codes: Counter[str] = field(default_factory=Counter)
    loaded: int = 0
    last: bytes = b""
    _places: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        dynamic = next(segment for segment in Image(self.right).segments if segment.kind == "PT_DYNAMIC")
        headers = 64 + 56 * struct.unpack_from("<H", self.right, 56)[0]
        self._places = (
            (0, headers), (dynamic.offset, dynamic.offset + dynamic.file_size), (headers, 0x1000), (0, len(self.right)),
        )  # fmt: skip

    def changed(self) -> bytes:
        """Another file."""
        content = bytearray(self.right)
        for _ in range(self.random.randint(1, 3)):
            start, end = self.random.choice(self._places)
            at = self.random.randrange(start, min(end, len(content)))
            if self.random.random() < 0.5:
                content[at] = self.random.randrange(256)
            else:
                at &= ~7
                number = self.random.choice((*_NUMBERS, self.random.randrange(len(content))))
                content[at : at + 8] = number.to_bytes(8, "little")
        return bytes(content[: len(self.right)])

    def judge(self, content: bytes) -> None:
        """Raises FileError."""
        self.last = content
        began = time.process_time()
        code = "taken"
        try:
            check(content)
            TaHead.read(content)
        except NativeRefused as error:
            code = error.code
        except Exception as error:
            raise FileError(f"reading it raised {type(error).__name__}: {error}") from error
        self.codes[code] += 1
        if time.process_time() - began > MOST_S:
            raise FileError(f"reading it took {time.process_time() - began:.1f} s")
        self._map(content)

    def _map(self, content: bytes) -> None:
        process = os.fork()
        if not process:
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            signal.alarm(LOADER_S)
            os._exit(0 if self.load(content) else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status < 0:
            raise FileError(f"the loader ended by {signal.Signals(-status).name}")
        self.loaded += status == 0


def loader(kit: Path) -> Load:
    """That of the runtime, which every locked host uses (tee_sim/dev_kit/runtime/load.c)."""
    runtime = ctypes.CDLL(str(kit / "lib/libtee_sim_ta.so"))
    runtime.load_image.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
    runtime.load_image.restype = ctypes.c_char_p
    return lambda content: runtime.load_image(content, len(content), runtime._handle) is None


def files(folder: Path, seed: int) -> Files:
    """Of an application with constructors, properties and functions of the C library."""
    kit = kit_folder()
    right = Builds(kit, folder).ta(TAS / "rough").read_bytes()
    return Files(right, Random(seed), loader(kit))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.native_files", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        made = files(Path(folder), options.seed)
        try:
            for _ in range(options.files):
                made.judge(made.changed())
        except FileError as error:
            Path(LEFT_FILE).write_bytes(made.last)
            sys.stderr.write(f"{error}: {LEFT_FILE}\n")
            return 3
        codes = ", ".join(f"{code} {count}" for code, count in made.codes.most_common())
        sys.stdout.write(f"{options.files} files, {made.loaded} mapped by the loader; {codes}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
