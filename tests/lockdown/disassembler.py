"""A filter as text, for the golden files of `test_filter_proof.py`. Reads linux/filter.h's numbers by itself."""

from tee_sim.shared.sandbox.bpf import ALLOW, ERRNO_EPERM, KILL, Program
from tee_sim.shared.sandbox.syscalls import Arch

_LD, _AND, _JEQ, _JGE, _RET = 0x20, 0x54, 0x15, 0x35, 0x06
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARGS = 0, 4, 16
_RETURN_NAMES = {KILL: "KILL", ALLOW: "ALLOW", ERRNO_EPERM: "ERRNO EPERM"}


def disassemble(program: Program, arch: Arch | None = None) -> str:
    """One line an instruction, absolute jump targets; system call names where `arch` is given."""
    names = {number: name for name, number in arch.numbers.items()} if arch else {}
    loaded = _OFFSET_ARCH
    lines = []
    for i, (code, jt, jf, k) in enumerate(program.instructions):
        if code == _LD:
            loaded = k
            text = f"ld   {_field(k)}"
        elif code == _AND:
            text = f"and  {k:#010x}"
        elif code in (_JEQ, _JGE):
            name = f"  ; {names[k]}" if code == _JEQ and loaded == _OFFSET_NR and k in names else ""
            operator = "jeq" if code == _JEQ else "jge"
            text = f"{operator}  {k:#010x}, {i + 1 + jt}, {i + 1 + jf}{name}"
        elif code == _RET:
            text = f"ret  {_RETURN_NAMES.get(k, hex(k))}"
            loaded = _OFFSET_NR
        else:
            text = f"?    {code:#06x} {jt} {jf} {k:#010x}"
        lines.append(f"{i:4d}: {text}")
    return "\n".join(lines) + "\n"


def _field(offset: int) -> str:
    if offset == _OFFSET_NR:
        return "nr"
    if offset == _OFFSET_ARCH:
        return "arch"
    index, half = divmod(offset - _OFFSET_ARGS, 8)
    return f"arg{index}.{'high' if half else 'low'}"
