"""The kernel lock of the secure world (Linux x86_64 and aarch64), by ctypes, without a dependency.

    lockdown.early()                    # first thing in the child, before any third-party import
    ...imports, warm-up, compile...
    report = lockdown.engage(LockPlan(request_fd=3, reply_fd=4, profile="strict", namespaces=True))
    ...trusted code runs only from here on...

After `engage` in the strict profile the process can `read` one pipe, `write` one pipe, manage private memory, look at
the clock, get randomness and end. Any other system call kills it. docs/sandbox.md explains each layer, its order and
what it does not cover.

Rules:
* a layer the host refuses is recorded with its errno; the normal world decides whether that is enough
  (`tee_sim.normal.sandbox_verdict.verdict`), and no secret is in the process before it has decided;
* anything unexpected raises `LockError`: the caller must end the process.

This package does not promise protection from the host's root, from kernel bugs or from side channels.
"""

from tee_sim.secure.lockdown.engine import early, engage
from tee_sim.shared.lock_report import Layer, LayerState, LockError, LockPlan, LockReport

__all__ = ["Layer", "LayerState", "LockError", "LockPlan", "LockReport", "early", "engage"]
