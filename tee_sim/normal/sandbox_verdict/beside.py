"""What the verdict looks at besides the layers of a process: the waiter, and the memory of the hosts.

Both are outside facts alone: neither the waiter nor a host is believed about them.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from tee_sim.normal.sandbox_verdict.observe import Observation
from tee_sim.normal.sandbox_verdict.verdict import Finding, State
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.lock_report import LockReport
from tee_sim.shared.sandbox.filters import waiter_program
from tee_sim.shared.sandbox.syscalls import ARCHITECTURES

WAITER, HEAP = "waiter", "heap"
_SLACK_BYTES: Final = 64 << 20
"""The limit is set from what a process has then; it may have given some of that back since."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One process: whose it is, what it says and what is seen of it.

    Attributes:
        name: `core`, or as `tee_sim.shared.wire.host_names` gives it.
    """

    name: str
    report: LockReport
    seen: Observation


def judge_waiter(core: Watched, seen: Observation | None) -> Finding:
    """Whether the process that waits for the core can only wait and end."""
    if seen is None or None in (seen.seccomp_mode, seen.threads, seen.capabilities, seen.no_new_privileges):
        return Finding(WAITER, State.ABSENT, "its status cannot be read from outside")
    wrong = next(_flaws(core, seen), "")
    if wrong:
        return Finding(WAITER, State.ABSENT, wrong)
    if seen.filters is None or seen.descriptors is None:
        words = "mode 2 outside, no capability; whether it is the filter for waiting, and what is open, needs root"
        return Finding(WAITER, State.UNKNOWN, words)
    return Finding(WAITER, State.IN_FORCE, "kernel holds the program for waiting, read back; nothing is open")


def _flaws(core: Watched, seen: Observation) -> Iterator[str]:
    # Counted, too: a filter that both came with, a container's, is none of its own.
    if seen.seccomp_mode != 2 or (seen.filter_count or 0) < (core.seen.filter_count or 0):
        yield "the process that waits for the core has no filter of its own"
    if seen.capabilities or not seen.no_new_privileges:
        yield "it may gain privileges or holds a capability"
    if seen.traced is not False:
        yield "another process traces it"
    if seen.threads != 1:
        yield f"{seen.threads} threads, expected one"
    if seen.filters is not None:
        machine = core.report.machine
        expected = waiter_program(machine).sha256() if machine in ARCHITECTURES else b""
        if expected not in {hashlib.sha256(raw).digest() for raw in seen.filters}:
            yield "no filter in the kernel is the one for waiting that this version builds"
    for number, target in seen.descriptors or ():
        if number > 2 or target != "/dev/null":
            yield f"descriptor {number} should not be open"


def judge_heaps(hosts: Sequence[Watched], heaps_bytes: Sequence[int]) -> Finding:
    """Whether the memory of each host ends where its manifest states."""
    if len(hosts) != len(heaps_bytes):
        return Finding(HEAP, State.ABSENT, f"{len(heaps_bytes)} limits are stated for {len(hosts)} hosts")
    for host, heap_bytes in zip(hosts, heaps_bytes, strict=True):
        limit, has_bytes = host.seen.data_limit, host.seen.data_bytes
        if limit is None or has_bytes is None:
            return Finding(HEAP, State.UNKNOWN, f"{host.name}: not readable from outside")
        if not limit.isdigit():
            return Finding(HEAP, State.ABSENT, f"{host.name}: its memory has no limit, {heap_bytes} bytes are stated")
        if int(limit) > has_bytes + heap_bytes + _SLACK_BYTES:
            words = f"{host.name}: its memory may grow to {limit} bytes, {heap_bytes} above its start are stated"
            return Finding(HEAP, State.ABSENT, words)
    return Finding(HEAP, State.IN_FORCE, "the memory of each host ends at what its manifest states")
