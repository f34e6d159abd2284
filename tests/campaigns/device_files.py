"""`python -m tests.campaigns.device_files [--cases N] [--cold N] [--seed S] [--json]`: odd device files.

Hypothesis damages a copy of a device (`tests.campaigns.device_damage`), and everything a caller can ask is asked. Each
answer is the right one or an error of the product with a documented exit code; nothing takes longer than 20 times what
the undamaged device takes in the same run; what links point to is as it was; and the same directory works again once
its files are put back. `--cases` are played in this process, without the sandbox; `--cold` with the command line.
"""

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings

from bioguard.device import Device, facade, pins
from bioguard.device.applications import manifests
from bioguard.device.consent import grant_all, signed_log
from bioguard.device.fuses import Fuses
from bioguard.device.incidents import incidents
from bioguard.device.launch import Running
from bioguard.device.options import DeviceOptions as Options
from bioguard.device.strong_auth_times import record_unlock
from bioguard.errors import BioguardError
from bioguard.exit_codes import ExitCode
from bioguard.simulate.faults.device_faults import DeviceFaults
from tee_sim.normal.client import Context
from tee_sim.normal.sandbox_verdict.processes import Inspected
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.package_files import Listing
from tee_sim.testing.in_process import InProcessTee
from tests.campaigns.crash_device import FACES
from tests.campaigns.crash_oracle import scratch
from tests.campaigns.device_damage import ELSEWHERE, Damage, damages

SLOWER = 20
"""How many times longer than the undamaged device any answer may take."""
COLD_WAIT_S = 120.0
DOCUMENTED = frozenset(ExitCode) - {ExitCode.UNEXPECTED, ExitCode.INTERRUPTED}
COLD = (("list",), ("incident",), ("fault", "list"), ("doctor",))


class _Tee(InProcessTee):
    """Ends with its device: nothing to end."""

    def close(self) -> None: ...


def _start(directory: Path, fuses: Fuses, options: Options, *, create: bool) -> Running:
    """`bioguard.device.launch.start` without process, lock and sandbox."""
    faults = DeviceFaults(directory)
    supplicant = Supplicant(directory, create=create, read_only=options.read_only, faults=faults.disk())
    try:
        with patch.multiple("tee_sim.testing.in_process", TEST_HUK=fuses.huk, TEST_DEVICE_ID=fuses.device_id):
            tee = _Tee(manifests(), supplicant, create=create)
    except BaseException:
        supplicant.close()
        raise
    return Running(
        process=cast("SecureProcess", tee),
        supplicant=supplicant,
        inspected=cast("Inspected", None),
        ready=tee.ready(),
        measurements={},
        listing=Listing({}),
        context=Context(faults.transport(tee)),
        hooks=faults,
        grid=None,
    )


def in_process_devices() -> AbstractContextManager[object]:
    """Devices that are opened in the block have their secure world in this process."""
    return patch.object(facade, "start", _start)


def make(directory: Path) -> None:
    """Two people, one with a PIN, and every small file a device may have but a scenario."""
    with Device.init(directory, require_pin=False) as device:
        for name in ("alice", "bob"):
            device.add_user(name)
            grant_all(device, name, of_age=True)
            device.enroll(name, FACES[name][:3])
        pins.set_pin(device, "alice", b"2580")
        record_unlock(directory, device.user_handle("alice"), 0, credential=True)


def _matches(device: Device, name: str, probe: str) -> bool:
    return device.authenticate(name, FACES[probe][5]).match


QUESTIONS: dict[str, Callable[[Device], object]] = {
    "records": lambda device: sorted((r.record_id, r.user) for r in device.records()),
    "log": lambda device: bool(signed_log(device).items),
    "alice as alice": lambda device: _matches(device, "alice", "alice"),
    "bob as alice": lambda device: _matches(device, "alice", "bob"),
    "alice as bob": lambda device: _matches(device, "bob", "alice"),
    "pin": lambda device: len(pins.verify_pin(device, "alice", b"2580")),
    "user add": lambda device: device.add_user("dave"),
}
"""What is asked in this process. The last one writes the store and a file."""


@dataclass(slots=True)
class Report:
    """How the cases ended, by what was damaged and the exit code; and what must not be."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    slowest: float = 0.0
    cases: int = 0


class EndedError(Exception):
    """Not an answer and not an error of the product."""


def _ask(call: Callable[[], object]) -> tuple[object, ExitCode]:
    try:
        return call(), ExitCode.OK
    except BioguardError as error:
        if not error.hint:
            raise EndedError(f"{error.code}: no hint") from error
        return None, error.exit_code


def _asked(directory: Path) -> dict[str, tuple[object, ExitCode]]:
    """Every question, and the exit code of each."""
    found = {"incidents": _ask(lambda: len(incidents(directory)))}
    try:
        with Device.open(directory) as device:
            found |= {question: _ask(lambda ask=ask: ask(device)) for question, ask in QUESTIONS.items()}  # type: ignore[misc]
    except BioguardError as error:
        found["open"] = (None, error.exit_code)
    return found


Ask = Callable[[Path], dict[str, tuple[object, ExitCode]]]
"""Asks a device everything: answer and exit code of each question."""


class Campaign:
    """One device, the directory in which its copies are damaged, and what must come of it.

    Raises:
        RuntimeError: the undamaged device does not answer.
    """

    def __init__(self, root: Path) -> None:
        self._good = root / "good"
        self._directory = root / "played" / "device"
        self._directory.parent.mkdir(mode=0o700)
        self.report = Report()
        make(self._good)
        self._lay_out()
        began_s = time.perf_counter()
        self._right = _asked(self._directory)
        self._healthy_s = time.perf_counter() - began_s
        if any(code is not ExitCode.OK for _, code in self._right.values()):
            raise RuntimeError(f"the undamaged device does not answer: {self._right}")

    def _lay_out(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)
        if self._directory.exists():
            raise RuntimeError("the directory of an earlier case cannot be removed")
        shutil.copytree(self._good, self._directory)
        (self._directory.parent / ELSEWHERE).write_bytes(b"not yours")

    def _put_back(self) -> None:
        """The files as they were, in the directory that was damaged."""
        self._directory.chmod(0o700)
        for path in self._directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        shutil.copytree(self._good, self._directory, dirs_exist_ok=True)

    def play(self, case: list[Damage], ask: Ask = _asked, limit_s: float = math.inf) -> None:
        """Damage, ask, put back, ask again. Raises EndedError for what must not be."""
        self._lay_out()
        for damage in case:
            damage.apply(self._directory)
        elsewhere = self._directory.parent / ELSEWHERE
        before = elsewhere.read_bytes()  # a damage that opens the database may write through a link of the one before
        began_s = time.perf_counter()
        found = ask(self._directory)
        took_s = time.perf_counter() - began_s
        self.report.cases += 1
        self.report.slowest = max(self.report.slowest, took_s / limit_s * SLOWER)
        if took_s > limit_s:
            raise EndedError(f"took {took_s:.1f} s, the undamaged device {limit_s / SLOWER:.2f} s")
        for question, (answer, code) in found.items():
            if code not in DOCUMENTED:
                raise EndedError(f"{question} ended with {code}")
            if code is ExitCode.OK and not _is_right(question, answer, self._right.get(question, (answer,))[0]):
                raise EndedError(f"{question}: {answer}")
        worst = max(code for _, code in found.values())
        self.report.outcomes[case[0].target, worst.name.lower()] += 1
        if elsewhere.read_bytes() != before:
            raise EndedError("a file that only a link pointed to was changed")
        self._put_back()
        try:
            again = _records(self._directory)
        except BioguardError as error:
            raise EndedError(f"with its files put back: {error.code}: {error.message}") from error
        if again != self._right["records"][0]:
            raise EndedError(f"with its files put back it has {again}")

    def in_process(self, cases: int) -> None:
        self._run(cases, _asked, self._healthy_s * SLOWER, shrink=True)

    def cold(self, cases: int) -> None:
        self._lay_out()
        began_s = time.perf_counter()
        _commands(self._directory)
        self._run(cases, _commands, (time.perf_counter() - began_s) * SLOWER, shrink=False)

    def _run(self, cases: int, ask: Ask, limit_s: float, *, shrink: bool) -> None:
        if not cases:
            return
        phases = [Phase.explicit, Phase.generate, *([Phase.shrink] if shrink else [])]

        @settings(
            max_examples=cases, deadline=None, database=None, phases=phases, suppress_health_check=list(HealthCheck),
            print_blob=False,
        )  # fmt: skip
        @given(damages())
        def one(case: list[Damage]) -> None:
            try:
                self.play(case, ask, limit_s)
            except Exception as error:
                last[:] = [f"{[str(d) for d in case]}: {type(error).__name__}: {error}"]
                raise

        last: list[str] = []
        try:
            one()
        except Exception:
            self.report.violations += last


def _records(directory: Path) -> object:
    with Device.open(directory) as device:
        return QUESTIONS["records"](device)


def _is_right(question: str, answer: object, right: object) -> bool:
    """Records may be missing, or without a name, where the names are gone; nothing else may differ."""
    if question != "records" or not isinstance(answer, list) or not isinstance(right, list):
        return question in {"incidents", "log", "user add"} or answer == right
    known = dict(right)
    return all(known.get(record) is not None and user in (known[record], None) for record, user in answer)


def _commands(directory: Path) -> dict[str, tuple[object, ExitCode]]:
    found: dict[str, tuple[object, ExitCode]] = {}
    for words in COLD:
        line = [sys.executable, "-m", "bioguard.cli", "--no-input", "--device", str(directory), *words]
        try:
            done = subprocess.run(
                line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=COLD_WAIT_S
            )
        except subprocess.TimeoutExpired:
            raise EndedError(f"{' '.join(words)} hangs") from None
        if done.returncode not in set(ExitCode) or "Traceback" in done.stderr:
            raise EndedError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-300:]}")
        found[" ".join(words)] = (None, ExitCode(done.returncode))
    return found


def play(root: Path, *, cases: int, cold: int) -> Report:
    """Play cases in this process, then with the command line. Stops at the first violation of each kind."""
    with in_process_devices():
        campaign = Campaign(root)
        campaign.in_process(cases)
    if cold:
        campaign.cold(cold)
    return campaign.report


def _table(report: Report) -> str:
    codes = [c.name.lower() for c in sorted(DOCUMENTED)]
    lines = [f"{'damaged first':26}" + "".join(f"{c:>17}" for c in codes)]
    for target in [*sorted({t for t, _ in report.outcomes}), "all"]:
        cells = [sum(n for (t, o), n in report.outcomes.items() if o == c and target in (t, "all")) for c in codes]
        lines.append(f"{target:26}" + "".join(f"{n:17}" for n in cells))
    lines.append(
        f"{report.cases} cases, {len(report.violations)} violations, slowest {report.slowest:.1f} times the healthy"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.device_files", description=__doc__)
    parser.add_argument("--cases", type=int, default=3000, help="in this process")
    parser.add_argument("--cold", type=int, default=60, help="with the command line, four commands each")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=scratch()) as root:
        report = play(Path(root), cases=options.cases, cold=options.cold)
    rows = [{"damaged": t, "outcome": o, "cases": n} for (t, o), n in sorted(report.outcomes.items())]
    summary = {"cases": report.cases, "slowest": report.slowest, "violations": report.violations, "outcomes": rows}
    sys.stdout.write((json.dumps(summary) if options.json else _table(report)) + "\n")
    for violation in report.violations:
        sys.stderr.write(f"{violation}\n")
    return 3 if report.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
