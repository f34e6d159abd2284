"""Classic BPF for seccomp: assembler, reader, interpreter. Pure functions over tuples.

The program is linear so that a reviewer reads it top to bottom: check the architecture, check for a foreign ABI,
then per system call one block that ends in ALLOW or DENY. No jump is longer than its block, and no rule depends on
another.

Instruction set and `struct seccomp_data`: linux/filter.h and linux/seccomp.h. Both architectures are little-endian.
"""

import hashlib
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.sandbox.syscalls import Arch, Check, Equal, Masked, Rule

KILL: Final = 0x80000000  # SECCOMP_RET_KILL_PROCESS
ALLOW: Final = 0x7FFF0000  # SECCOMP_RET_ALLOW
USER_NOTIF: Final = 0x7FC00000  # SECCOMP_RET_USER_NOTIF
ERRNO_EPERM: Final = 0x00050001  # SECCOMP_RET_ERRNO with EPERM

_LD, _AND, _JEQ, _JGE, _RET = 0x20, 0x54, 0x15, 0x35, 0x06
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARGS = 0, 4, 16
_LOW_32 = 0xFFFFFFFF


class Instruction(NamedTuple):
    """struct sock_filter."""

    code: int
    jt: int
    jf: int
    k: int


@dataclass(frozen=True, slots=True)
class Program:
    """A filter and the bytes the kernel gets."""

    instructions: tuple[Instruction, ...]

    def to_bytes(self) -> bytes:
        """8 bytes an instruction: code u16, jt u8, jf u8, k u32, little-endian."""
        return _packed(self.instructions)

    def sha256(self) -> bytes:
        """What the lock report, the verdict and the evidence call the filter's hash."""
        return _hashed(self.to_bytes())


@lru_cache(maxsize=8)
def _packed(instructions: tuple[Instruction, ...]) -> bytes:
    return b"".join(struct.pack("<HBBI", *i) for i in instructions)


@lru_cache(maxsize=8)
def _hashed(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def assemble(arch: Arch, rules: Sequence[Rule], *, deny: int) -> Program:
    """Allow `rules` on `arch`; KILL for a foreign architecture or ABI; `deny` for everything else.

    Raises:
        KeyError: a rule names a system call the architecture's table lacks.
    """
    program = [Instruction(_LD, 0, 0, _OFFSET_ARCH), Instruction(_JEQ, 1, 0, arch.audit), Instruction(_RET, 0, 0, KILL)]
    program.append(Instruction(_LD, 0, 0, _OFFSET_NR))
    if arch.foreign_from is not None:
        program += [Instruction(_JGE, 0, 1, arch.foreign_from), Instruction(_RET, 0, 0, KILL)]
    for rule in rules:
        block = _block(rule.checks, deny)
        program += [Instruction(_JEQ, 0, len(block), arch.numbers[rule.name]), *block]
    program.append(Instruction(_RET, 0, 0, deny))
    return Program(tuple(program))


def _block(checks: Sequence[Check], deny: int) -> list[Instruction]:
    """The checks, then ALLOW, then DENY. A failed check jumps to DENY, the last instruction of the block."""
    if not checks:
        return [Instruction(_RET, 0, 0, ALLOW)]
    tests = [test for check in checks for test in _tests(check)]
    size = sum(len(loads) + len(values) for loads, values in tests)
    out: list[Instruction] = []
    for loads, values in tests:
        out += loads
        *others, last = values
        out += [Instruction(_JEQ, len(others) - i, 0, value) for i, value in enumerate(others)]
        out.append(Instruction(_JEQ, 0, size - len(out), last))
    return [*out, Instruction(_RET, 0, 0, ALLOW), Instruction(_RET, 0, 0, deny)]


def _tests(check: Check) -> list[tuple[list[Instruction], tuple[int, ...]]]:
    """Split a 64-bit check into 32-bit ones: how to load a word, and the values it may have."""
    high = Instruction(_LD, 0, 0, _OFFSET_ARGS + 8 * check.index + 4)
    low = Instruction(_LD, 0, 0, _OFFSET_ARGS + 8 * check.index)
    if isinstance(check, Equal):
        return [([high], (check.value >> 32,)), ([low], (check.value & _LOW_32,))]
    if isinstance(check, Masked):
        words = ((high, check.mask >> 32, check.value >> 32), (low, check.mask & _LOW_32, check.value & _LOW_32))
        return [([load, Instruction(_AND, 0, 0, mask)], (value,)) for load, mask, value in words if mask]
    keep = [Instruction(_AND, 0, 0, _LOW_32 & ~check.ignore)] if check.ignore else []
    return [([high], (0,)), ([low, *keep], check.values)]


def decode(data: bytes) -> Program:
    """Instructions from the kernel's bytes, for a filter read back. Raises ValueError for a partial instruction."""
    if len(data) % 8:
        raise ValueError("filter is not a whole number of instructions")
    return Program(tuple(Instruction(*fields) for fields in struct.iter_unpack("<HBBI", data)))


def run(program: Program, *, nr: int, audit_arch: int, args: Sequence[int] = (0, 0, 0, 0, 0, 0), ip: int = 0) -> int:
    """What the kernel would answer. For proofs: the kernel runs its own copy.

    Args:
        nr, audit_arch: 32-bit.
        args: six unsigned 64-bit arguments.
        ip: instruction pointer.

    Raises:
        ValueError: an instruction outside our set, or the program runs off its end.
    """
    memory = struct.pack("<IIQ6Q", nr, audit_arch, ip, *args)
    accumulator = 0
    position = 0
    instructions = program.instructions
    while position < len(instructions):
        code, jt, jf, k = instructions[position]
        position += 1
        if code == _JEQ:
            position += jt if accumulator == k else jf
        elif code == _LD:
            accumulator = int.from_bytes(memory[k : k + 4], "little")
        elif code == _AND:
            accumulator &= k
        elif code == _JGE:
            position += jt if accumulator >= k else jf
        elif code == _RET:
            return k
        else:
            raise ValueError(f"instruction {code:#06x} is not in our set")
    raise ValueError("program runs off its end")
