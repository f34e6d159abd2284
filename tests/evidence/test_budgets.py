"""BG-SBX-005 fails where a request, a manifest or the core breaks the promise, and passes where nothing does."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bioguard.commands.biometric import AUTHENTICATE, BIOMETRIC_UUID
from bioguard.device.applications import manifests
from bioguard.evidence import budgets
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.report import Status
from tee_sim.secure.ledger import Ledger
from tee_sim.shared.errors import Origin, TeeResult
from tee_sim.shared.manifest import CommandBudget
from tee_sim.shared.params import NO_PARAMS
from tee_sim.shared.wire import HEAD_BYTES, Invoke, OpenSession, Return, pack

BIOMETRIC = BIOMETRIC_UUID.bytes


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryDevice]:
    with TemporaryDevice(tmp_path_factory.mktemp("budgets") / "device") as temporary:
        yield temporary


def frames(bits: int) -> list[tuple[str, bytes]]:
    """One decision that came to so many bits."""
    done = Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=3, bits=9)
    return [
        ("to-secure", pack(OpenSession(uuid=BIOMETRIC, params=NO_PARAMS))),
        ("from-secure", pack(done)[HEAD_BYTES:]),
        ("to-secure", pack(Invoke(session=3, command=AUTHENTICATE.number, params=NO_PARAMS))),
        ("from-secure", b"no frame"),
        ("from-secure", pack(replace(done, bits=bits))[HEAD_BYTES:]),
    ]


def test_the_honest_product_is_within_its_budgets(lived: TemporaryDevice) -> None:
    check = budgets.budget_check(lived)
    assert (check.status, check.id, check.clauses) == (Status.PASS, "BG-SBX-005", ("POL-04",))
    assert "biometric command 11: at most" in "\n".join(check.details)


def test_a_decision_above_its_budget_fails() -> None:
    found = budgets.dearest(frames(65))
    assert found == {(BIOMETRIC, None): 9, (BIOMETRIC, AUTHENTICATE.number): 65}
    assert budgets.over(found, manifests()) == ["biometric command 11: 65 bits of 64"]
    assert budgets.over(budgets.dearest(frames(64)), manifests()) == []


def test_a_manifest_without_a_budget_or_with_a_wide_decision_fails() -> None:
    first, *others = manifests()
    none = replace(first, budget_bits=None, start_bits=None, budgets=(), writes=(), reads=())
    assert budgets.over({}, (none, *others)) == [
        "biometric has no budget",
        "biometric command 11 may tell more than 64 bits",
        "biometric command 12 may tell more than 64 bits",
    ]
    wide = tuple(replace(b, bits=65) if b.command == 12 else b for b in first.budgets)
    assert budgets.over({}, (replace(first, budgets=wide),)) == ["biometric command 12 may tell more than 64 bits"]


def test_a_core_that_counts_and_does_not_end_fails(lived: TemporaryDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    assert budgets.enforced()
    monkeypatch.setattr(Ledger, "spent", property(lambda _self: False))
    assert not budgets.enforced()
    assert budgets.budget_check(lived).status is Status.FAIL


def test_no_decision_seen_is_unknown(lived: TemporaryDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "dearest", lambda _frames: {})
    assert budgets.budget_check(lived).status is Status.UNKNOWN


def test_a_budget_names_each_command_once() -> None:
    first, *_ = manifests()
    assert len({budget.command for budget in first.budgets}) == len(first.budgets)
    assert CommandBudget(command=AUTHENTICATE.number, bits=64) in first.budgets
