"""The attacks on any application find each planted bug, and nothing where there is none."""

from collections.abc import Iterator
from functools import cache

import pytest

from tee_sim.secure.made.call import Call
from tee_sim.testing.attacks import attack
from tee_sim.testing.attacks.attack import converse
from tee_sim.testing.attacks.bench import ATTACKS, Finding, Verdict, play
from tee_sim.testing.attacks.messages import COMMANDS
from tee_sim.testing.attacks.world import AttackedWorld
from tests.tee_sim.attacks.broken import VARIANTS, manifest

FEW = (*range(16), *range(16, 256, 16), *COMMANDS[-2:])
"""Of the numbers to try: those of the planted bugs, and some of the many that nothing here answers."""
CASES = [(cls.__name__, attack) for cls in VARIANTS for attack in cls.FINDS]
BY_NAME = {attack.name: attack for attack in ATTACKS}


@pytest.fixture(autouse=True, scope="module")
def few_numbers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attack, "COMMANDS", FEW)
        yield


def test_every_number_of_a_byte_is_tried_and_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a few of them, which hold those that a planted bug answers."""
    monkeypatch.setattr(attack, "COMMANDS", COMMANDS)
    world = AttackedWorld([manifest("Vault")])
    tried = [number for number, _ in attack.commands(world, manifest("Vault"))]
    assert sorted(tried) == [*range(256), 2**31 - 1, 2**32 - 1]


def played(variant: str, name: str) -> Finding:
    (finding,) = play([manifest(variant)], [BY_NAME[name]])
    return finding


@pytest.fixture
def takes_any_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that puts what an application calls a digest: the bug of `KeyAsDigest` needs one."""
    monkeypatch.setattr(Call, "digest", lambda *_: None)


@cache
def found(variant: str, attack: str) -> Finding:
    """With `takes_any_digest`: one attack is judged by two tests, and played once."""
    return played(variant, attack)


@pytest.mark.usefixtures("takes_any_digest")
@pytest.mark.parametrize(("variant", "attack"), CASES, ids=["-".join(c) for c in CASES])
def test_planted_bug_is_found(variant: str, attack: str) -> None:
    finding = found(variant, attack)
    assert (finding.verdict, bool(finding.detail)) == (Verdict.FOUND, True), finding.detail


def test_the_core_ends_an_application_that_has_a_key_put_for_a_digest() -> None:
    world = AttackedWorld([manifest("KeyAsDigest")])
    converse(world)
    assert any("NotMadeError" in panic for panic in world.panics), world.panics
    assert not world.stored_key()


@pytest.mark.parametrize("attack", BY_NAME)
def test_an_application_without_a_bug_holds(attack: str) -> None:
    finding = played("Vault", attack)
    assert (finding.verdict, finding.detail) == (Verdict.HELD, "")


@pytest.mark.parametrize("attack", BY_NAME)
def test_one_that_does_not_start_is_unknown_not_a_pass(attack: str) -> None:
    finding = played("NotThere", attack)
    assert (finding.verdict, finding.detail) == (Verdict.UNKNOWN, "the target answered TARGET_DEAD")


def test_every_attack_has_a_bug_that_only_exists_to_be_found() -> None:
    assert {attack for _, attack in CASES} == set(BY_NAME)


DETAILS = {
    ("Parser", "any.malformed"): "command 7 of vault dies of a malformed message (OverflowError at broken.py:",
    ("Divides", "any.well-formed"): "command 5 of vault dies of a well-formed message (ZeroDivisionError at broken.py:",
    ("SecondTime", "any.well-formed"): "a conversation ends an application (AssertionError at broken.py:",
    ("KeyAsReceipt", "any.key-in-replies"): "vault leaks a key into a reply",
    ("KeyInHex", "any.key-in-replies"): "vault leaks a key into a reply",
    ("KeyInBase64", "any.key-in-replies"): "vault leaks a key into a reply",
    ("KeyInLog", "any.key-in-replies"): "vault leaks a key into printed or logged text",
    ("KeyAsDigest", "any.key-on-disk"): "vault has a key in clear on the disk: as a digest",
    ("TenSessions", "any.many-sessions"): "vault takes no session any more after many were opened and closed",
    ("ListOfSessions", "any.many-sessions"): "vault dies of 16 sessions (LookupError at broken.py:",
    (
        "OneSession",
        "any.closed-session",
    ): "vault dies in one session when another is closed (AttributeError at broken.py:",
    ("CannotReadItsOwn", "any.restart"): "vault does not start after command 5 and a restart: TARGET_DEAD (ValueError",
    ("TwoWrites", "any.power-cut"): "vault does not start after a power cut in its first start: TARGET_DEAD (",
    ("TwoWritesOfACommand", "any.power-cut"): "vault does not start after a power cut in command 5: TARGET_DEAD (",
    ("TwoCommits", "any.power-cut"): "command 6 of vault answers TARGET_DEAD (AssertionError at broken.py:",
    ("TwoCommitsByNumber", "any.power-cut"): "command 6 of vault answers TARGET_DEAD (AssertionError at broken.py:",
    ("TwoCommitsRefused", "any.power-cut"): (
        "command 6 of vault answers CORRUPT_OBJECT after a power cut in command 5, and SUCCESS without one"
    ),
    ("ForgetsToLoad", "any.restart"): "command 6 of vault dies after command 5 and a restart: TARGET_DEAD (Assertion",
}


@pytest.mark.usefixtures("takes_any_digest")
@pytest.mark.parametrize(("case", "said"), DETAILS.items(), ids=["-".join(c) for c in DETAILS])
def test_what_is_found_says_where(case: tuple[str, str], said: str) -> None:
    assert found(*case).detail.startswith(said)


def test_a_command_that_a_power_cut_breaks_is_said_with_what_it_answers_else() -> None:
    said = played("TwoCommits", "any.power-cut").detail
    assert said.endswith(") after a power cut in command 5, and SUCCESS without one")


@pytest.mark.parametrize("attack", ["any.restart", "any.power-cut"])
@pytest.mark.parametrize("variant", ["DiesOfItself", "Divides", "Parser"])
def test_what_fails_without_a_cut_is_no_finding_of_these(variant: str, attack: str) -> None:
    finding = played(variant, attack)
    assert (finding.verdict, finding.detail) == (Verdict.HELD, "")


def test_the_conversation_reaches_what_is_declared() -> None:
    """Without it every attack could be held by refusals alone: the requests fit their types."""
    world = AttackedWorld([manifest("Vault")])
    converse(world)
    names = [h.object_id for h in world._world._store.namespace(manifest("Vault").ta_uuid).headers()]
    assert {bytes(8), b"\xff" * 8} < set(names)
    assert len(names) > 4
