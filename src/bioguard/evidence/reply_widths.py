"""How wide each reply of a trusted application may be: a list apart from the code that declares them.

`widths` counts the bits of a declared type anew, from the types alone. A reply that is not on the list, a field more, a
bound of a kind that is not known here or one that is wider than the list says is a flaw: whoever adds a command says
here what it is for. Log2 of the number of values is rounded up for each field.
"""

import ast
import math
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

_WIDTHS: Final = """
biometric.ADD_USER 2 status=6
biometric.AUTHENTICATE 11 status=6 match=1 record_id=128 token=552
biometric.CHANGE_LABEL 6 status=6
biometric.CHECK_LABEL 5 status=6
biometric.ENROLL 10 status=6 record_id=128 digest=256 views=5 acquired=67
biometric.ERASE 22 status=6 digest=256
biometric.IDENTIFY 12 status=6 match=1 user=128 record_id=128
biometric.JUDGE 15 status=6 acquired=5
biometric.LIST 20 status=6 records=36423 more=1
biometric.PREPARE_ENROLLMENT 14 status=6
biometric.RATE_BASIS 13 status=6 basis=2
biometric.RELABEL 23 status=6 record_id=128 digest=256
biometric.REMOVE_USER 3 status=6
biometric.RENEW_CODES 4 status=6 records=32
biometric.SHOW 21 status=6 record=569
configuration.CONFIGURE 1 status=6
configuration.PROVIDE_PROFILE 8 status=6
configuration.SHOW_CONFIGURATION 7 status=6 configuration=3493 profiles=1995 cohort=3 models=914 sensors=1438
gatekeeper.DELETE_USER 3 status=3
gatekeeper.ENROLL_PIN 1 status=3 timeout_ms=27 secure_user_id=64 handle=464
gatekeeper.HAS_PIN 4 status=3 has_pin=1 is_current=1
gatekeeper.VERIFY_PIN 2 status=3 timeout_ms=27 token=552
keystore.ABORT 4 error=4
keystore.BEGIN 2 error=4 operation=64
keystore.CHECK_TOKEN 6 error=4
keystore.DELETE_KEY 5 error=4
keystore.FINISH 3 error=4 mac=256 signature=512
keystore.GENERATE_KEY 1 error=4 key_id=128 public_key=256
policy.ACKNOWLEDGE 84 status=6
policy.ANSWER 72 status=6 request=270
policy.ATTEST 82 status=6 signature=512 boot_seed=256 log_size=40 log_root=256
policy.AT_START 74 status=6 erased=32 digests=3844 pruned=40 held=32 log_held=1 moved_days=22
policy.CONFIRM 63 status=6
policy.CONSENTS 66 status=6 grants=693 objections=8 restricted=1 of_age=1
policy.EXTEND 71 status=6 request=270
policy.GRANT 60 status=6
policy.INCIDENT 83 status=6
policy.LOG_HEAD 80 status=6 size=40 root=256 first_body=40 signature=512 log_key=256 attestation_key=520
policy.LOG_READ 81 status=6 items=3143
policy.MARK_UNDERAGE 65 status=6 count=7 erased=3844
policy.OBJECT 62 status=6
policy.OPEN_REQUEST 70 status=6 request=270
policy.POLICY_STATE 68 status=6 version=16 minimum_age=5 retention_days=12 log_days=12
policy.PURGE 69 status=6 erased=32 digests=3844 pruned=40 held=32 log_held=1 moved_days=22
policy.RECORDS_HEAD 85 status=6 size=40 root=256 log_size=40 epoch=62 store_root=256 signature=512
policy.REQUESTS 73 status=6 requests=2164
policy.RESTRICT 64 status=6
policy.SET_POLICY 67 status=6 version=16 minimum_age=5 retention_days=12 log_days=12
policy.WITHDRAW 61 status=6 count=7 erased=3844
sensor.GENERATE_CHALLENGE 40 status=2 challenge=64
sensor.GET_AUTHENTICATOR_ID 42 status=2 authenticator_id=64
sensor.GET_FEATURES 47 status=6 features=7
sensor.INVALIDATE_AUTHENTICATOR_ID 43 status=2 authenticator_id=64
sensor.LOCK_STATUS 45 status=2 lock=2 remaining_ms=45
sensor.RESET_LOCKOUT 44 status=2
sensor.REVOKE_CHALLENGE 41 status=2
sensor.SEARCH_LOCK_STATUS 46 status=2 lock=2 remaining_ms=45
sensor.SET_FEATURE 48 status=6
"""
"""Command, its number, then each field of the reply with its bits."""

ALLOWED: Final[dict[str, tuple[int, dict[str, int]]]] = {
    name: (int(number), {field: int(bits) for field, _, bits in (word.partition("=") for word in words)})
    for name, number, *words in (line.split() for line in _WIDTHS.strip().splitlines())
}


class UnknownBound(Exception):
    """A field whose bound is of a kind that nobody has looked at."""


def width(hint: Any) -> float:
    """Bits of one field. Raises UnknownBound."""
    if get_origin(hint) is Annotated:
        return _bounded(*get_args(hint))
    if get_origin(hint) in (types.UnionType, Union):
        return _either([width(kind) for kind in get_args(hint) if kind is not types.NoneType])
    if hint is bool:
        return 1.0
    if isinstance(hint, type) and issubclass(hint, Enum):
        return math.log2(len(hint))
    if isinstance(hint, type) and is_dataclass(hint):
        return sum(widths(hint).values())
    raise UnknownBound(str(hint))


def _either(choices: list[float]) -> float:
    """One of several, or nothing: a whole number more than the widest is always enough."""
    return math.log2(sum(2**bits for bits in choices) + 1) if max(choices) < 64 else max(choices) + len(choices) - 1


def _bounded(kind: Any, *bounds: Any) -> float:
    """By the name and the numbers of a bound: what it says of itself is not asked."""
    for bound in bounds:
        match type(bound).__name__:
            case "Fixed" | "ObjectId" | "Stated" | "Commitment":
                return 8.0 * int(bound.size_bytes)
            case "UpTo":
                return math.log2(int(bound.maximum) + 1)
            case "Items":
                most = int(bound.count)
                item = get_args(kind)[0]
                each = _bounded(item, bound.item) if bound.item is not None else width(item)
                return most * each + math.log2(most + 1)
    raise UnknownBound(", ".join(map(repr, bounds)))


def widths(reply: type) -> dict[str, int]:
    """Bits of each field of a reply. Raises UnknownBound."""
    hints = get_type_hints(reply, include_extras=True)
    return {field.name: math.ceil(width(hints[field.name]) - 1e-9) for field in fields(reply)}


def flaws(name: str, number: int, reply: type) -> Iterator[str]:
    """What of a command is not on the list, or wider than it says."""
    if name not in ALLOWED:
        yield f"{name}: not on the list of commands"
        return
    known, allowed = ALLOWED[name]
    if number != known:
        yield f"{name}: its number is {number}, not {known}"
    try:
        found = widths(reply)
    except UnknownBound as bound:
        yield f"{name}: a bound that is not known: {bound}"
        return
    for field, bits in found.items():
        if field not in allowed:
            yield f"{name}.{field}: not on the list of fields"
        elif bits > allowed[field]:
            yield f"{name}.{field}: {bits} bits, {allowed[field]} are allowed"


def commands_elsewhere(roots: list[Path]) -> Iterator[str]:
    """Commands that are declared outside the rooms where they are looked at.

    Args:
        roots: folders of sources.
    """
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Command":
                    yield f"{path.name}:{node.lineno}: a command of its own"


def loose_bounds() -> Iterator[str]:
    """Bounds that let through what is just beyond them: what a reply declares is what the core checks it against."""
    from tee_sim.shared.schema import Fixed, Items, UpTo  # noqa: PLC0415

    for name, bound, value in (
        ("Fixed", Fixed(4), b"12345"), ("Fixed", Fixed(4), b"123"), ("UpTo", UpTo(3), 4), ("UpTo", UpTo(3), -1),
        ("Items", Items(1), (1, 2)),
    ):  # fmt: skip
        if not bound.misfit(value):
            yield f"{name} lets {value!r} through"
