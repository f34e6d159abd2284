"""`python -m tests.campaigns.honest_starts [--runs N] [--only START] [--out FILE] [--no-audit] [--list]`.

The honest product, started in every way that its owner may start it: nice, on one processor, in another scheduling
class, with low limits, an odd mode mask, in a container. From each start the escape battery runs N times and the whole
audit once; none may report an escape or a failed check. Results are JSON lines; what FILE has is not run again.
Exit 3 on a false alarm.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

BIOGUARD = (sys.executable, "-m", "bioguard.cli")
CPUSET = Path("/sys/fs/cgroup/cpuset")
GROUP = CPUSET / f"bioguard-start-{os.getpid()}"
FIRST_CPU = str(min(os.sched_getaffinity(0)))
LIMIT_S = 1200
LOW_LIMITS = ("--nofile=64", "--nproc=200", "--fsize=8388608", "--core=0", "--memlock=65536", "--rss=123")
IGNORED = "CHLD HUP PIPE SYS TERM USR1"


def _shell(words: str) -> tuple[str, ...]:
    return ("sh", "-c", f'{words}; exec "$@"', "sh")


STARTS: Mapping[str, tuple[str, ...]] = {
    "plain": (),
    "nice": ("nice", "-n", "5"),
    "nicest": ("nice", "-n", "19"),
    "one-processor": ("taskset", "-c", FIRST_CPU),
    "cpuset": _shell(f"echo $$ > {GROUP}/tasks"),
    "batch": ("chrt", "--batch", "0"),
    "idle": ("chrt", "--idle", "0"),
    "first-in-first-out": ("chrt", "--fifo", "1"),
    "io-best-effort": ("ionice", "-c", "2", "-n", "3"),
    "io-idle": ("ionice", "-c", "3"),
    "low-limits": ("prlimit", *LOW_LIMITS),
    "open-mask": _shell("umask 0"),
    "own-mask": _shell("umask 077"),
    "no-mode-at-all": _shell("umask 0777"),
    "container": ("unshare", "--user", "--map-root-user", "--mount"),
    "no-capability": ("setpriv", "--bounding-set=-all", "--inh-caps=-all"),
    "first-to-go": ("choom", "-n", "1000", "--"),
    "deaf": _shell(f"trap '' {IGNORED}"),
    "same-addresses": ("setarch", "-R"),
    "no-input": _shell("exec <&-"),
}
"""How the command is started: words before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run from one start.

    Attributes:
        kind: `battery` or `audit`.
        alarms: escapes, failed checks, or how it ended before there was an answer.
        nothing: attempts that prove nothing from this start; checks that are UNKNOWN.
    """

    start: str
    kind: str
    number: int
    exit_code: int
    alarms: tuple[str, ...]
    nothing: tuple[str, ...]


@contextlib.contextmanager
def _one_processor_group() -> Iterator[bool]:
    """A cpuset of one processor, where this host lets us make one."""
    try:
        GROUP.mkdir()
        (GROUP / "cpuset.cpus").write_text(FIRST_CPU)
        (GROUP / "cpuset.mems").write_text("0")
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        GROUP.rmdir()


def possible(start: str) -> bool:
    """Whether this host can start a command so."""
    with _one_processor_group() if start == "cpuset" else contextlib.nullcontext():
        try:
            done = subprocess.run([*STARTS[start], "true"], capture_output=True, check=False, timeout=60)
        except OSError:
            return False
    return done.returncode == 0


def started(start: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    with _one_processor_group() if start == "cpuset" else contextlib.nullcontext():
        return subprocess.run([*STARTS[start], *command], capture_output=True, check=False, text=True, timeout=LIMIT_S)


def _bioguard(start: str, *words: str) -> subprocess.CompletedProcess[str]:
    return started(start, *BIOGUARD, *words)


def _ended(done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    last = done.stderr.strip().splitlines()[-1:] or ["nothing said"]
    return (f"no answer, status {done.returncode}: {last[0]}",)


def battery(start: str, number: int) -> Run:
    """The escape battery, once."""
    done = _bioguard(start, "audit", "egress", "--json")
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return Run(
            start=start, kind="battery", number=number, exit_code=done.returncode, alarms=_ended(done), nothing=()
        )
    attempts = answer["attempts"]
    alarms = [
        f"{a['name']} got out at {level}"
        for a in attempts
        for level, (outcome, _) in a["cells"].items()
        if level in ("HS", "ALL", "TA") and outcome in "EC" and not a["residual"]
    ]
    alarms += [] if answer["outcome"] == "contained" and done.returncode == 0 else [answer["outcome"]]
    nothing = tuple(a["name"] for a in attempts if a["proves_nothing_at"])
    return Run(
        start=start, kind="battery", number=number, exit_code=done.returncode, alarms=tuple(alarms), nothing=nothing
    )


def audit(start: str) -> Run:
    """The whole audit, once: not the quick one, which leaves trials out."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "evidence"
        done = _bioguard(start, "audit", "run", "--out", str(out))
        try:
            checks = json.loads((out / "report.json").read_text("utf-8"))["checks"]
        except (OSError, ValueError):
            return Run(start=start, kind="audit", number=0, exit_code=done.returncode, alarms=_ended(done), nothing=())
    by_status = {word: tuple(c["id"] for c in checks if c["status"] == word) for word in ("FAIL", "UNKNOWN")}
    return Run(
        start=start, kind="audit", number=0, exit_code=done.returncode, alarms=by_status["FAIL"],
        nothing=by_status["UNKNOWN"],
    )  # fmt: skip


def _played(out: Path) -> list[Run]:
    return [Run(**json.loads(line)) for line in out.read_text("utf-8").splitlines()] if out.exists() else []


def play(starts: Sequence[str], runs: int, out: Path, *, audits: bool) -> list[Run]:
    """Every run that `out` does not have yet; returns all."""
    known = {(run.start, run.kind, run.number) for run in _played(out)}
    for start in starts:
        wanted = [("battery", number) for number in range(runs)] + [("audit", 0)] * audits
        for kind, number in wanted:
            if (start, kind, number) in known:
                continue
            run = battery(start, number) if kind == "battery" else audit(start)
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(run)) + "\n")
    return _played(out)


def table(runs: Sequence[Run]) -> str:
    """A line for each start."""
    lines = [f"{'start':20}{'battery':>9}{'alarms':>8}{'audit':>7}{'alarms':>8}  proves nothing"]
    for start in STARTS:
        mine = [run for run in runs if run.start == start]
        kinds = {kind: [run for run in mine if run.kind == kind] for kind in ("battery", "audit")}
        columns = "".join(
            f"{len(found):{width}}{sum(bool(run.alarms) for run in found):8}"
            for found, width in ((kinds["battery"], 9), (kinds["audit"], 7))
        )
        if mine:
            nothing = sorted({name for run in mine for name in run.nothing})
            lines.append(f"{start:20}{columns}  {', '.join(nothing)}".rstrip())
    alarms = [f"{run.start} {run.kind} {run.number}: {', '.join(run.alarms)}" for run in runs if run.alarms]
    return "\n".join([*lines, *alarms])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.honest_starts", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="of the battery, from each start")
    parser.add_argument("--only", choices=tuple(STARTS), action="append")
    parser.add_argument("--out", type=Path, default=Path("honest-starts.jsonl"))
    parser.add_argument("--no-audit", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(arguments)
    if options.list:
        sys.stdout.write("".join(f"{name:20}{' '.join(words)}\n" for name, words in STARTS.items()))
        return 0
    wanted = options.only or list(STARTS)
    starts = [start for start in wanted if possible(start)]
    runs = play(starts, options.runs, options.out, audits=not options.no_audit)
    sys.stdout.write(table(runs) + "\n")
    for start in wanted:
        if start not in starts:
            sys.stdout.write(f"{start}: this host cannot start a command so\n")
    return 3 if any(run.alarms for run in runs if run.start in wanted) else 0


if __name__ == "__main__":
    sys.exit(main())
