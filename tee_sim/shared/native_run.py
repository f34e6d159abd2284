"""How the native applications of a secure world are run: part of BOOT."""

from enum import IntEnum, unique
from typing import Annotated, Final

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, AtMost, Record


@unique
class NativeTool(IntEnum):
    """What watches an application that runs without a lock; only where BOOT asks for no lock at all."""

    NONE = 0
    ASAN = 1
    GDB = 2
    COVERAGE = 3


TOOL_VARIABLES: Final = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP", "TERM", "HOME")
"""Of the environment, what these tools read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeRun(Record):
    """Where what hosts them lies, and what shall go wrong.

    Attributes:
        kit: path of the folder with `lib/libtee_sim_ta.so` and `bin/tee_host`; empty where there are none.
        tool: what watches them.
        panic_at: fault: which call of the Internal Core API panics, counted from 1 in each process; 0 for none.
        no_memory_at: fault: which allocation finds no memory, likewise.
    """

    kit: Annotated[bytes, AtMost(4096)] = b""
    tool: NativeTool = NativeTool.NONE
    panic_at: Annotated[int, U64] = 0
    no_memory_at: Annotated[int, U64] = 0
