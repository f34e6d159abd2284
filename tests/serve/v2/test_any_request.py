"""Requests of every method with fields that fit their form and mean nothing: each is answered or refused by a code of
the page, and the server goes on."""

from enum import IntEnum
from random import Random
from typing import Any

import pytest

from bioguard.serve.hints import FAMILIES, HINTS
from bioguard.serve.v2.table import METHODS
from tee_sim.shared.schema import AtMost, Bound, Fixed, Items, Record, RecordField, Text, UpTo, record_fields
from tests.serve.v2.client import Client, Refused

ROUNDS = 4
NAMES = (b"ada", b"ben", b"", "é".encode(), b"\xff", b"x" * 256)
NUMBERS = (0, 1, 2, 3, 5, 255, 1000)
SKIPPED = {"reboot"}
"""A start each; other tests have it."""


def _scalar(bound: Bound | None, random: Random, known: list[Any]) -> Any:
    match bound:
        case UpTo(maximum):
            return random.choice([n for n in (*NUMBERS, maximum) if n <= maximum])
        case Fixed(size_bytes):
            return random.choice(
                [one for one in known if type(one) is bytes and len(one) == size_bytes] or [bytes(size_bytes)]
            )
        case AtMost(size_bytes):
            fitting = [one for one in known if type(one) is bytes and len(one) <= size_bytes]
            return random.choice([*fitting, b"", *(name for name in NAMES if len(name) <= size_bytes)])
        case Text():
            return random.choice(["", "lockout", "quality_sequence", "true", "2,5,1", "storage", "nonsense"])
    raise TypeError(bound)


def _kind(kind: type, bound: Bound | None, random: Random, known: list[Any]) -> Any:
    if issubclass(kind, Record):
        return [_field(field, random, known) for field in record_fields(kind)]
    if issubclass(kind, IntEnum) and bound is None:
        return int(random.choice(list(kind)))
    return random.choice([False, True]) if kind is bool else _scalar(bound, random, known)


def _field(field: RecordField, random: Random, known: list[Any]) -> Any:
    if field.optional and random.random() < 0.4:
        return None
    if isinstance(field.bound, Items):
        return [
            _kind(field.item, field.bound.item, random, known)
            for _ in range(random.randrange(field.bound.count + 1) % 4)
        ]
    return _kind(field.kind, field.bound, random, known)


def _leaves(plain: Any) -> list[Any]:
    return [leaf for one in plain for leaf in _leaves(one)] if isinstance(plain, list) else [plain]


@pytest.mark.parametrize("seed", [22, 23])
def test_every_request_of_its_form_is_answered_or_refused_by_a_code_of_the_page(client: Client, seed: int) -> None:
    random, known, answered = Random(seed), [], set()
    for _ in range(ROUNDS):
        for method in random.sample(METHODS, len(METHODS)):
            if method.name in SKIPPED:
                continue
            fields = [_field(field, random, known) for field in record_fields(method.request)]
            try:
                known += _leaves(client.ask(method.name, *fields))
                answered.add(method.name)
            except Refused as refusal:
                assert refusal.code in HINTS or refusal.code.startswith(tuple(FAMILIES)), (method.name, fields)
            known += [leaf for _, _, event in client.events for leaf in _leaves(event)]
    client.ask("fault_clear", "")
    assert len(answered) > 12
    assert client.ask("hello")[0] == 2
