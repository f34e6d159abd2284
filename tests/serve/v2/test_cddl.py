"""Two validators of others hold frames against serve2.cddl: real ones fit, and what the server refuses for its form
does not. Requests are held against the rule of their method; zcbor takes -1 for a `uint`, so the file has ranges."""

import copy
import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import cbor2
import pytest
from cddl_verifier import Validator
from zcbor.zcbor.zcbor import CddlValidationError, DataTranslator

from bioguard.device import Device
from bioguard.errors import InputRefused
from bioguard.serve.v2 import wire
from bioguard.serve.v2.events import EVENTS, EventKind
from bioguard.serve.v2.table import BY_NUMBER, METHODS
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.schema import record_fields
from tests.serve.v2.any_fields import any_field
from tests.serve.v2.cddl_writer import kebab
from tests.serve.v2.client import Client

logging.getLogger("cddl_verifier").setLevel(logging.CRITICAL)
CDDL = (Path(__file__).parents[3] / "src" / "bioguard" / "serve" / "v2" / "serve2.cddl").read_text("utf-8")
OTHERS = (
    b"",
    b"x" * 17,
    b"x" * 69,
    bytes(20_000),
    "",
    "text",
    -1,
    0,
    1,
    2**32,
    2**64 - 1,
    True,
    None,
    [],
    [0],
    {},
    1.5,
)
MUTANTS = 12


@cache
def verifier() -> Validator:
    return Validator(CDDL)


@cache
def zcbor() -> dict:
    return DataTranslator.from_cddl(CDDL, 3).my_types


def verifier_says(rule: str, octets: bytes) -> bool:
    return bool(verifier().validate(octets, root_type=rule).valid)


def zcbor_says(rule: str, octets: bytes) -> bool:
    try:
        zcbor()[rule].validate_str(octets)
    except CddlValidationError:
        return False
    return True


def server_says(plain: list) -> bool:
    """Whether the server takes a request for its form."""
    try:
        wire.read_request(wire.parse_frame(codec.encode(plain)))
    except (InputRefused, TeeError, ValueError):
        return False
    return True


def event_says(plain: list) -> bool:
    """The same of an event, by the server's own record."""
    try:
        _version, _session, _kind, (sequence, time_ms, kind, fields) = plain
        EVENTS[EventKind(kind)].from_plain(fields)
    except (TeeError, TypeError, ValueError):
        return False
    return type(sequence) is int and type(time_ms) is int and sequence >= 0 and 0 <= time_ms <= 1 << 48


@pytest.fixture(scope="module")
def heard(device: Device) -> Client:
    """A client that has asked something of every kind."""
    client = Client(device)
    client.person(b"cora", 1, 2)
    (finger,) = client.ask("create_session", b"cora", 0)
    (face,) = client.ask("create_session", b"cora", 1)
    client.enroll(finger, b"cora", person=21, position=2)
    context = [1, 1, False, False, 0, 1, None, 2, False]
    client.ask("enroll", face, client.token(face, b"cora"), 3, 0, context, [0, [0], False])
    for impression in range(3):
        client.ask("present", face, *client.sample(21, 0, impression), [1000, 900, 1100])
    for name in ("enumerate_enrollments", "get_authenticator_id", "invalidate_authenticator_id", "get_features"):
        client.ask(name, face)
    client.ask("authenticate", finger, 3, context)
    client.present(finger, 21, 2, 4)
    client.ask("authenticate", face, 0, None)
    client.present(face, 22, 0, 0)
    client.ask("authenticate", finger, 0, None)
    for _ in range(5):
        client.present(finger, 22, 2, 0)
    client.ask("cancel", finger, None)
    client.ask("on_context_changed", finger, context)
    client.ask("on_pointer_down", finger, [0, 1, 2, 3, 4, 5, False, 7, 8])
    client.ask("clock_advance", 30_000)
    client.ask("detect_interaction", finger, None)
    client.present(finger, 22, 2, 1)
    client.ask("remove_enrollments", finger, [1])
    client.ask("reset_lockout", finger, client.ask("verify_pin", b"cora", b"4711", 0)[0])
    client.ask("revoke_challenge", finger, 5)
    client.ask("records", b"cora")
    client.ask("consents", b"cora")
    key_id, *_ = client.ask("key_create", b"cora", 3, False, True, 60)
    client.ask("key_begin", key_id, client.ask("verify_pin", b"cora", b"4711", 0)[0])
    client.ask("log_read", 0)
    client.ask("get_enrollment_config", 1, 0)
    client.ask("close", finger)
    client.refused("close", finger)
    client.conversation.end()
    return client


def _rules(client: Client) -> Iterator[tuple[str, bytes]]:
    """Every frame with the rule of its method or event."""
    for sent, came in zip(client.sent, client.replies, strict=True):
        name = kebab(BY_NUMBER[codec.decode(sent)[2]].name)
        yield f"request-{name}", sent
        for octets in came:
            plain = codec.decode(octets)
            event = plain[2] == 2 and f"event-{kebab(EventKind(plain[3][2]).name)}"
            yield event or ("refusal" if plain[2] == 1 else f"answer-{name}"), octets


@pytest.fixture(scope="module")
def frames(heard: Client) -> dict[str, bytes]:
    """One frame of each kind, the last that came; the first of requests would have less in it."""
    return dict(_rules(heard))


def test_both_validators_take_every_frame_of_a_conversation(heard: Client) -> None:
    for rule, octets in _rules(heard):
        assert verifier_says(rule, octets), rule
        assert zcbor_says(rule, octets), rule
    hello = codec.encode(heard.hello)
    assert verifier_says("answer-hello", hello)
    assert zcbor_says("answer-hello", hello)


def test_the_rule_of_a_side_takes_what_that_side_sends(frames: dict[str, bytes]) -> None:
    """With all its alternatives."""
    for rule, octets in frames.items():
        side = "from-client" if rule.startswith("request") else "from-server"
        assert (verifier_says(side, octets), zcbor_says(side, octets)) == (True, True), rule


def test_both_take_frames_of_every_kind() -> None:
    """Those that no conversation here has too, with any fields of their form."""
    random, kinds = Random(22), []
    for method in METHODS:
        kinds.append((f"request-{kebab(method.name)}", method.request, [2, 1, method.number]))
        kinds.append((f"answer-{kebab(method.name)}", method.reply, [2, 1, 0]))
    for event, record in EVENTS.items():
        kinds.append((f"event-{kebab(event.name)}", record, [2, 1, 2]))
    for rule, record, head in kinds:
        for _ in range(3):
            fields = [any_field(field, random, []) for field in record_fields(record)]
            if rule.startswith("event"):
                event = next(kind for kind in EVENTS if rule == f"event-{kebab(kind.name)}")
                fields = [1, 1, int(event), fields]
            octets = codec.encode([*head, fields])
            assert (verifier_says(rule, octets), zcbor_says(rule, octets)) == (True, True), (rule, fields)


def test_a_conversation_has_frames_of_most_kinds(frames: dict[str, bytes]) -> None:
    assert len([rule for rule in frames if rule.startswith("event")]) >= 17
    assert len([rule for rule in frames if rule.startswith("request")]) >= 28


def _spots(plain: object, path: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    if isinstance(plain, list):
        for i, inner in enumerate(plain):
            yield (*path, i)
            yield from _spots(inner, (*path, i))


def mutants(plain: list, random: Random) -> Iterator[list]:
    """The same frame with one item of its fields exchanged, dropped or doubled; an event keeps its number."""
    spots = [path for path in _spots(plain) if path[0] == 3 and (plain[2] != 2 or path[1:2] in [(0,), (1,), (3,)])]
    for _ in range(MUTANTS):
        mutant = copy.deepcopy(plain)
        if not spots:
            mutant[3] = random.choice(OTHERS)
            yield mutant
            continue
        *above, last = random.choice(spots)
        inside = mutant
        for i in above:
            inside = inside[i]
        match random.randrange(4):
            case 0:
                del inside[last]
            case 1:
                inside.insert(last, copy.deepcopy(inside[last]))
            case _:
                inside[last] = random.choice(OTHERS)
        yield mutant


@pytest.mark.parametrize("kind", ["request", "event"])
def test_both_refuse_what_the_server_refuses_for_its_form(frames: dict[str, bytes], kind: str) -> None:
    """And take what it takes: of each kind a dozen mutants."""
    says = server_says if kind == "request" else event_says
    random, seen = Random(22), {True: 0, False: 0}
    for rule, octets in sorted(frames.items()):
        if not rule.startswith(kind):
            continue
        for mutant in mutants(codec.decode(octets), random):
            expected, bent = says(mutant), cbor2.dumps(mutant, canonical=True)
            assert (verifier_says(rule, bent), zcbor_says(rule, bent)) == (expected, expected), (rule, mutant)
            seen[expected] += 1
    assert seen[True] > 10
    assert seen[False] > 100


@pytest.mark.parametrize(
    "frame", [[2, 0, 1, [b"a"]], [1, 1, 1, [b"a"]], [2, 1, 7, []], [2, 1, 1], [2, 1, 1, [b"a"], 0]]
)
def test_both_refuse_what_is_no_request(frame: list) -> None:
    octets = cbor2.dumps(frame)
    assert not server_says(frame)
    assert (verifier_says("from-client", octets), zcbor_says("from-client", octets)) == (False, False)
