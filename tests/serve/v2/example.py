"""The conversation of docs/formats/serve-2.md section 9, carried out. What is random in a device differs each time."""

import re
from collections.abc import Iterator
from pathlib import Path

from bioguard.device import Device, DeviceOptions
from bioguard.serve.v2.events import EventKind
from bioguard.serve.v2.table import BY_NUMBER
from tee_sim.shared import codec
from tests.serve.v2.client import Client

SHOWN_BYTES = 48
START_MS = 1_796_126_400_000
"""2026-12-01T12:00:00Z."""
_FRAME = re.compile(r"([<>]) ([0-9a-f]+)(?: \.\.\. (\d+) bytes)?  +(.*)")


def _line(arrow: str, body: bytes, what: str) -> str:
    frame = len(body).to_bytes(4, "little") + body
    if len(frame) <= SHOWN_BYTES:
        return f"{arrow} {frame.hex()}  {what}"
    return f"{arrow} {frame[:SHOWN_BYTES].hex()} ... {len(frame)} bytes  {what}"


def what_it_is(arrow: str, plain: list) -> str:
    """One frame in words."""
    _version, number, kind, payload = plain
    if arrow == ">":
        return f"{BY_NUMBER[kind].name}, id {number}"
    if kind == 2:
        return f"event {EventKind(payload[2]).name} of session {number}"
    return f"refusal {payload[0]}, id {number}" if kind else f"answer, id {number}"


def lines(directory: Path) -> Iterator[str]:
    """Every frame of it."""
    with Device.init(directory, DeviceOptions(seed="example", clock=START_MS)) as device:
        client = Client(device)
        yield _line("<", client.received.pop(), "hello, id 0")
        _carry_out(client)
        for request, came in zip(client.sent, client.replies, strict=True):
            yield _line(">", request, what_it_is(">", codec.decode(request)))
            for body in came:
                yield _line("<", body, what_it_is("<", codec.decode(body)))


def _carry_out(client: Client) -> None:
    client.ask("add_user", b"alice")
    client.ask("set_pin", b"alice", b"4711", None)
    client.ask("consent", b"alice", 1, [1], 365, True, b"")
    (session,) = client.ask("create_session", b"alice", 0)
    client.ask("enroll", session, client.token(session, b"alice"), 2, 2, None, None)
    client.present(session, 0, 2, 0)
    client.present(session, 0, 2, 1)
    client.ask("authenticate", session, 0, None)
    client.present(session, 1, 2, 0)
    client.present(session, 0, 2, 3)
    client.refused("close", 9)
    client.ask("close", session)


def shown(page: str) -> list[tuple[str, bytes, int | None, str]]:
    """The frames on the page: direction, bytes, the size of a shortened one, words."""
    block = page.partition("<!-- example: begin -->")[2].partition("<!-- example: end -->")[0]
    found = [_FRAME.fullmatch(line) for line in block.strip().strip("`").strip().splitlines()]
    assert all(found)
    return [(m[1], bytes.fromhex(m[2]), int(m[3]) if m[3] else None, m[4]) for m in found]
