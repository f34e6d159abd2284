"""Requests of every method with fields that fit their form and mean nothing: each is answered or refused by a code of
the page, and the server goes on."""

from random import Random
from typing import Any

import pytest

from bioguard.serve.hints import FAMILIES, HINTS
from bioguard.serve.v2.table import METHODS
from tee_sim.shared.schema import record_fields
from tests.serve.v2.any_fields import any_field
from tests.serve.v2.client import Client, Refused

ROUNDS = 4
SKIPPED = {"reboot"}
"""A start each; other tests have it."""


def _leaves(plain: Any) -> list[Any]:
    return [leaf for one in plain for leaf in _leaves(one)] if isinstance(plain, list) else [plain]


@pytest.mark.parametrize("seed", [22, 23])
def test_every_request_of_its_form_is_answered_or_refused_by_a_code_of_the_page(client: Client, seed: int) -> None:
    random, known, answered = Random(seed), [], set()
    for _ in range(ROUNDS):
        for method in random.sample(METHODS, len(METHODS)):
            if method.name in SKIPPED:
                continue
            fields = [any_field(field, random, known) for field in record_fields(method.request)]
            try:
                known += _leaves(client.ask(method.name, *fields))
                answered.add(method.name)
            except Refused as refusal:
                assert refusal.code in HINTS or refusal.code.startswith(tuple(FAMILIES)), (method.name, fields)
            known += [leaf for _, _, event in client.events for leaf in _leaves(event)]
    client.ask("fault_clear", "")
    assert len(answered) > 12
    assert client.ask("hello")[0] == 2
