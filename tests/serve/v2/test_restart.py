"""The secure world dies under a conversation: as after the death of a HAL, and the next request goes on."""

import os
import time
from pathlib import Path

from bioguard.device import Device, DeviceOptions
from tests.serve.v2.client import Client
from tests.unlocked import unlocked_devices


def test_sessions_die_with_the_secure_world_and_the_rest_stays(device: Device, client: Client) -> None:
    client.person(b"nora", 1)
    (session,) = client.ask("create_session", b"nora", 0)
    enrolled = client.enroll(session, b"nora", person=31, position=2)
    token = client.ask("verify_pin", b"nora", b"4711", 0)[0]
    client.ask("generate_challenge", session)
    client.ask("authenticate", session, 0, None)
    os.kill(device.running.process.pid, 9)
    while device.running.process.alive:
        time.sleep(0.01)
    assert client.refused("authenticate", session, 0, None) == "session.dead"
    assert client.events == [(0, "RESTARTED", [1])]
    assert client.refused("close", session) == "session.dead"
    assert client.events == []
    assert client.ask("hello")[11] == 1
    assert client.ask("check_token", token)[0] == 0
    (again,) = client.ask("create_session", b"nora", 0)
    assert again == session + 1
    client.ask("enumerate_enrollments", again)
    assert client.events == [(again, "ENROLLMENTS_ENUMERATED", [[enrolled]])]


def test_whoever_meets_the_death_is_refused_and_the_next_is_told(device: Device, client: Client) -> None:
    client.person(b"olaf", 1)
    (session,) = client.ask("create_session", b"olaf", 0)
    before = client.ask("hello")[11]
    os.write(device.running.process._write_fd, b"\xff" * 8)
    assert client.refused("generate_challenge", session) in ("tee.dead", "tee.communication")
    assert client.events == []
    assert client.refused("lift", session) == "session.dead"
    assert client.events == [(0, "RESTARTED", [1])]
    assert client.ask("hello")[11] == before + 1


def test_a_death_after_a_reboot_is_told_as_a_death(device: Device, client: Client) -> None:
    client.ask("reboot")
    assert client.events == [(0, "RESTARTED", [2])]
    os.kill(device.running.process.pid, 9)
    while device.running.process.alive:
        time.sleep(0.01)
    client.ask("users")
    assert client.events == [(0, "RESTARTED", [1])]


def test_after_a_reboot_events_count_the_time_of_the_new_boot_on_the_clock_of_the_host(tmp_path: Path) -> None:
    with unlocked_devices(), Device.init(tmp_path / "device", DeviceOptions()) as device:
        client = Client(device)
        client.ask("add_user", b"pia")
        (session,) = client.ask("create_session", b"pia", 0)
        client.ask("generate_challenge", session)
        time.sleep(0.05)
        client.ask("reboot")
        ((_, _, _, (_, time_ms, *_)),) = client.frames
        assert time_ms <= client.ask("clock_show")[2] + 1
