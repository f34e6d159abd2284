"""The filter, proven instead of trusted: every number, every architecture, random arguments, two second opinions."""

import os
import platform
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tee_sim.shared.sandbox import bpf
from tee_sim.shared.sandbox.bpf import ALLOW, ERRNO_EPERM, KILL, USER_NOTIF, Instruction, Program
from tee_sim.shared.sandbox.filters import WATCHED, secure_world_program, waiter_program
from tee_sim.shared.sandbox.syscalls import ARCHITECTURES, Equal, Masked, OneOf, Rule, secure_world_rules, waiter_rules
from tests.lockdown.disassembler import disassemble

GOLDEN = Path(__file__).parents[1] / "golden"
REQUEST_FD, REPLY_FD = 3, 4
ARCH_VALUES = {
    "x86_64": 0xC000003E,
    "i386": 0x40000003,
    "aarch64": 0xC00000B7,
    "arm": 0x40000028,
    "riscv64": 0xC00000F3,
}
X32_BIT = 0x40000000
MAKERS = """
open openat openat2 creat socket socketpair accept accept4 pipe pipe2 dup dup2 dup3 epoll_create1 eventfd2
signalfd4 timerfd_create memfd_create memfd_secret pidfd_open pidfd_getfd io_uring_setup inotify_init1
fanotify_init userfaultfd perf_event_open bpf landlock_create_ruleset open_by_handle_at execve execveat clone
clone3 fork vfork link linkat symlinkat unlinkat renameat2 mkdirat mknodat chdir fchdir truncate ftruncate
newfstatat statx readlinkat utimensat setxattr sendmsg sendto sendfile splice writev pwrite64 pwritev2 prctl
ptrace kill tgkill ioctl fcntl shmget mq_open keyctl
"""
MACHINES = sorted(ARCHITECTURES)
GOOD_ARGS = {
    "read": (REQUEST_FD, 0, 1, 0, 0, 0),
    "write": (REPLY_FD, 0, 1, 0, 0, 0),
    "futex": (0, 0x80, 0, 0, 0, 0),
    "mremap": (0, 0, 0, 1, 0, 0),
    "mmap": (0, 4096, 3, 0x22, (1 << 64) - 1, 0),
    "mprotect": (0, 0, 3, 0, 0, 0),
    "madvise": (0, 0, 4, 0, 0, 0),
}


def program(machine: str, profile: str = "strict") -> Program:
    return secure_world_program(machine, profile, REQUEST_FD, REPLY_FD)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_on_every_architecture(machine):
    arch = ARCHITECTURES[machine]
    rules = {arch.numbers[r.name]: r.name for r in secure_world_rules(REQUEST_FD, REPLY_FD)}
    assert len(rules) == 17, "at most 20 system calls are reachable"
    target = program(machine)
    for audit in ARCH_VALUES.values():
        for nr in range(4096):
            verdict = bpf.run(target, nr=nr, audit_arch=audit, args=GOOD_ARGS.get(rules.get(nr, ""), (0,) * 6))
            assert verdict == (ALLOW if audit == arch.audit and nr in rules else KILL), (audit, nr)
    for nr in (*(X32_BIT | n for n in range(4096)), 0x7FFFFFFF, 0xFFFFFFFF):
        assert bpf.run(target, nr=nr, audit_arch=arch.audit, args=GOOD_ARGS["read"]) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_a_sensor_reads_from_one_more_pipe_and_nothing_else_differs(machine):
    pictures = 9
    arch = ARCHITECTURES[machine]
    host, sensor = program(machine), secure_world_program(machine, "strict", REQUEST_FD, REPLY_FD, (), pictures)
    rules = {arch.numbers[r.name]: r.name for r in secure_world_rules(REQUEST_FD, REPLY_FD)}
    for nr in range(600):
        args = GOOD_ARGS.get(rules.get(nr, ""), (0,) * 6)
        answers = [bpf.run(target, nr=nr, audit_arch=arch.audit, args=args) for target in (host, sensor)]
        assert answers[0] == answers[1], nr
    for name in ("read", "write"):
        for fd in (*range(64), 1 << 32 | pictures, 1 << 32 | REQUEST_FD):
            args = (fd, 0, 1, 0, 0, 0)
            own, theirs = (
                bpf.run(target, nr=arch.numbers[name], audit_arch=arch.audit, args=args) for target in (host, sensor)
            )
            assert theirs == (ALLOW if (name, fd) == ("read", pictures) else own), (name, fd)


def accepts(rule: Rule, args: tuple[int, ...]) -> bool:
    """The policy in plain Python, written without looking at words or jumps."""
    for check in rule.checks:
        value = args[check.index]
        match check:
            case Equal():
                fine = value == check.value
            case Masked():
                fine = value & check.mask == check.value
            case OneOf():
                fine = value & ~check.ignore in check.values and value >> 32 == 0
        if not fine:
            return False
    return True


def interesting(generator: random.Random, rule: Rule) -> tuple[int, ...]:
    """Arguments near the edges: allowed values, single flipped bits, garbage above 32 bits."""
    args = list(GOOD_ARGS.get(rule.name, (0,) * 6))
    for index in range(6):
        match generator.randrange(6):
            case 0:
                args[index] ^= 1 << generator.randrange(64)
            case 1:
                args[index] = generator.getrandbits(64)
            case 2:
                args[index] = generator.randrange(600)
            case 3:
                args[index] |= generator.getrandbits(32) << 32
    return tuple(args)


@pytest.mark.parametrize("machine", MACHINES)
def test_random_arguments_follow_the_policy(machine):
    generator = random.Random(20260131)
    arch = ARCHITECTURES[machine]
    target = program(machine)
    seen = {True: 0, False: 0}
    for rule in secure_world_rules(REQUEST_FD, REPLY_FD):
        for _ in range(400):
            args = interesting(generator, rule)
            expected = accepts(rule, args)
            seen[expected] += 1
            verdict = bpf.run(target, nr=arch.numbers[rule.name], audit_arch=arch.audit, args=args)
            assert verdict == (ALLOW if expected else KILL), (rule, args)
    assert min(seen.values()) > 1000, "both answers were exercised"


@pytest.mark.parametrize("machine", MACHINES)
def test_bytes_leave_through_one_descriptor_only(machine):
    arch = ARCHITECTURES[machine]
    for name, good in (("read", REQUEST_FD), ("write", REPLY_FD)):
        allowed = [
            fd
            for fd in (*range(1024), 2**31, 2**32 + good, 2**63 + good, 2**64 - 1)
            if bpf.run(program(machine), nr=arch.numbers[name], audit_arch=arch.audit, args=(fd, 0, 0, 0, 0, 0))
            == ALLOW
        ]
        assert allowed == [good]


@pytest.mark.parametrize("machine", MACHINES)
def test_no_reachable_call_names_a_path_or_makes_a_descriptor(machine):
    """Against the complete tables of an independent package, not our own."""
    tables = pytest.importorskip("seccompy.syscalls", reason="the test extra brings seccompy")
    table = next(v for k, v in vars(tables).items() if isinstance(v, dict) and machine.upper() in k.upper())
    for name, number in ARCHITECTURES[machine].numbers.items():
        assert table[name] == number
    present = [name for name in MAKERS.split() if name in table]
    assert len(present) > 50
    for name in present:
        assert bpf.run(program(machine), nr=table[name], audit_arch=ARCHITECTURES[machine].audit) == KILL, name


@pytest.mark.parametrize("machine", MACHINES)
def test_an_independent_compiler_agrees(machine, monkeypatch):
    """seccompy compiles the same policy from its own tables; both programs must answer alike, on either machine."""
    filter_module = pytest.importorskip("seccompy.filter", reason="the test extra brings seccompy")
    monkeypatch.setattr(platform, "machine", lambda: machine)  # it compiles for the machine that it believes to run on
    from seccompy import Action, ArgCmp, CmpOp

    other = filter_module.Filter(Action.KILL_PROCESS)
    for rule in secure_world_rules(REQUEST_FD, REPLY_FD):
        choices = [()]
        for check in rule.checks:
            match check:
                case Equal():
                    options = [ArgCmp(check.index, CmpOp.EQ, check.value)]
                case Masked():
                    options = [ArgCmp(check.index, CmpOp.MASKED_EQ, check.value, check.mask)]
                case OneOf():
                    keep = (2**64 - 1) & ~check.ignore
                    options = [ArgCmp(check.index, CmpOp.MASKED_EQ, value, keep) for value in check.values]
            choices = [(*chosen, option) for chosen in choices for option in options]
        for chosen in choices:
            other.allow(rule.name, args=chosen or None)
    second = bpf.decode(other.program)
    generator = random.Random(7)
    arch = ARCHITECTURES[machine]
    ours = program(machine)
    for rule in secure_world_rules(REQUEST_FD, REPLY_FD):
        for _ in range(100):
            args = interesting(generator, rule)
            nr = arch.numbers[rule.name]
            theirs = run_any(second, nr, arch.audit, args)
            assert bpf.run(ours, nr=nr, audit_arch=arch.audit, args=args) == theirs, (rule, args)
    for nr in range(600):
        assert bpf.run(ours, nr=nr, audit_arch=arch.audit) == run_any(second, nr, arch.audit, (0,) * 6), nr


def run_any(target: Program, nr: int, audit: int, args: tuple[int, ...]) -> int:
    """A second interpreter, for programs that use the whole instruction set (BPF_JA, JGT, JSET)."""
    import struct

    memory = struct.pack("<IIQ6Q", nr, audit, 0, *args)
    accumulator = position = 0
    while True:
        code, jt, jf, k = target.instructions[position]
        position += 1
        jumps = {0x15: accumulator == k, 0x25: accumulator > k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}
        if code == 0x06:
            return k
        if code == 0x20:
            accumulator = struct.unpack_from("<I", memory, k)[0]
        elif code == 0x54:
            accumulator &= k
        elif code == 0x05:
            position += k
        else:
            position += jt if jumps[code] else jf


@pytest.mark.skipif(sys.platform != "linux", reason="asks this kernel")
def test_the_kernel_agrees():
    """Load our program with a distinctive errno for a denial and make every call: only our list may do anything else.

    x86_64 kernels since 6.11 let uretprobe (335) and uprobe (336) past every filter (kernel/seccomp.c): outside a
    probe's own trampoline they end the process with SIGILL, so they carry nothing, but need a child.
    """
    script = """
import os, sys
from tee_sim.shared.sandbox import bpf, filters, hygiene, kernel
from tee_sim.shared.sandbox.syscalls import secure_world_rules
arch = filters.this_arch()
own = {arch.numbers[r.name] for r in secure_world_rules(3, 4)}
out = []
program = bpf.assemble(arch, secure_world_rules(100, 1), deny=0x00050000 | 123)
hygiene.no_new_privileges()
filters.load(program)
past_filters = {335, 336} if arch.machine == "x86_64" else set()
for number in range(600):
    if number in own | past_filters:
        continue
    try:
        kernel.raw(number)
        out.append(f"{number}:worked")
    except OSError as error:
        if error.errno != 123:
            out.append(f"{number}:{error.errno}")
for name, arguments in (("read", (0,)), ("write", (2,)), ("mprotect", (0, 0, 4))):
    try:
        kernel.raw(arch.numbers[name], *arguments)
        out.append(f"{name}:worked")
    except OSError as error:
        if error.errno != 123:
            out.append(f"{name}:{error.errno}")
os.write(1, " ".join(out).encode() or b"agreed")
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-I", "-B", "-c", script], capture_output=True, timeout=60, check=False)
    assert done.stdout == b"agreed", done.stderr


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="these two calls exist on x86_64 only")
@pytest.mark.parametrize("number", [335, 336])
def test_the_calls_that_pass_every_filter_do_nothing(number):
    script = f"""
import os
from tee_sim.shared.sandbox import filters, hygiene, kernel
hygiene.harden_early()
hygiene.no_new_privileges()
filters.load(filters.secure_world_program(kernel.MACHINE, "strict", 100, 1))
try:
    kernel.raw({number})
except OSError:
    os._exit(5)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-I", "-B", "-c", script], capture_output=True, timeout=60, check=False)
    assert done.returncode in (5, -signal.SIGILL, -signal.SIGSYS)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("kind", ["secure-world", "waiter"])
def test_golden_disassembly(machine, kind):
    """A changed filter is a reviewed diff. To accept one: write the text below into the golden file."""
    target = program(machine) if kind == "secure-world" else waiter_program(machine)
    text = disassemble(target, ARCHITECTURES[machine]) + f"sha256 {target.sha256().hex()}\n"
    assert text == (GOLDEN / f"filter-{kind}-{machine}.txt").read_text(encoding="ascii")


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("profile", "answer"), [("permissive-debug", ERRNO_EPERM), (WATCHED, USER_NOTIF)])
def test_debug_profile_differs_in_the_denial_only(machine, profile, answer):
    strict, debug = program(machine), program(machine, profile)
    pairs = [(a, b) for a, b in zip(strict.instructions, debug.instructions, strict=True) if a != b]
    assert pairs
    assert all(a.code == b.code == 0x06 and (a.k, b.k) == (KILL, answer) for a, b in pairs)
    foreign = bpf.run(debug, nr=0, audit_arch=ARCH_VALUES["i386"])
    assert foreign == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_the_waiter_can_wait_and_end(machine):
    arch = ARCHITECTURES[machine]
    names = {r.name for r in waiter_rules()}
    assert names == {"wait4", "munmap", "brk", "mremap", "mmap", "mprotect", "madvise", "futex",
                     "restart_syscall", "exit_group"}  # fmt: skip
    for name, number in arch.numbers.items():
        verdict = bpf.run(waiter_program(machine), nr=number, audit_arch=arch.audit, args=GOOD_ARGS.get(name, (0,) * 6))
        assert verdict == (ALLOW if name in names else KILL)


def test_bytes_round_trip_and_partial_programs_are_refused():
    target = program("x86_64")
    assert bpf.decode(target.to_bytes()) == target
    with pytest.raises(ValueError, match="not a whole number"):
        bpf.decode(target.to_bytes()[:-1])


def test_interpreter_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="instruction 0x0005 is not in our set"):
        bpf.run(Program((Instruction(0x05, 0, 0, 1),)), nr=0, audit_arch=0)
    with pytest.raises(ValueError, match="runs off its end"):
        bpf.run(Program((Instruction(0x20, 0, 0, 0),)), nr=0, audit_arch=0)


def test_a_mutated_filter_is_noticed():
    """Each single change of a jump or constant must change an answer somewhere, or be the redundant final return."""
    original = program("x86_64")
    arch = ARCHITECTURES["x86_64"]
    rules = secure_world_rules(REQUEST_FD, REPLY_FD)
    generator = random.Random(3)
    cases = [(n, a, (0,) * 6) for n in range(450) for a in (arch.audit, ARCH_VALUES["i386"])]
    cases += [(X32_BIT | 1, arch.audit, GOOD_ARGS["write"])]
    cases += [(arch.numbers[r.name], arch.audit, interesting(generator, r)) for r in rules for _ in range(150)]
    cases += [(arch.numbers[r.name], arch.audit, GOOD_ARGS.get(r.name, (0,) * 6)) for r in rules]
    for value in (0, 1, 2, 3, 4, 5, 8, 14, 15, 16, 18, 20):
        cases += [(arch.numbers["madvise"], arch.audit, (0, 0, value, 0, 0, 0))]
        cases += [(arch.numbers[n], arch.audit, (value, 0, 0, 0, 0, 0)) for n in ("clock_gettime", "clock_nanosleep")]
        cases += [(arch.numbers["futex"], arch.audit, (0, 0x80 | value, 0, 0, 0, 0))]
    expected = [bpf.run(original, nr=n, audit_arch=a, args=x) for n, a, x in cases]
    survivors = []
    for i, instruction in enumerate(original.instructions):
        if instruction.code != 0x06:
            continue
        mutant = instruction._replace(k=ALLOW if instruction.k == KILL else KILL)
        changed = Program((*original.instructions[:i], mutant, *original.instructions[i + 1 :]))
        if all(bpf.run(changed, nr=n, audit_arch=a, args=x) == e for (n, a, x), e in zip(cases, expected, strict=True)):
            survivors.append(i)
    assert survivors == []
