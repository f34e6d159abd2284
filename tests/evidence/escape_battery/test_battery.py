"""The battery: that it can fail, that the lock stops all but the named residuals, and that its own parts are right."""

import dataclasses
import inspect
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bioguard.evidence import escape_battery
from bioguard.evidence.escape_battery import LEVELS, EgressReport, Outcome
from bioguard.evidence.escape_battery.attempts.visible import BEST_EFFORT
from bioguard.evidence.escape_battery.context import View
from bioguard.evidence.escape_battery.lookups import Lookups
from bioguard.evidence.escape_battery.model import ATTEMPTS, Cell, Shift
from bioguard.evidence.escape_battery.numbers import NUMBERS
from tests.evidence.shared_battery import short_report

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the battery is Linux only"),
    pytest.mark.alone("egress"),
]

GOLDEN = Path(__file__).parents[2] / "golden" / "egress-matrix.txt"
RESIDUALS = {"rss_modulate", "cpu_burn", "exit_code", "crash_bit", "ipc_write_any"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> EgressReport:
    """Every attempt without a lock, with the portable layers, and with the whole lock: one run."""
    return short_report(tmp_path_factory)


def golden() -> dict[str, tuple[dict[str, str], str]]:
    header, *lines = GOLDEN.read_text(encoding="ascii").splitlines()
    levels = header.split()[1:-2]
    assert levels == list(LEVELS)
    rows = {}
    for line in lines:
        words = line.split()
        outcomes = dict(zip(levels, words[2 : 2 + len(levels)], strict=True))
        rows[words[1]] = (outcomes, " ".join(words[2 + len(levels) :]))
    return rows


def made(name: str, report: EgressReport) -> bool:
    """Not made: packets for another host without a network of its own, and what the start leaves nothing to see of."""
    return name not in report.proving_nothing()


def test_there_are_more_attempts_than_the_reference_had():
    assert len(ATTEMPTS) >= 163
    assert {a.group for a in ATTEMPTS.values()} == set("ABCDEFGHIJ")


def logged_since(fd: int) -> tuple[list[int], bool]:
    """Numbers of the fatal calls of the battery's user, and whether the kernel says that it left lines out."""
    calls, left_out = [], False
    while True:
        try:
            text = os.read(fd, 8192).decode("utf-8", "replace")
        except BlockingIOError:
            return calls, left_out
        except BrokenPipeError:  # the ring went round: what is read next is later
            left_out = True
            continue
        left_out |= re.search("audit.*callbacks suppressed", text) is not None
        found = re.search(r"type=1326 .* uid=61234 .* sig=31 .* syscall=(\d+)", text)
        if found:
            calls.append(int(found[1]))


def test_the_kernel_log_names_the_same_call():
    """The page that names the fatal call is ours; the kernel's own record must agree, call for call.

    The kernel leaves lines out while others are killed too, and says so when its interval is over: then once more. So
    this comes before the battery, which has hundreds of processes killed.
    """
    if os.geteuid() != 0:
        pytest.skip("only root may read the kernel log")
    try:
        fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        interval_s = int(Path("/proc/sys/kernel/printk_ratelimit").read_text("ascii"))
    except OSError:
        pytest.skip("this host has no readable kernel log")
    os.lseek(fd, 0, os.SEEK_END)
    names = ("tcp4_lo", "mount_tmpfs", "memfd_secret", "tmp_world", "plain_fork")
    column = 0 if os.uname().machine == "x86_64" else 1
    any_logged, any_left_out = False, False
    try:
        for _ in range(4):
            done = escape_battery.run(("S",), names=names)
            time.sleep(0.1)
            logged, left_out = logged_since(fd)
            any_logged, any_left_out = any_logged or bool(logged), any_left_out or left_out
            stopped = [NUMBERS[done.cells[name]["S"].stopped_by][column] for name in names]
            if logged == stopped:
                return
            left = iter(stopped)
            assert all(number in left for number in logged), (logged, stopped)
            time.sleep(interval_s + 0.5)
    finally:
        os.close(fd)
    assert any_left_out or not any_logged, "the kernel left no line out, and names other calls than the page"
    pytest.skip("the kernel does not log filter kills, or left lines of each of four runs out and said so")


def test_it_can_fail(report):
    """Without a lock most attempts get out: the reference saw 118 of 163."""
    assert report.count("0", Outcome.ESCAPED) >= 100
    assert report.count("0", Outcome.CAPABILITY) >= 20


def test_nothing_escapes_the_lock_but_the_residuals(report):
    level = "ALL" if "ALL" not in report.unavailable else "HS"
    assert report.unexpected(level) == ()
    assert set(report.escaped(level)) <= RESIDUALS
    assert {n for n, a in ATTEMPTS.items() if a.residual} == RESIDUALS


def test_hygiene_and_filter_alone_do_it_too(report):
    """The level of a host without user namespaces and without Landlock."""
    assert report.unexpected("HS") == ()


@pytest.mark.parametrize("level", ["TA", "SN"])
def test_the_process_of_an_application_or_a_sensor_lets_out_less(report, level):
    """Its exit status ends at the core, which says one of six words, and its reply is a message to the core."""
    if level in report.unavailable:
        pytest.skip("this host refuses a layer")
    assert report.unexpected(level) == ()
    assert set(report.escaped(level)) <= {"rss_modulate", "cpu_burn", "crash_bit"}
    assert {"rss_modulate", "crash_bit"} <= set(report.escaped(level)), "so its process is the one that is looked at"


def test_the_residuals_are_seen_so_the_witnesses_work(report):
    assert {"exit_code", "crash_bit", "ipc_write_any", "rss_modulate"} <= set(report.escaped("HS"))


def test_the_whole_lock_kills_rather_than_refuses(report):
    levels = [level for level in ("ALL", "TA", "SN") if level not in report.unavailable] or ["HS"]
    silent = {"argv_rewrite", "environ_rewrite", "mem_readable_outside"}
    for name, row in report.cells.items():
        if name not in RESIDUALS | silent and made(name, report):
            assert {row[level].outcome for level in levels} == {Outcome.KILLED}, name


def test_matrix_is_the_golden_one(report):
    """Locked cells must match exactly; without a lock the host decides what is possible."""
    expected = golden()
    assert set(expected) == set(ATTEMPTS)
    for name, row in report.cells.items():
        outcomes, note = expected[name]
        for level in ("HS", "ALL", "TA", "SN"):
            if level not in report.unavailable and name not in RESIDUALS and made(name, report):
                assert row[level].outcome.value == outcomes[level], (name, level)
        exact = "ALL" not in report.unavailable and made(name, report) and os.uname().machine == "x86_64"
        if exact and not ATTEMPTS[name].residual:
            assert row["ALL"].stopped_by == row["TA"].stopped_by == row["SN"].stopped_by == note, name


def test_packets_at_the_observer(report):
    """Counted in another network namespace, in the same run: none with the lock, some in the positive control."""
    if report.observed_packets is None:
        pytest.skip("this host gives an unprivileged test no network namespace to observe in")
    control, locked = report.observed_packets
    assert locked == 0
    assert control > 10


def test_it_leaves_nothing_behind(report):
    assert not [
        *Path("/tmp").glob("*/sockets"),
        *Path("/tmp").glob("*/fifo"),
    ]  # its folder has a name that says nothing
    assert not list(Path("/dev/shm").glob("m????????"))


def test_numbers_agree_with_an_independent_package():
    tables = pytest.importorskip("seccompy.syscalls", reason="the test extra brings seccompy")
    for name, (x86_64, aarch64) in NUMBERS.items():
        assert tables.X86_64_SYSCALLS[name] == x86_64
        assert tables.AARCH64_SYSCALLS.get(name, -1) == aarch64


def test_report_attributes_layers_and_excludes_what_proves_nothing():
    cells = {
        "udp4_lo": {"0": Cell(Outcome.ESCAPED), "L": Cell(Outcome.ESCAPED), "S": Cell(Outcome.KILLED, "socket")},
        "icmp_raw": {"0": Cell(Outcome.REFUSED, "socket:EPERM"), "L": Cell(Outcome.REFUSED, "socket:EPERM")},
        "exit_code": {"0": Cell(Outcome.ESCAPED), "S": Cell(Outcome.ESCAPED)},
    }
    report = EgressReport(levels=("0", "L", "S"), cells=cells, unavailable={}, observed_packets=None, seconds=1.0)
    assert report.exercisable("udp4_lo")
    assert not report.exercisable("icmp_raw")
    assert report.first_layer("udp4_lo") == ("S",)
    assert report.escaped("S") == ("exit_code",)
    assert report.unexpected("S") == ()
    assert report.unexpected("L") == ("udp4_lo",)
    record = report.to_record()
    assert record["attempts"][0]["stopped_by_layers"] == ["S"]
    assert escape_battery.matrix(report).splitlines()[1] == "A icmp_raw               b   b   ?"


PLAIN_HOST = """
import json, sys
sys.path.insert(0, {folder!r})
import child
child.outer_filter({{"unshare": 1, "mount": 1}})
from bioguard.evidence import escape_battery as egress
names = ["tcp4_lo", "udp4_lo", "udp4_other_host", "dns_getaddrinfo", "tmp_world", "sysv_shm", "unix_path_stream",
         "signal_victim", "exit_code", "stdout_write"]
print(json.dumps(egress.run(("0", "N", "HS", "ALL"), names=names).to_record()))
"""


def test_a_host_without_namespaces():
    """A default container: no namespace set, no packet for another host, and still nothing gets out."""
    folder = str(Path(__file__).parents[2] / "lockdown")
    script = PLAIN_HOST.format(folder=folder)
    done = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, check=False, timeout=120)
    record = json.loads(done.stdout)
    assert record["unavailable"] == {"N": "errno 1"}
    assert record["observed_packets"] is None
    rows = {a["name"]: a["cells"] for a in record["attempts"]}
    for name in ("udp4_other_host", "dns_getaddrinfo"):
        assert rows[name]["0"] == ["-", "not made: no network of our own"]
    assert rows["udp4_lo"]["0"][0] == rows["tmp_world"]["0"][0] == rows["sysv_shm"]["0"][0] == "E"
    assert {name for name, row in rows.items() if row["ALL"][0] not in "Kn-"} == {"exit_code"}
    assert {name for name, row in rows.items() if row["HS"][0] not in "Kn-"} == {"exit_code"}


STATES = {
    "nice_value": (0, 7, 18), "setpriority_victim": (0, 18), "io_priority": (0, BEST_EFFORT | 4, 0x6003),
    "sched_policy": (0, 1, 3), "oom_score_adj": (-1000, 0, 999), "rlimit_self": (None, 123, (1 << 64) - 1),
    "signal_mask": (0, 0x7FFBFEFF ^ 1), "timer_slack": (1, 50_000), "umask_visible": (0, 0o123, 0o321, 0o777),
    "pipe_size": (4096, 8192, 65536), "fcntl_shared_flags": (1, 0o4001), "chmod_outside": (0o600, 0o611, 0o622),
    "affinity": (-1, 0), "affinity_victim": (-1, 1), "prlimit_victim": (0, 64, 1024), "store_append": (0, 4096),
    "fd_number_probe": (12, 200), "close_fds_visible": (1,), "rss_modulate": (90_000,), "cpu_burn": (0, 900),
    "thread_count_visible": (1, 4), "mlock_visible": (0, 64, 4), "atime_outside": (0, 1_900_000_000),
}  # fmt: skip
"""Values before an attempt, the absolute ones that the witnesses once waited for among them."""
NOTHING_TO_SEE = {
    "nice_value": 19, "setpriority_victim": 19, "sched_policy": 5, "oom_score_adj": 1000, "signal_mask": 0x7FFFFFFF,
    "close_fds_visible": 0, "fd_number_probe": 255, "posix_lock_procfs": 1,
}  # fmt: skip


def view(**state: object) -> View:
    """A witness' place with two processors and ordinary limits."""
    environment = SimpleNamespace(number=Lookups.number, cpus=(0, 1), hard_files=4096, hard_rss=(1 << 64) - 1)
    vars(environment).update(state)
    return View(b"a1b2c3d4e5f6a1b2c3d4e5f6", environment, 0, Path(), Path())


@pytest.mark.parametrize(("name", "before"), [(name, value) for name, values in STATES.items() for value in values])
def test_what_was_there_before_is_no_escape(name: str, before: int | None) -> None:
    watched = ATTEMPTS[name].check
    assert isinstance(watched, Shift)
    place = view()
    place.aim = watched.aim(place, before)
    assert place.aim is not None
    assert not dataclasses.replace(watched, read=lambda v: before)(place)
    assert dataclasses.replace(watched, read=lambda v: place.aim)(place)


@pytest.mark.parametrize(("name", "before"), NOTHING_TO_SEE.items())
def test_a_start_that_hides_an_attempt_is_said(name: str, before: int) -> None:
    watched = ATTEMPTS[name].check
    assert isinstance(watched, Shift)
    assert watched.aim(view(), before) is None


def test_the_only_processor_hides_a_choice_of_one() -> None:
    for name in ("affinity", "affinity_victim"):
        watched = ATTEMPTS[name].check
        assert isinstance(watched, Shift)
        assert watched.aim(view(cpus=(3,)), 3) is None


def test_no_witness_compares_a_state_with_a_number_of_its_own() -> None:
    """Each looks for its fresh token, or is a Shift; how it ended and its own directory are made by the cell."""
    token = {name for name, a in ATTEMPTS.items() if a.check is not None and not isinstance(a.check, Shift)}
    words = ("token", "seen", "files", "printed", "victim_", "text_in", "in_files", "received_descriptor", "has_core")
    odd = {
        name for name in token
        if not any(word in inspect.getsource(inspect.unwrap(ATTEMPTS[name].check)) for word in words)
    }  # fmt: skip
    assert odd == {"exit_code", "cwd_visible", "crash_bit"}


def test_what_proves_nothing_is_never_counted_as_stopped() -> None:
    unseen = Cell(Outcome.PROVES_NOTHING, "not made: no value to be told from 19")
    cells = {"nice_value": {"0": unseen, "L": unseen, "S": unseen}}
    report = EgressReport(levels=("0", "L", "S"), cells=cells, unavailable={}, observed_packets=None, seconds=1.0)
    assert not report.exercisable("nice_value")
    assert report.first_layer("nice_value") == ()
    assert report.proving_nothing() == {"nice_value": "not made: no value to be told from 19"}
    assert report.to_record()["attempts"][0]["proves_nothing_at"] == ["0", "L", "S"]
    assert escape_battery.matrix(report).splitlines()[1] == "H nice_value             -   -   -   " + unseen.stopped_by


def test_unknown_names_are_refused():
    with pytest.raises(KeyError):
        escape_battery.run(("0", "Z"))
    with pytest.raises(KeyError):
        escape_battery.run(("0",), names=("no_such_attempt",))
