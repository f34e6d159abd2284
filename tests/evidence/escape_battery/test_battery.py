"""The battery: that it can fail, that the lock stops all but the named residuals, and that its own parts are right."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bioguard.evidence import escape_battery
from bioguard.evidence.escape_battery import LEVELS, EgressReport, Outcome
from bioguard.evidence.escape_battery.model import ATTEMPTS, Cell
from bioguard.evidence.escape_battery.numbers import NUMBERS

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the battery is Linux only"),
    pytest.mark.alone("egress"),
]

GOLDEN = Path(__file__).parents[2] / "golden" / "egress-matrix.txt"
RESIDUALS = {"rss_modulate", "cpu_burn", "exit_code", "crash_bit", "ipc_write_any"}


@pytest.fixture(scope="module")
def report() -> EgressReport:
    """Every attempt without a lock, with the portable layers, and with the whole lock: one run."""
    done = []
    result = escape_battery.run(escape_battery.SHORT_LEVELS, progress=lambda n, of: done.append((n, of)))
    if not result.unavailable:
        assert done[-1] == (len(ATTEMPTS) * 4, len(ATTEMPTS) * 4)
    return result


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
    """Packets for another host are only made where the battery has a network of its own."""
    return report.observed_packets is not None or not ATTEMPTS[name].observer


def test_there_are_more_attempts_than_the_reference_had():
    assert len(ATTEMPTS) >= 163
    assert {a.group for a in ATTEMPTS.values()} == set("ABCDEFGHIJ")


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


def test_the_process_of_an_application_lets_out_less(report):
    """Its exit status ends at the core, which says one of five words, and its reply is a message to the core."""
    if "TA" in report.unavailable:
        pytest.skip("this host refuses a layer")
    assert report.unexpected("TA") == ()
    assert set(report.escaped("TA")) <= {"rss_modulate", "cpu_burn", "crash_bit"}
    assert {"rss_modulate", "crash_bit"} <= set(report.escaped("TA")), "so its process is the one that is looked at"


def test_the_residuals_are_seen_so_the_witnesses_work(report):
    assert {"exit_code", "crash_bit", "ipc_write_any", "rss_modulate"} <= set(report.escaped("HS"))


def test_the_whole_lock_kills_rather_than_refuses(report):
    levels = [level for level in ("ALL", "TA") if level not in report.unavailable] or ["HS"]
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
        for level in ("HS", "ALL", "TA"):
            if level not in report.unavailable and name not in RESIDUALS and made(name, report):
                assert row[level].outcome.value == outcomes[level], (name, level)
        exact = "ALL" not in report.unavailable and made(name, report) and os.uname().machine == "x86_64"
        if exact and not ATTEMPTS[name].residual:
            assert row["ALL"].stopped_by == row["TA"].stopped_by == note, name


def test_packets_at_the_observer(report):
    """Counted in another network namespace, in the same run: none with the lock, some in the positive control."""
    if report.observed_packets is None:
        pytest.skip("this host gives an unprivileged test no network namespace to observe in")
    control, locked = report.observed_packets
    assert locked == 0
    assert control > 10


def test_the_kernel_log_names_the_same_call():
    """The page that names the fatal call is ours; the kernel's own record must agree."""
    if os.geteuid() != 0:
        pytest.skip("only root may read the kernel log")
    try:
        fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        pytest.skip("this host has no readable kernel log")
    os.lseek(fd, 0, os.SEEK_END)
    names = ("tcp4_lo", "mount_tmpfs", "memfd_secret", "tmp_world", "plain_fork")
    done = escape_battery.run(("S",), names=names)
    time.sleep(0.1)
    logged = []
    while True:
        try:
            text = os.read(fd, 8192).decode("utf-8", "replace")
        except BlockingIOError:
            break
        found = re.search(r"type=1326 .* uid=61234 .* sig=31 .* syscall=(\d+)", text)
        if found:
            logged.append(int(found[1]))
    os.close(fd)
    if not logged:
        pytest.skip("nothing in the kernel log: it does not log filter kills, or its rate limit was reached")
    column = 0 if os.uname().machine == "x86_64" else 1
    assert logged == [NUMBERS[done.cells[name]["S"].stopped_by][column] for name in names]


def test_it_leaves_nothing_behind(report):
    assert not list(Path("/tmp").glob("bioguard-lab-*"))
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
        assert rows[name]["0"] == ["n", "not made: no network of our own"]
    assert rows["udp4_lo"]["0"][0] == rows["tmp_world"]["0"][0] == rows["sysv_shm"]["0"][0] == "E"
    assert {name for name, row in rows.items() if row["ALL"][0] not in "Kn"} == {"exit_code"}
    assert {name for name, row in rows.items() if row["HS"][0] not in "Kn"} == {"exit_code"}


def test_unknown_names_are_refused():
    with pytest.raises(KeyError):
        escape_battery.run(("0", "Z"))
    with pytest.raises(KeyError):
        escape_battery.run(("0",), names=("no_such_attempt",))
