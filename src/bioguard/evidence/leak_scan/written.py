"""What a server writes where its caller said, held against what has a place there: a timeline and a conversation.

docs/debugging.md says what stands on the one (--trace): no data. docs/formats/scenario.md says it of the other
(--record): what the caller sent, and what events and refusals told. The lists are written here and not taken from the
product.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from bioguard.evidence.leak_scan.exercise_serve import ANSWER, REFUSAL, Exchange, frames_of

METHODS: Final = {
    1: "add_user", 3: "users", 4: "consent", 10: "set_pin", 11: "verify_pin", 20: "create_session", 21: "close",
    22: "cancel", 23: "generate_challenge", 25: "enroll", 26: "authenticate", 29: "remove_enrollments", 45: "present",
    50: "identify", 51: "lock_status", 53: "records", 55: "check_token", 70: "attest", 71: "log_head", 72: "log_read",
}  # fmt: skip
EVENT_NAMES: Final = {
    1: "CHALLENGE_GENERATED", 3: "ACQUIRED", 4: "ENROLLMENT_FRAME", 5: "ENROLLMENT_PROGRESS",
    6: "AUTHENTICATION_SUCCEEDED", 7: "AUTHENTICATION_FAILED", 13: "ENROLLMENTS_REMOVED", 18: "ERROR",
    19: "SESSION_CLOSED", 21: "AUTHENTICATION_FRAME",
}  # fmt: skip
_NUMBERS: Final = frozenset(
    (
        *("address", "boot_ms", "command", "epoch", "exit_code", "frame", "ids", "in_bytes", "objects", "operation"),
        *("out_bytes", "pages", "remaining", "reply_bytes", "reply_frames", "request_bytes", "request_frames"),
        *("room_bytes", "sequence", "session", "token", "vendor_code", "wall_ms"),
    )
)
_MOST: Final = {"exit_code": 0, "ids": 1, "remaining": 2, "token": 1, "vendor_code": 0}
_WORDS: Final = {
    "clock": r"HOST", "condition": r"WRITABLE", "error": r"CANCELED", "info": r"GOOD", "profile": r"STRICT",
    "level": r"ENFORCED\+?|PARTIAL|INCONCLUSIVE|NOT ENFORCED", "origin": r"TEE|TRUSTED_APP", "randomness": r"SYSTEM",
    "stage": r"HOLD_STILL_IN_CENTER|ENROLLMENT_FINISHED", "how": r"it ended by itself",
    "result": r"OK|SUCCESS|pin\.wrong|session\.state",
    "names": r"((6f[0-9a-f]{64}|70[0-9a-f]{16})(, |$))*",
    "name": r"RPMB|TA (biometric|gatekeeper|keystore)|caller|disk|normal world \((bioguard|__main__\.py)\)"
    r"|secure world( \d+)?|session (face 1|fingerprint 0)|simulated time",
}  # fmt: skip
_MEMBERS: Final = frozenset(
    ("args", "bind_id", "cat", "dur", "flow_in", "flow_out", "name", "ph", "pid", "s", "tid", "ts")
)
_NAMES: Final = frozenset(
    (
        *METHODS.values(), *EVENT_NAMES.values(), "serve", "session", "simulated time", "process_name", "thread_name",
        "ReadClock", "end", "locked", "ready", "start", "READ", "READ_COUNTER", "WRITE", "COMMIT",
        "AUTHENTICATING", "ENROLLING", "GENERATING_CHALLENGE", "REMOVING_ENROLLMENTS", "onAcquired",
        "onAuthenticationFailed", "onAuthenticationFrame", "onAuthenticationSucceeded", "onChallengeGenerated",
        "onEnrollmentFrame", "onEnrollmentProgress", "onEnrollmentsRemoved", "onError", "onSessionClosed",
        "add user", "at start", "check label", "check token", "close session", "enroll pin", "erase",
        "generate challenge", "grant", "judge", "list", "lock status", "log head", "log read", "open session",
        "prepare enrollment", "show configuration", "verify pin",
    )
)  # fmt: skip
"""Of all that this conversation makes happen."""


def timeline(text: bytes) -> Iterator[str]:
    """What stands on a timeline that has no place there: docs/debugging.md, and of strings the words."""
    head, *lines = text.splitlines()
    if head != b"[":
        yield "no timeline"
    for number, line in enumerate(lines, 2):
        event = json.loads(line.removesuffix(b","))
        if json.dumps(event, separators=(",", ":")).encode() + b"," != line:
            yield f"line {number} is not in the one form"
        if set(event) - _MEMBERS or event["name"] not in _NAMES:
            yield f"line {number}: another member, or another name of an event"
        for key, value in event["args"].items():
            if not _listed(key, value):
                yield f"line {number}: {key if re.fullmatch('[a-z_]{1,16}', key) else 'a key'} is not listed so"


def _listed(key: str, value: object) -> bool:
    if isinstance(value, str):
        return key in _WORDS and re.fullmatch(_WORDS[key], value) is not None
    return isinstance(value, int) and key in _NUMBERS and value <= _MOST.get(key, value)


_HEAD: Final[dict[str, Any]] = {
    "format": "bioguard-scenario 2",
    "seed": 0,
    "device": {"require_pin": False},
    "sensor": [
        {
            "kind": "fingerprint", "strength": "strong", "type": "rear", "max_enrollments": 5,
            "detect_interaction": True, "navigation_gestures": False, "handles_display_touches": False,
            "controls_illumination": False,
        },
        {"kind": "face", "strength": "strong", "type": "rgb", "max_enrollments": 2, "detect_interaction": True},
    ],
}  # fmt: skip
_MEMBER_WORDS: Final = frozenset((
    "fingerprint", "face", "unlock", "key-use", "identify", "canonical", "tfm", "rfc9783", "good", "canceled",
    "hold-still-in-center", "enrollment-finished",
))  # fmt: skip
_REFERENCE: Final = re.compile(
    r"verify_pin\.token|CHALLENGE_GENERATED\.challenge|AUTHENTICATION_SUCCEEDED\.token|records\.records\.0\.enrollment_id"
)


def conversation(written: bytes, exchanges: Sequence[Exchange]) -> Iterator[str]:
    """What a recorded conversation holds that its caller did not send and was not told by an event or a refusal."""
    text = written.decode("utf-8")
    document = tomllib.loads(text)
    inputs, events = document.pop("input"), document.pop("event")
    if "#" in text or document != _HEAD:
        yield "its head is not that of this device, or it has a comment"
    asked = [one for one in exchanges if one[1]]
    told = [
        (number, frame)
        for number, one in enumerate(asked, 1)
        for frame in frames_of(one)
        if frame[2] != ANSWER
    ]  # fmt: skip
    answered = {leaf for one in exchanges for f in frames_of(one) for leaf in _leaves(f[3]) if _telling(leaf)}
    people = {exchange[2][0] for exchange in asked if exchange[0] in ("a PIN", "another user")}
    if (len(inputs), len(events)) != (len(asked), len(told)):
        yield "another number of inputs or events"
    for number, (entry, exchange) in enumerate(zip(inputs, asked, strict=False), 1):
        sent = {leaf for leaf in _leaves(exchange[2]) if leaf not in answered or leaf in people}
        if entry.pop("call") != METHODS[exchange[1]] or len(entry) > len(exchange[2]) or not _covers(sent, entry):
            yield f"input {number} holds what the caller did not send"
    for (number, frame), entry in zip(told, events, strict=False):
        if entry.pop("after") != number or not _same_event(frame, entry):
            yield f"after input {number}: what the caller was not told"


def _same_event(frame: list[Any], entry: dict[str, Any]) -> bool:
    if frame[2] == REFUSAL:
        return entry == {"refused": frame[3][0]}
    _, time_ms, number, fields = frame[3]
    head = (entry.pop("event"), entry.pop("session"), entry.pop("time_ms"))
    return head == (EVENT_NAMES[number], frame[1], time_ms) and len(entry) <= len(fields) and _covers(
        set(_leaves(fields)), entry
    )  # fmt: skip


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif value is not None:
        yield value


def _telling(value: Any) -> bool:
    return isinstance(value, bytes) or (type(value) is int and value >= 1 << 16)


def _covers(known: set[Any], entry: dict[str, Any]) -> bool:
    """Whether each value is one that is known, a member of an enumeration, or names an earlier one."""
    words = {form for v in known if isinstance(v, bytes) for form in (v.hex(), v.decode("utf-8", "replace"))}
    words |= {v for v in known if isinstance(v, str)} | {hex(v) for v in known if type(v) is int}
    references, plain = list[Any](), list[Any]()
    for value in entry.values():
        (references if isinstance(value, dict) else plain).append(value)
    for reference in [*references, *(v for v in _nested(plain) if isinstance(v, dict))]:
        if set(reference) != {"from", "nth"} or not _REFERENCE.fullmatch(reference["from"]) or reference["nth"] > 99:
            return False
    for leaf in _leaves([v for v in _nested(plain) if not isinstance(v, dict)]):
        if isinstance(leaf, str) and (leaf in words or leaf in _MEMBER_WORDS):
            continue
        if type(leaf) in (int, bool) and leaf in known:
            continue
        return False
    return True


def _nested(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _nested(value)
        else:
            yield value
