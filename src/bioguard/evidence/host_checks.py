"""What this host really enforces and accelerates: the checks of `bioguard doctor`.

Each check says PASS, WARN, FAIL or UNKNOWN and what to do. A check that could not run is UNKNOWN, never a pass.
"""

import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bioguard.device.facade import Device
from bioguard.device.options import DeviceOptions
from bioguard.errors import BioguardError
from bioguard.evidence.device_checks import look_at
from bioguard.evidence.engine_checks import engine_checks
from bioguard.match import kernels
from bioguard.match.fingerprint import backends
from bioguard.report.model import Check, Status
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.sandbox_verdict.verdict import State, Verdict

_LAYER_FIX = {
    "seccomp": "run on Linux 3.17 or later with seccomp filters; without them nothing is ENFORCED",
    "namespaces": "allow unprivileged user namespaces (container flags, kernel.unprivileged_userns_clone)",
    "empty-root": "allow unprivileged user namespaces",
    "landlock": "run a kernel with Landlock (5.13 or later) and landlock in the list of security modules",
    "descriptors": "look at what else opens descriptors in the child",
    "privileges": "do not grant capabilities to the Python interpreter",
    "hosts": "run as root to see whose pipes each process holds",
    "limits": "allow the process to lower its own limits",
    "waiter": "run as root to see its filter and what it has open",
    "heap": "allow the process to lower its own limits",
}
_SECOND_LINES = frozenset({"namespaces", "empty-root", "landlock", "limits", "descriptors"})
"""Layers without which the level is still ENFORCED: their absence is a WARN."""


def run(directory: Path, options: DeviceOptions, *, named: bool = False) -> list[Check]:
    """Run every check of the host and of a device.

    Args:
        directory: of the device.
        options: how to start it.
        named: as `bioguard.evidence.device_checks.look_at`.
    """
    checks = [_python(), _sqlite()]
    verdict = _start(checks)
    if verdict is not None:
        checks += _layers(verdict)
    checks += [_kernel(), _comparator(), *engine_checks(), *look_at(directory, options, named=named)]
    return checks


def _python() -> Check:
    version = platform.python_version()
    fine = sys.version_info >= (3, 11)
    return Check(
        id="BG-DOC-001",
        title="Python is recent enough",
        status=Status.PASS if fine else Status.FAIL,
        summary=f"Python {version} on {platform.system()} {platform.machine()}",
        fix="use Python 3.11 or later",
    )


def _sqlite() -> Check:
    fine = sqlite3.sqlite_version_info >= (3, 37, 0)
    return Check(
        id="BG-DOC-002",
        title="SQLite has strict tables",
        status=Status.PASS if fine else Status.FAIL,
        summary=f"SQLite {sqlite3.sqlite_version}",
        fix="use a Python with SQLite 3.37 or later",
    )


def _start(checks: list[Check]) -> Verdict | None:
    """Start a throw-away device at any level and report the verdict."""
    title = "the secure world starts and is locked by the kernel"
    options = DeviceOptions(allow_level=Level.NOT_ENFORCED)
    try:
        with (
            tempfile.TemporaryDirectory() as name,  # a name that says nothing
            Device.init(Path(name) / "device", options) as device,
        ):
            verdict = device.running.verdict
    except BioguardError as error:
        checks.append(
            Check(
                id="BG-DOC-010",
                title=title,
                status=Status.FAIL,
                summary=f"it did not start: {error.message}",
                fix=error.hint,
            )
        )
        return None
    status = {
        Level.ENFORCED_PLUS: Status.PASS,
        Level.ENFORCED: Status.PASS,
        Level.INCONCLUSIVE: Status.UNKNOWN,
    }.get(verdict.level, Status.FAIL)
    checks.append(
        Check(
            id="BG-DOC-010",
            title=title,
            status=status,
            summary=f"sandbox level {verdict.level.value}",
            details=verdict.reasons,
            limits="root on this host, kernel flaws and side channels are not covered (docs/threat-model.md)",
            fix="see the layers below; a device refuses to start below ENFORCED unless --allow-level names it",
        )
    )
    return verdict


def _layers(verdict: Verdict) -> Iterator[Check]:
    for number, finding in enumerate(verdict.findings, 11):
        absent = Status.WARN if finding.layer in _SECOND_LINES else Status.FAIL
        status = {State.IN_FORCE: Status.PASS, State.UNKNOWN: Status.UNKNOWN, State.ABSENT: absent}[finding.state]
        yield Check(
            id=f"BG-DOC-{number:03d}",
            title=f"layer {finding.layer}",
            status=status,
            summary=finding.evidence,
            fix=_LAYER_FIX.get(finding.layer, ""),
        )


def _kernel() -> Check:
    found = kernels.describe()
    return Check(
        id="BG-DOC-030",
        title="compiled kernel for Hamming search",
        status=Status.WARN if found.note else Status.PASS,
        summary=f"{found.active} (of {', '.join(found.available)}){', forced' if found.forced else ''}",
        details=(found.note,) if found.note else (),
        fix="install a C compiler and reinstall bioguard",
    )


def _comparator() -> Check:
    found = backends()
    compiled = found[0] != "numpy"
    return Check(
        id="BG-DOC-031",
        title="compiled kernel for fingerprint comparison",
        status=Status.PASS if compiled else Status.WARN,
        summary=f"{found[0]} (of {', '.join(found)})",
        details=() if compiled else ("comparisons run in NumPy, about 20 times slower",),
        fix="install a C compiler and reinstall bioguard",
    )
