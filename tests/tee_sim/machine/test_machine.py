"""A machine of one's own: its life, what ends it, and what it refuses."""

import errno
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from counter.commands import ADD, COUNTER_UUID, READ, Add, Nothing

from bioguard.device import Device
from bioguard.device.directory import destroy
from bioguard.errors import BioguardError
from tee_sim.normal.client import Session
from tee_sim.normal.machine import directory
from tee_sim.normal.machine.applications import Application
from tee_sim.normal.machine.directory import current_boot
from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.machine.file_lock import FileLock
from tee_sim.normal.machine.machine import Machine
from tee_sim.normal.machine.options import MachineOptions
from tee_sim.normal.sandbox_verdict.verdict import Level
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.wire import LockProfile
from tee_sim.testing.faults.machine_faults import MachineFaults

COUNTER = Application.read(Path(__file__).parents[3] / "docs/examples/counter")
NOTES: list[str] = []
OPTIONS = MachineOptions(note=NOTES.append)


def image(directory: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(directory.iterdir()) if p.is_file() and p.name != "lock"}


def opened(machine: Machine) -> Session:
    return machine.context.open_session(COUNTER_UUID)


@pytest.fixture
def faults() -> MachineFaults:
    return MachineFaults()


@pytest.fixture
def machine(tmp_path: Path, faults: MachineFaults) -> Iterator[Machine]:
    NOTES.clear()
    with Machine.open(tmp_path / "m", [COUNTER], replace(OPTIONS, faults=faults)) as made:
        yield made


def test_what_is_stored_outlives_restart_power_cut_and_close(machine: Machine) -> None:
    boots = [current_boot(machine.path)]
    assert opened(machine).call(ADD, Add(step=3)).value == 3
    machine.restart()
    boots.append(current_boot(machine.path))
    assert opened(machine).call(ADD, Add(step=3)).value == 6
    machine.power_cut()
    boots.append(current_boot(machine.path))
    assert opened(machine).call(READ, Nothing()).value == 6
    machine.close()
    with Machine.open(machine.path, [COUNTER], create=False) as again:
        assert opened(again).call(READ, Nothing()).value == 6
        assert current_boot(machine.path) == boots[-1], "closing is not a reboot"
    assert len(set(boots)) == 3
    assert machine.path.stat().st_mode & 0o777 == 0o700


def test_a_death_is_met_once_and_the_next_call_starts_again_and_says_so(machine: Machine) -> None:
    session = opened(machine)
    boot = current_boot(machine.path)
    process = machine.running.process
    os.kill(process.pid, signal.SIGKILL)  # type: ignore[attr-defined]  # a SecureProcess
    deadline = time.monotonic() + 10
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(MachineError) as caught:
        session.call(ADD, Add(step=1))
    assert (caught.value.code, caught.value.result, caught.value.origin) == (
        "machine.session",
        TeeResult.TARGET_DEAD,
        Origin.COMMS,
    )
    assert NOTES == ["the secure world was started again: killed by signal 9"]
    assert current_boot(machine.path) == boot, "a death is no reboot"
    assert opened(machine).call(ADD, Add(step=1)).value == 1


def test_a_session_of_before_is_never_the_one_of_after(machine: Machine) -> None:
    before = opened(machine)
    before.call(ADD, Add(step=1))
    machine.restart()
    after = opened(machine)
    with pytest.raises(MachineError, match=r"^the secure world was started again since this session was opened"):
        before.call(ADD, Add(step=1))
    assert after.call(READ, Nothing()).calls == 1, "nothing of the other reached it"
    with pytest.raises(MachineError):
        before.close()
    with pytest.raises(TeeError, match=r"^no such session \(BAD_PARAMETERS, origin API\)$"):
        before.close()


@pytest.mark.parametrize(("action", "left"), [("die-before", 5), ("die-after", 6)])
def test_a_plan_cuts_the_power_in_a_write(machine: Machine, faults: MachineFaults, action: str, left: int) -> None:
    opened(machine).call(ADD, Add(step=5))
    boot = current_boot(machine.path)
    faults.set(f"commit@1: {action}")
    session = opened(machine)
    with pytest.raises(MachineError) as caught:
        session.call(ADD, Add(step=1))
    assert caught.value.code == "machine.power"
    assert caught.value.message == "the power was cut at commit 1, by the fault plan"
    assert opened(machine).call(READ, Nothing()).value == left
    assert NOTES == ["the secure world was started again: the power was cut at commit 1, by the fault plan"]
    assert current_boot(machine.path) != boot


def test_the_power_can_go_while_the_machine_boots(machine: Machine, faults: MachineFaults) -> None:
    opened(machine).call(ADD, Add(step=5))
    faults.set("commit@1: die-before")
    with pytest.raises(MachineError, match=r"^the power was cut at commit 1, by the fault plan"):
        machine.restart()
    assert opened(machine).call(READ, Nothing()).value == 5


def test_a_wrong_plan_changes_nothing(machine: Machine, faults: MachineFaults) -> None:
    faults.set("commit: enospc")
    with pytest.raises(TeeError, match="no such action here"):
        faults.set("commit: explode")
    with pytest.raises(TeeError, match="STORAGE_NO_SPACE"):
        opened(machine).call(ADD, Add(step=1))
    faults.set("")
    assert opened(machine).call(ADD, Add(step=1)).value == 1


def test_one_process_a_machine(machine: Machine) -> None:
    with pytest.raises(MachineError) as caught:
        Machine.open(machine.path, [COUNTER])
    assert (caught.value.code, caught.value.hint) == ("machine.in_use", "wait for it to end")
    machine.close()
    with pytest.raises(MachineError, match=r"^the machine was closed"):
        opened(machine)
    Machine.open(machine.path, [COUNTER]).close()


def test_a_machine_is_no_device_and_a_device_no_machine(tmp_path: Path) -> None:
    Machine.open(tmp_path / "m", [COUNTER]).close()
    Device.init(tmp_path / "d").close()
    before = image(tmp_path / "m"), image(tmp_path / "d")
    with pytest.raises(MachineError) as caught:
        Machine.open(tmp_path / "d", [COUNTER])
    assert caught.value.code == "machine.foreign"
    assert caught.value.message == f"{tmp_path / 'd'} is no machine of tee-sim: its fuses are bioguard-fuses"
    for use in (Device.open, Device.init, destroy):
        with pytest.raises(BioguardError) as refused:
            use(tmp_path / "m")
        assert refused.value.code == "device.foreign"
        assert refused.value.hint.startswith("choose another --device directory; a machine of tee-sim is given as")
    assert (image(tmp_path / "m"), image(tmp_path / "d")) == before


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda fuses: fuses.chmod(0o644), "machine.fuse_mode"),
        (lambda fuses: fuses.write_bytes(fuses.read_bytes()[:-9]), "machine.fuse_damaged"),
        (lambda fuses: fuses.write_bytes(fuses.read_bytes().replace(b"fuses 1", b"fuses 9")), "machine.version"),
        (lambda fuses: fuses.parent.chmod(0o777), "machine.file"),
        (lambda fuses: fuses.rename(fuses.parent / "elsewhere"), "machine.exists"),
    ],
)
def test_fuses_that_are_not_as_they_were_left(tmp_path: Path, spoil: object, code: str) -> None:
    Machine.open(tmp_path / "m", [COUNTER]).close()
    spoil(tmp_path / "m" / "fuses.simulated")  # type: ignore[operator]
    before = image(tmp_path / "m")
    with pytest.raises(MachineError) as caught:
        Machine.open(tmp_path / "m", [COUNTER])
    assert caught.value.code == code
    assert caught.value.hint
    assert image(tmp_path / "m") == before


def test_what_a_making_left_that_was_killed_is_made_anew(tmp_path: Path) -> None:
    Machine.open(tmp_path / "m", [COUNTER]).close()
    (tmp_path / "m" / "fuses.simulated").rename(tmp_path / "m" / "fuses.simulated.new")
    (tmp_path / "m" / "storage.db").write_bytes(b"half")
    with Machine.open(tmp_path / "m", [COUNTER]) as machine:
        assert opened(machine).call(READ, Nothing()).value == 0
    assert not (tmp_path / "m" / "fuses.simulated.new").exists()


def test_a_machine_that_was_finished_meanwhile_is_not_made_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = vars(directory)["hold"]

    def later(path: Path) -> FileLock:
        monkeypatch.undo()
        (path / "fuses.simulated.new").unlink()
        Machine.open(path, [COUNTER]).close()
        lock: FileLock = hold(path)
        return lock

    (tmp_path / "m").mkdir(mode=0o700)
    (tmp_path / "m" / "fuses.simulated.new").write_text("half")
    monkeypatch.setattr(directory, "hold", later)
    with pytest.raises(MachineError, match=r"has a file called fuses\.simulated already"):
        Machine.open(tmp_path / "m", [COUNTER])
    Machine.open(tmp_path / "m", [COUNTER], create=False).close()


def test_a_machine_that_cannot_start_is_not_made(tmp_path: Path) -> None:
    broken = replace(COUNTER, manifest=replace(COUNTER.manifest, preload=()))
    with pytest.raises(TeeError, match="which no manifest names under preload"):
        Machine.open(tmp_path / "m", [broken])
    assert not (tmp_path / "m").exists()
    (tmp_path / "kept").mkdir(mode=0o700)
    (tmp_path / "kept" / "mine").write_text("mine")
    with pytest.raises(TeeError):
        Machine.open(tmp_path / "kept", [broken])
    assert image(tmp_path / "kept") == {"mine": b"mine"}
    with pytest.raises(MachineError) as caught:
        Machine.open(tmp_path / "m", [COUNTER], create=False)
    assert caught.value.code == "machine.missing"


def test_a_lock_below_the_required_level_is_refused(tmp_path: Path) -> None:
    debug = MachineOptions(profile=LockProfile.PERMISSIVE_DEBUG)
    with pytest.raises(MachineError) as caught:
        Machine.open(tmp_path / "m", [COUNTER], debug)
    assert caught.value.code == "machine.level"
    assert "is PARTIAL, below ENFORCED" in caught.value.message
    with Machine.open(tmp_path / "m", [COUNTER], replace(debug, level=Level.PARTIAL)) as machine:
        assert machine.status()["sandbox_level"] == "PARTIAL"


def test_clock_and_seed_are_chosen_when_it_is_made(tmp_path: Path) -> None:
    made = MachineOptions(stepped_wall_ms=1_800_000_000_000, seed=bytes(32))
    with Machine.open(tmp_path / "m", [COUNTER], made) as machine:
        assert machine.context.time().wall_ms == 1_800_000_000_000
        machine.context.advance_clock(1000)
    with Machine.open(tmp_path / "m", [COUNTER]) as machine:
        assert machine.context.time().wall_ms == 1_800_000_001_000
        assert machine.status()["clock"] == "stepped"
    with pytest.raises(MachineError) as caught:
        Machine.open(tmp_path / "m", [COUNTER], replace(made, seed=bytes(31) + b"1"))
    assert caught.value.code == "machine.options"


@pytest.mark.parametrize(
    ("how", "named"),
    [({"warmup": "counter"}, "counter"), ({"preload": ("tee_sim", "counter.native")}, "counter.native")],
)
def test_code_of_an_application_that_runs_before_the_lock_holds_the_level_down(
    tmp_path: Path, how: dict[str, object], named: str
) -> None:
    """It runs in the process that becomes the core: it could give itself another's store."""
    early = replace(COUNTER, manifest=replace(COUNTER.manifest, **how))
    with pytest.raises(MachineError) as caught, Machine.open(tmp_path / "m", [early], OPTIONS):
        pass
    assert caught.value.code == "machine.level"
    assert f"is PARTIAL, below ENFORCED ({named} of counter ran before the lock, in the core)" in str(caught.value)
    with Machine.open(tmp_path / "m", [early], replace(OPTIONS, level=Level.PARTIAL)) as machine:
        assert opened(machine).call(READ, Nothing()).value == 0


def full_disk(patch: pytest.MonkeyPatch, *, blocks: int) -> None:
    """From now on nothing new can be written, but for what fits where a boot's name was."""
    write = directory.write_new

    def write_new(at: int, name: str, content: bytes) -> None:
        if directory.BOOT_FILE in os.listdir(at) or not blocks:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(at, name, content)

    patch.setattr(directory, "write_new", write_new)


def test_a_machine_on_a_full_disk_starts_in_a_boot_of_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(machine) as session:
        session.call(ADD, Add(step=3))
    before = current_boot(machine.path)
    full_disk(monkeypatch, blocks=1)
    for begin in (machine.restart, machine.power_cut):
        begin()
        assert current_boot(machine.path) != before
        before = current_boot(machine.path)
        with opened(machine) as session:
            assert session.call(READ, Nothing()).value == 3


def test_one_that_cannot_start_says_what_to_do_and_starts_later(machine: Machine) -> None:
    machine.running  # noqa: B018
    before = current_boot(machine.path)
    with pytest.MonkeyPatch.context() as patch:
        full_disk(patch, blocks=0)
        for call in (machine.restart, lambda: opened(machine), machine.status):
            with pytest.raises(MachineError, match="cannot be read or written: No space left on device") as caught:
                call()
            assert (caught.value.code, caught.value.result) == ("machine.disk", TeeResult.STORAGE_NOT_AVAILABLE)
            assert caught.value.hint == "free space on the disk that it is on, and repeat the command"
    with opened(machine) as session:
        assert session.call(READ, Nothing()).value == 0
    assert current_boot(machine.path) != before, "not the boot that had ended"
