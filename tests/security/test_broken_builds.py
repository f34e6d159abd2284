"""Each deliberately broken build turns a check red. An unchanged copy stays green, so the reason is the change."""

import dataclasses
import math
import os
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from bioguard.commands import biometric, gatekeeper, policy, sensor
from bioguard.commands.status import Nothing, SensorDone, SensorStatus
from bioguard.device import Device, DeviceOptions
from bioguard.device.consent import grant_all
from bioguard.errors import TeeUnavailable
from bioguard.evidence import leak_scan
from bioguard.evidence.leak_scan import Scanner, make_canaries
from bioguard.evidence.leak_scan import exercise_device as life_module
from bioguard.simulate.people import face_views
from tee_sim.normal.client import Context, Session
from tee_sim.normal.sandbox_verdict.verdict import Level, State
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import Param
from tee_sim.shared.schema import AtMost, Record, is_closed, max_bits
from tee_sim.shared.ta_api import Command
from tee_sim.shared.wire import Return

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only"),
    pytest.mark.alone("broken"),
]

ENROLL = "        request, samples, made_by = self._taker.enrollment(request)\n"
APP = "src/bioguard/trusted/biometric/app.py"
SEED = 4711


def enroll_someone(device: Device) -> None:
    device.add_user("alice")
    grant_all(device, "alice", of_age=True)
    device.enroll("alice", face_views(5, person=1, count=3))


def test_an_unchanged_copy_is_green(broken, tmp_path):
    broken()
    with Device.init(tmp_path / "device", require_pin=False) as device:
        enroll_someone(device)
        assert device.running.verdict.level.meets(Level.ENFORCED)


def test_seccomp_off_is_refused(broken, tmp_path):
    broken(("tee_sim/secure/lockdown/engine.py", "    filters.load(program)\n", ""))
    with pytest.raises(TeeUnavailable, match="the sandbox is INCONCLUSIVE, below ENFORCED"):
        Device.init(tmp_path / "device")


def test_a_filter_that_does_not_kill_is_refused(broken, tmp_path):
    """The child builds and loads another program than the one this version declares."""
    broken(("tee_sim/shared/sandbox/filters.py", '{"strict": bpf.KILL,', '{"strict": bpf.ALLOW,'))
    with pytest.raises(TeeUnavailable, match="the sandbox is INCONCLUSIVE"):
        Device.init(tmp_path / "device")


def test_a_filter_with_one_more_call_is_refused(broken, tmp_path):
    rule = '        Rule("sched_yield"),\n'
    broken(("tee_sim/shared/sandbox/syscalls.py", rule, rule + '        Rule("wait4"),\n'))
    with pytest.raises(TeeUnavailable, match="the sandbox is INCONCLUSIVE"):
        Device.init(tmp_path / "device")


def test_a_leaked_descriptor_is_refused(broken, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root sees another process' descriptors; the filter keeps this one useless")
    broken(
        (
            "tee_sim/secure/lockdown/engine.py",
            '    recorder.must("arena",',
            '    recorder.must("leak", lambda: str(os.dup(plan.reply_fd)))\n    recorder.must("arena",',
        )
    )
    with pytest.raises(TeeUnavailable, match="the sandbox is PARTIAL, below ENFORCED"):
        Device.init(tmp_path / "device")
    options = DeviceOptions(allow_level=Level.PARTIAL)
    with Device.init(tmp_path / "second", options) as device:
        assert device.running.verdict.state("descriptors") is State.ABSENT
        assert any("should not be open" in reason for reason in device.running.verdict.reasons)


HOSTS = "tee_sim/secure/lockdown/hosts.py"
ENGINE = "tee_sim/secure/lockdown/engine.py"
CLOSES = "    hygiene.close_all_but(*numbers)\n"
CLOSES_AGAIN = '    recorder.must("descriptors", lambda: hygiene.close_all_but(*ends))\n'
KEEPS_WHAT_IT_HAS = (ENGINE, CLOSES_AGAIN, CLOSES_AGAIN.replace("hygiene", "host or hygiene"))


def refused(folder: Path, level: Level) -> str:
    """What a device says that such a build does not get."""
    with pytest.raises(TeeUnavailable, match=f"the sandbox is {level.value}, below ENFORCED"):
        Device.init(folder / "refused")
    with Device.init(folder / "accepted", DeviceOptions(allow_level=level)) as device:
        return "; ".join(device.running.verdict.reasons)


def test_a_host_that_keeps_the_pipes_of_others_is_refused(broken, tmp_path):
    """With the end of another host's pipe it could speak for it."""
    if os.geteuid() != 0:
        pytest.skip("only root sees another process' descriptors; the filter keeps these useless")
    broken((HOSTS, CLOSES, ""), KEEPS_WHAT_IT_HAS)
    assert "biometric spare 1: descriptors: descriptor" in refused(tmp_path, Level.PARTIAL)


def test_a_host_that_keeps_the_client_s_pipe_is_refused(broken, tmp_path):
    """Under another number; under its own it would not be at the other end of the core's."""
    if os.geteuid() != 0:
        pytest.skip("only root sees another process' descriptors; the filter keeps this one useless")
    first = "    for fd, number in zip(own, numbers, strict=True):\n"
    broken(
        (HOSTS, first, "    kept = os.dup(numbers[1])\n" + first),
        (HOSTS, CLOSES, CLOSES.replace("*numbers", "*numbers, kept")),
        KEEPS_WHAT_IT_HAS,
    )
    reasons = refused(tmp_path, Level.PARTIAL)
    assert "gatekeeper: descriptors: descriptor" in reasons
    assert "ends in these processes" in reasons


def test_a_host_that_answers_on_the_client_s_pipe_is_refused(broken, tmp_path):
    """Its first word comes where only the core's report may come."""
    loop = "    for fd, number in zip(own, numbers, strict=True):\n"
    broken((HOSTS, loop, loop.replace("zip(own, numbers, strict=True)", "zip(own[:1], numbers)")))
    with pytest.raises(TeeUnavailable, match="the secure world sent what it may not send now"):
        Device.init(tmp_path / "device")


def test_a_host_without_a_filter_is_refused(broken, tmp_path):
    load = "    filters.load(program)\n"
    broken((ENGINE, load, "    if links:\n    " + load))
    reasons = refused(tmp_path, Level.INCONCLUSIVE)
    for name in ("biometric", "biometric spare 3", "keystore"):
        assert f"{name}: the secure world claims a filter that the kernel does not show" in reasons


def test_one_spare_without_a_filter_is_refused(broken, tmp_path):
    """The last of them, which may never be used."""
    last = '    locked = recorder.try_("seccomp", lambda: _seccomp(plan, links, picture_fd, watched=watched))\n'
    broken((ENGINE, last, "    if host != len(plan.heaps_bytes):\n    " + last + "    else:\n        locked = False\n"))
    assert "keystore spare 3: seccomp: not loaded" in refused(tmp_path, Level.PARTIAL)


def test_a_waiter_without_a_filter_is_refused(broken, tmp_path):
    """It holds nothing, and it is the parent of everything."""
    load = (
        '    _Recorder().try_("seccomp", lambda: filters.load(filters.waiter_program(filters.this_arch().machine)))\n'
    )
    broken((ENGINE, load, ""))
    reasons = refused(tmp_path, Level.PARTIAL)
    assert "waiter: the process that waits for the core has no filter of its own" in reasons


def test_a_waiter_with_another_filter_is_refused(broken, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root reads the filter of another process back")
    broken(
        ("tee_sim/shared/sandbox/syscalls.py", '        Rule("wait4"),\n', '        Rule("wait4"), Rule("ppoll"),\n')
    )
    reasons = refused(tmp_path, Level.PARTIAL)
    assert "waiter: no filter in the kernel is the one for waiting that this version builds" in reasons


def test_a_waiter_that_keeps_a_descriptor_is_refused(broken, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root sees another process' descriptors")
    broken((ENGINE, "    hygiene.close_all_but()\n", ""))
    assert "waiter: descriptor" in refused(tmp_path, Level.PARTIAL)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("None", "biometric: its memory has no limit, 4294967296 bytes are stated"),
        ("hygiene.limit_heap(base_bytes + 2 * heap_bytes)", "biometric: its memory may grow to"),
    ],
)
def test_a_host_whose_memory_does_not_end_is_refused(broken, tmp_path, limit, said):
    broken((HOSTS, "hygiene.limit_heap(base_bytes + heap_bytes)", limit))
    assert f"heap: {said}" in refused(tmp_path, Level.PARTIAL)


def test_a_filter_with_one_more_call_for_hosts_is_refused(broken, tmp_path):
    rule = '        ends = (Rule("read", (Equal(0, request_fd),)), '
    broken(("tee_sim/shared/sandbox/syscalls.py", rule, rule + 'Rule("ppoll"), '))
    reasons = refused(tmp_path, Level.INCONCLUSIVE)
    assert "gatekeeper spare 2: the claimed filter is not the one this version builds" in reasons


def test_a_core_whose_filter_does_not_name_its_hosts_ends_by_it(broken, tmp_path):
    program = "    program = _program(plan, links, picture_fd, watched=False)\n"
    broken((ENGINE, program, program.replace("links", "()")))
    with pytest.raises(TeeUnavailable, match="exit status 159: a system call that its filter forbids"):
        Device.init(tmp_path / "device")


def test_a_missing_spare_is_refused(broken, tmp_path):
    heaps = "heaps_bytes=tuple(map(memory_bytes, owners))"
    broken(("tee_sim/secure/launcher.py", heaps, heaps.replace("owners)", "owners[:-1])")))
    with pytest.raises(TeeUnavailable, match="the sandbox is INCONCLUSIVE"):
        Device.init(tmp_path / "device")


def test_a_host_that_forks_once_more_is_refused(broken, tmp_path):
    """A process that nobody has asked for, and that has no lock at all."""
    first = "    hygiene.check_pipes(*numbers)\n\n\ndef _end"
    extra = "    if not os.fork():\n        import time\n        time.sleep(30)\n        os._exit(0)\n"
    broken((HOSTS, first, extra + first))
    with pytest.raises(TeeUnavailable, match="the sandbox is INCONCLUSIVE"):
        Device.init(tmp_path / "device")


RELAY = """
    r, to_core = os.pipe()
    from_core, w = os.pipe()
    first = os.fork()
    if not first:
        if os.fork():
            os._exit(0)
        import select
        os.close(r)
        os.close(w)
        while True:
            for source in select.select([request_fd, from_core], [], [])[0]:
                data = os.read(source, 65536)
                if not data:
                    os._exit(0)
                os.write(to_core if source == request_fd else reply_fd, data)
    os.waitpid(first, 0)
    os.dup2(r, request_fd)
    os.dup2(w, reply_fd)
    for fd in (r, w, to_core, from_core):
        os.close(fd)
"""


def test_a_process_between_the_core_and_us_is_refused(broken, tmp_path):
    """It is below nobody that is looked at, has no lock, and would read the root secret as it goes by."""
    if os.geteuid() != 0:
        pytest.skip("only root sees where the pipes of another process lead")
    first = '    stage = "harden"\n'
    broken(("tee_sim/secure/launcher.py", first, first + RELAY))
    assert "descriptors: its two pipes do not lead to this process" in refused(tmp_path, Level.PARTIAL)


def test_memory_that_core_and_hosts_share_is_refused(broken, tmp_path):
    """A host could write there what another reads, past the core and without a call."""
    if os.geteuid() != 0:
        pytest.skip("only root sees the mappings of another process")
    fork = "    core = os.pidfd_open(os.getpid())\n"
    page = "kernel.map_memory(4096, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, -1)"
    broken((HOSTS, fork, f"    import mmap\n    globals()['kept'] = {page}\n" + fork))
    assert "shares memory that it may write" in refused(tmp_path, Level.PARTIAL)


def test_an_application_that_logs_tells_nobody(broken, tmp_path):
    """What Python prints goes nowhere, so nobody is ended by a warning; writing to a descriptor is what kills."""
    broken((APP, ENROLL, ENROLL + "        import sys; sys.stderr.write(repr(samples)); sys.stderr.flush()\n"))
    frames = []
    options = DeviceOptions(tap=lambda direction, frame: frames.append((direction, frame)))
    with Device.init(tmp_path / "device", options, require_pin=False) as device:
        enroll_someone(device)
    told = b"".join(frame for direction, frame in frames if direction == "from-secure")
    assert b"FaceEmbedding" not in told


def test_an_application_that_writes_to_standard_error_is_killed(broken, tmp_path):
    """It is /dev/null, and writing even there ends the process before anything is stored."""
    broken((APP, ENROLL, ENROLL + "        import os; os.write(2, repr(samples).encode())\n"))
    with Device.init(tmp_path / "device", require_pin=False) as device:
        with pytest.raises(TeeUnavailable) as caught:
            enroll_someone(device)
        assert device.running.process.alive, "it ended alone: the core and the other applications go on"
        assert list(device.records()) == []
    assert "process ended (it made a system call that its filter forbids)" in str(caught.value)


def test_a_core_that_fails_ends_by_its_own_hand(broken, tmp_path):
    """An uncaught error would print a traceback, and the filter would kill for that: 159 reads as an escape."""
    broken(("tee_sim/secure/world.py", "        for _ in rekey(self._store):\n", "        for _ in 1 // 0:\n"))
    with Device.init(tmp_path / "device") as device:
        with pytest.raises(TeeUnavailable, match="exit status 70: it was sent what is no message, or failed inside"):
            device.rekey()
        device.add_user("alice")


def test_an_application_that_opens_a_file_is_killed(broken, tmp_path):
    target = tmp_path / "stolen"
    broken((APP, ENROLL, ENROLL + f"        open({str(target)!r}, 'wb').write(request.samples[0])\n"))
    with (
        Device.init(tmp_path / "device", require_pin=False) as device,
        pytest.raises(TeeUnavailable, match="made a system call that its filter forbids"),
    ):
        enroll_someone(device)
    assert not target.exists()


def test_a_reply_with_free_bytes_does_not_load_though_its_rule_is_broken(broken, tmp_path):
    """The template rides in an extra field of a reply: no layout describes it, so nothing could be counted."""
    views = "    acquired: Annotated[tuple[AcquiredCode, ...], Items(MAX_VIEWS)] = ()\n\n\n"
    views += "@dataclass(frozen=True, slots=True, kw_only=True)\n"
    views += "class PrepareEnrollment("
    extra = "\n    extra: Annotated[bytes, AtMost(8192)] = b''\n\n\n"
    answer = "            acquired=acquired,\n        )"
    broken(
        ("src/bioguard/commands/biometric.py", views, views.replace("\n\n\n", extra, 1)),
        (APP, answer, answer.replace("\n", "\n            extra=request.samples[0],\n")),
        ("tee_sim/secure/closed_replies.py", "if not is_closed(command.reply):", "if False:"),
    )
    with (
        pytest.raises(TeeUnavailable, match="panicked"),
        Device.init(tmp_path / "device", require_pin=False) as device,
    ):
        enroll_someone(device)


@pytest.mark.parametrize("place", [0, 2, 3])
def test_an_answer_in_more_than_the_declared_parameter_kills(place):
    """The core lets none through; the client does not rely on it."""
    done = SensorDone(status=SensorStatus.OK).to_bytes()
    killed = []

    class Transport:
        def exchange(self, message, *, timeout_ms=0):
            params = [Param.none(), Param.output(len(done)).filled(done), Param.none(), Param.none()]
            params[place] = Param.output(8).filled(b"template")
            return Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=1, params=tuple(params))

        def kill(self):
            killed.append(True)

    session = Session(Context(Transport()), 1)
    with pytest.raises(TeeError, match="more with a SensorDone than that; it was killed"):
        session.call(Command(1, Nothing, SensorDone), Nothing())
    assert killed == [True]


def test_a_reply_type_with_free_bytes_is_not_even_called():
    """Declared on both sides, it is refused before the request is sent: a closed type has a bit budget."""

    @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
    class Free(Record):
        anything: Annotated[bytes, AtMost(8192)]

    sent = []

    class Transport:
        def exchange(self, message, *, timeout_ms=0):
            sent.append(message)

        def kill(self):
            sent.append("kill")

    session = Session(Context(Transport()), 1)
    assert not is_closed(Free)
    with pytest.raises(TeeError, match="Free is not a closed type"):
        session.call(Command(1, Free, Free), Free(anything=b"x"))
    assert sent == []


@pytest.mark.parametrize("module", [biometric, gatekeeper, policy, sensor])
def test_every_reply_of_every_application_is_closed_and_counted(module):
    declared = [value for value in vars(module).values() if isinstance(value, Command)]
    assert declared
    for command in declared:
        assert is_closed(command.reply), command
        assert 0 < max_bits(command.reply) < math.inf, command


def test_match_replies_are_far_too_small_for_a_template():
    """The smallest stored form is a 1024-bit code, a face is 8192 bits."""
    for command in (biometric.AUTHENTICATE, biometric.IDENTIFY):
        assert max_bits(command.reply) < 1024


def test_skipped_encryption_is_found_by_the_leak_scan(broken, tmp_path):
    broken(
        (
            "tee_sim/secure/sealing.py",
            "    return AESGCM(key).encrypt(nonce, body, _BODY_LABEL + device_id + header)\n",
            "    return body + bytes(16)\n",
        ),
        (
            "tee_sim/secure/sealing.py",
            "        return AESGCM(key).decrypt(nonce, ciphertext, _BODY_LABEL + device_id + header)\n",
            "        return ciphertext[:-16]\n",
        ),
    )
    findings = scan_a_life(tmp_path)
    assert any(f.source.startswith("storage.db") for f in findings)
    assert any(f.source == "frames from the secure world" for f in findings)


def test_encryption_with_a_one_byte_mask_is_found_too(broken, tmp_path):
    broken(
        (
            "tee_sim/secure/sealing.py",
            "    return AESGCM(key).encrypt(nonce, body, _BODY_LABEL + device_id + header)\n",
            "    return bytes(b ^ 0x5A for b in body) + bytes(16)\n",
        ),
        (
            "tee_sim/secure/sealing.py",
            "        return AESGCM(key).decrypt(nonce, ciphertext, _BODY_LABEL + device_id + header)\n",
            "        return bytes(b ^ 0x5A for b in ciphertext[:-16])\n",
        ),
    )
    assert 4 in {f.stage for f in scan_a_life(tmp_path)}


def test_the_unchanged_product_leaks_nothing(tmp_path):
    report = leak_scan.run(seed=SEED)
    assert report.findings == ()
    assert report.live_control, "the canaries were seen going in"
    assert report.mutation_score[0] == report.mutation_score[1] > 6000
    assert report.clean is True
    names = {name.split(" ")[0] for name, _ in report.sources}
    assert {"storage.db", "rpmb.img", "frames", "exports", "standard"} <= names
    if os.geteuid() == 0:
        looked_at = {name for name, size in report.sources if name.startswith("memory of ") and size}
        assert looked_at == {
            f"memory of {name}{spare}"
            for name in ("biometric", "gatekeeper", "keystore")
            for spare in ("", " spare 1", " spare 2", " spare 3")
        } - {"memory of biometric"}
        runs, size = report.memory_residue
        assert size < 16 * np.dtype("u4").itemsize * 512, f"{runs} runs, {size} bytes of clear features after erasure"


def scan_a_life(tmp_path):
    """Findings in the store and in what the secure world sent."""
    out = tmp_path / "kept"
    out.mkdir()
    life_module.main([str(tmp_path / "device"), str(out), str(SEED)])
    scanner = Scanner(make_canaries(SEED, with_key=False))
    names = ("storage.db after enrollment", "frames from the secure world")
    return [f for name in names for f in scanner.scan(name, (out / "sources" / name).read_bytes())]
