"""The end of a timed lockout comes through the pipe unasked, when it is due on the host's clock: 30 seconds."""

from pathlib import Path

import pytest

from bench.serving import PipeClient
from bioguard.device import Device, DeviceOptions
from bioguard.serve.v2.events import EventKind

LATE_MS = 1_000
"""On a machine whose processors others want too; 36 ms on a quiet one."""


@pytest.mark.campaign
def test_the_end_of_a_lockout_comes_unasked(tmp_path: Path) -> None:
    Device.init(tmp_path / "device", DeviceOptions()).close()
    client = PipeClient(tmp_path / "device")
    try:
        client.call("add_user", b"ada")
        client.call("set_pin", b"ada", b"4711", None)
        client.call("consent", b"ada", 1, [1], 1, True, b"")
        (session,) = client.call("create_session", b"ada", 0)
        client.ask("generate_challenge", session)
        (challenge,) = client.frame()[3][3]
        client.frame()
        (token,) = client.call("verify_pin", b"ada", b"4711", challenge)
        client.call("enroll", session, token, None, 2, None, None)
        for impression in range(3):
            client.call("present", session, *client.call("simulated_sample", 1, 2, impression), None)
        client.call("authenticate", session, 0, None)
        for _ in range(4):
            client.call("present", session, *client.call("simulated_sample", 2, 2, 0), None)
        sample = client.call("simulated_sample", 2, 2, 0)
        client.ask("present", session, *sample, None)
        told = [client.frame() for _ in range(4)]
        kinds = [EventKind(frame[3][2]) for frame in told[:3]]
        assert kinds == [EventKind.ACQUIRED, EventKind.AUTHENTICATION_FAILED, EventKind.LOCKOUT_TIMED]
        _, locked_ms, _, (remaining_ms,) = told[2][3]
        _, about, kind, (_, cleared_ms, number, _) = client.frame()
        assert (about, kind, EventKind(number)) == (session, 2, EventKind.LOCKOUT_CLEARED)
        assert 0 <= cleared_ms - locked_ms - remaining_ms <= LATE_MS
    finally:
        client.close()
