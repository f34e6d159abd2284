"""The bench finds nothing in our applications and every planted bug in the vulnerable ones."""

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from bioguard.device.applications import manifests
from bioguard.errors import InputRefused
from bioguard.evidence.attack.bench import ATTACKS, Verdict, play, select
from bioguard.evidence.attack.kit import Stage
from bioguard.evidence.attack.target import Outside, Target
from tee_sim.shared.codec import encode
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import NO_PARAMS
from tee_sim.testing.attacks import attack as moves
from tee_sim.testing.attacks import bench as simulator
from tee_sim.testing.attacks.messages import COMMANDS
from tee_sim.testing.attacks.world import AttackedWorld, request_params
from tests.tee_sim.attacks import broken as anything

sys.path.insert(0, str(Path(__file__).parent))
VULNERABLE = {
    name: {cls.__name__: cls.FINDS for cls in import_module(f"vulnerable.{name}").VARIANTS}
    for name in ("biometric", "dating", "deciding", "enrolling", "gatekeeper", "keystore", "sensors")
}
APPLICATION = {"dating": "biometric", "deciding": "biometric", "enrolling": "biometric", "sensors": "biometric"}
"""Whose variants a module holds, where it has another name."""
PLANTED = import_module("vulnerable.device").PLANTED
sys.path.pop(0)
CASES = [
    (app, variant, attack) for app, cases in VULNERABLE.items() for variant, found in cases.items() for attack in found
]
OTHERS = [(cls.__name__, attack) for cls in anything.VARIANTS for attack in cls.FINDS]
ON_DEVICES = [(name, attack) for name, bug in PLANTED.items() for attack in bug.finds]


def with_variant(module: str, variant: str) -> list[Manifest]:
    app = APPLICATION.get(module, module)
    return [replace(m, entry=f"vulnerable.{module}:{variant}") if m.name == app else m for m in manifests()]


ON_ANY = [a for a in ATTACKS if a.stage is Stage.ANY]
UNDECLARED = (request_params(b""), request_params(encode([])), request_params(encode([bytes(16)])), NO_PARAMS)
FEW = (*range(0, 256, 8), *COMMANDS[-2:])
"""Of the numbers that no application declares: what ours do with one is what they do with all."""


@pytest.mark.parametrize("attack", ATTACKS, ids=[a.name for a in ATTACKS])
def test_ours_holds(attack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "COMMANDS", FEW)
    finding = next(play(manifests(), [attack], command_line=run))
    assert (finding.verdict, finding.detail) == (Verdict.HELD, "")


@pytest.mark.campaign
@pytest.mark.parametrize("attack", ON_ANY, ids=lambda a: a.name)
def test_ours_holds_whatever_number_is_tried(attack) -> None:
    finding = next(play(manifests(), [attack], command_line=run))
    assert (finding.verdict, finding.detail) == (Verdict.HELD, "")


def test_ours_refuse_every_number_that_they_do_not_declare_in_the_same_way() -> None:
    """So a few of them stand for all where an attack sends hundreds of messages to each."""
    with AttackedWorld(manifests()) as world:
        for manifest in manifests():
            world.session(manifest.ta_uuid)
            declared = world.declared(manifest)
            told = {
                number: {world.invoke(manifest.ta_uuid, number, params).result for params in UNDECLARED}
                for number in COMMANDS
                if number not in declared
            }
            assert len(told) == len(COMMANDS) - len(declared) > 200
            assert {result for results in told.values() for result in results} == {TeeResult.NOT_SUPPORTED}
        assert world.panics == []


@pytest.mark.parametrize(("app", "variant", "attack"), CASES, ids=["-".join(c) for c in CASES])
def test_planted_bug_is_found(app: str, variant: str, attack: str) -> None:
    chosen = [a for a in ATTACKS if a.name == attack]
    finding = next(play(with_variant(app, variant), chosen, command_line=run))
    assert finding.verdict is Verdict.FOUND, finding.detail
    assert finding.detail


CONTAINED = [
    (cls.__name__, attack)
    for cls in import_module("tests.evidence.attack.vulnerable.biometric").VARIANTS
    for attack in getattr(cls, "CONTAINED", ())
]


@pytest.mark.parametrize(("variant", "attack"), CONTAINED, ids=["-".join(c) for c in CONTAINED])
def test_the_core_ends_an_application_whose_bug_would_have_it_vouch_for_what_it_has_not_made(
    variant: str, attack: str
) -> None:
    """An id out of a token that was not checked, or made by counting, is put nowhere (`tee_sim.secure.made`)."""
    (finding,) = play(with_variant("biometric", variant), select([attack]), command_line=run)
    assert (finding.verdict, finding.detail) == (Verdict.UNKNOWN, "the target answered TARGET_DEAD")


def test_the_attacks_on_any_application_are_those_that_the_simulator_tests() -> None:
    """Against each planted bug, one without and one that does not start: tests/tee_sim/attacks/test_attacks.py."""
    ours = [(a.name, a.title, a.source, a.play) for a in ATTACKS if a.stage is Stage.ANY]
    assert ours == [(a.name, a.title, a.source, a.play) for a in simulator.ATTACKS]


@pytest.mark.parametrize(
    ("variant", "verdict", "detail"),
    [
        ("Parser", Verdict.FOUND, "command 7 of vault dies of a malformed message (OverflowError at broken.py:"),
        ("Vault", Verdict.HELD, ""),
        ("NotThere", Verdict.UNKNOWN, "the target answered TARGET_DEAD"),
    ],
)
def test_an_application_that_is_none_of_ours_is_judged(variant: str, verdict: Verdict, detail: str) -> None:
    (found,) = play([anything.manifest(variant)], select(["any.malformed"]))
    assert (found.verdict, found.detail.startswith(detail)) == (verdict, True), found.detail
    assert bool(found.detail) == (verdict is not Verdict.HELD)


@pytest.mark.parametrize(("bug", "attack"), ON_DEVICES, ids=["-".join(c) for c in ON_DEVICES])
def test_planted_bug_of_a_device_is_found(bug: str, attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[bug].plant(monkeypatch)
    (found,) = play(manifests(), select([attack]), command_line=run)
    assert (found.verdict, bool(found.detail)) == (Verdict.FOUND, True), found.detail


def test_a_device_that_does_not_work_is_unknown_not_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args, **_more):
        raise InputRefused("a view is missing", hint="", code="enroll.no_sample")

    monkeypatch.setattr("bioguard.device.facade.Device.enroll", broken)
    (found,) = play(manifests(), select(["disk.exchange-names"]), command_line=run)
    assert found.verdict is Verdict.UNKNOWN
    assert found.detail == "the device answered enroll.no_sample: a view is missing"


def test_every_attack_has_a_bug_that_only_exists_to_be_found() -> None:
    found = {attack for _, _, attack in CASES} | {attack for _, attack in OTHERS + ON_DEVICES + CONTAINED}
    assert found == {a.name for a in ATTACKS}


def test_the_bench_is_as_broad_as_promised() -> None:
    paths = [a for a in ATTACKS if "Heist" in a.source]
    assert {a.source[-6:] for a in paths} == {"path 1", "path 2", "path 3", "path 4"}
    assert len(ATTACKS) >= 24 + len({a.source for a in paths})
    assert len({a.name for a in ATTACKS}) == len(ATTACKS)


def test_an_application_that_does_not_work_is_unknown_not_a_pass() -> None:
    class Deaf(Target):
        def exchange(self, message):
            answer = super().exchange(message)
            return replace(answer, params=()) if answer.params else answer

    def deaf(m):
        return Deaf(m)

    verdicts = {f.verdict for f in play(manifests(), select(["lockout.none", "key.expired"]), target=deaf)}
    assert verdicts == {Verdict.UNKNOWN}


def test_selection() -> None:
    assert {a.name.split(".")[0] for a in select(["pin.", "key.expired"])} == {"pin", "key"}
    assert select([]) == ATTACKS
    assert select(["any."]) == tuple(a for a in ATTACKS if a.stage is Stage.ANY)
    with pytest.raises(InputRefused, match=r"^no attack is called 'nonsense'$"):
        select(["nonsense"])


@pytest.mark.parametrize(
    "text",
    [
        "key 000102030405060708090a0b0c0d0e0f",
        "\n".join(f"hmac key[{i}] = 0x{i:02x}" for i in range(16)),
        " ".join(f"{i:02x}" for i in range(16)),
        ", ".join(str(i) for i in range(16)),
        "0x" + ",0x".join(f"{i:02X}" for i in range(16)),
    ],
)
def test_a_key_in_text_is_seen_however_it_is_written(text: str) -> None:
    outside = Outside()
    outside.text.write("nothing here: 12, 0x34\n" + text)
    assert outside.holds(bytes(range(16))) == "printed or logged text"
    assert outside.holds(bytes(range(1, 17))) is None


def test_a_key_in_replies_is_seen() -> None:
    outside = Outside()
    outside.replies += b"xx" + bytes(range(16)) + b"yy"
    assert outside.holds(bytes(range(16))) == "a reply"
