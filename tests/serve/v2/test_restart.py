"""The secure world dies under a conversation: as after the death of a HAL, and the next request goes on."""

import os
import time

from bioguard.device import Device
from tests.serve.v2.client import Client


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
