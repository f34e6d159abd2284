"""`bioguard attack --manifest`: what is attacked is what was asked for, and it is named."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from bioguard import cli
from bioguard.cli import attack as command
from bioguard.cli.__main__ import run
from bioguard.device.applications import manifests
from bioguard.evidence.attack.bench import ATTACKS
from bioguard.exit_codes import ExitCode
from tee_sim.shared.manifest import NEW_UUID

SCHEMA = json.loads(Path(str(cli.__file__)).with_name("schema").joinpath("output.schema.json").read_text("utf-8"))
FOREIGN = "6f1c3b52-0000-4000-8000-00000000000a"


@pytest.fixture
def manifest(tmp_path: Path):
    def write(uuid: str, name: str = "vault", entry: str = "tests.tee_sim.attacks.broken:Vault") -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text(
            f'uuid = "{uuid}"\nname = "{name}"\nentry = "{entry}"\ncode = ["{entry.partition(":")[0]}"]\n'
            'flags = ["single_instance", "multi_session", "keep_alive"]\nshared_keys = ["auth-token-v1"]\n'
            'replies = "free"\n'
        )
        return path

    return write


def attack(capsys, *words: object) -> tuple[ExitCode, dict]:
    code = run(["--json", "attack", *map(str, words)])
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, SCHEMA)
    assert answer["schema"] in ("bioguard/attack/1", "bioguard/error/1")
    return code, answer


@pytest.mark.parametrize("names", [(), ("any.", "pin.wait"), ("pin.empty",)])
def test_a_foreign_uuid_is_refused_where_ours_are_needed(capsys, manifest, names: tuple[str, ...]) -> None:
    path = manifest(FOREIGN)
    code, answer = attack(capsys, *names, "--manifest", path)
    assert code is ExitCode.INPUT_REFUSED
    assert answer["error"]["code"] == "attack.uuid"
    assert answer["error"]["message"].startswith(f"{path}: no application of ours has uuid {FOREIGN}")
    assert all(str(m.ta_uuid) in answer["error"]["hint"] for m in manifests())
    assert answer["error"]["hint"].endswith(f"or run: bioguard attack any. --manifest {path}")


def test_a_foreign_application_is_attacked_alone_and_named(capsys, manifest) -> None:
    path = manifest(FOREIGN)
    names = ("any.session-parameters", "any.many-sessions", "any.closed-session")
    code, answer = attack(capsys, *names, "--manifest", path)
    assert code is ExitCode.OK
    assert answer["targets"] == [{"name": "vault", "from": str(path)}]
    assert (answer["played"], answer["found"], answer["unknown"]) == (len(names), 0, 0)


def test_a_bug_in_it_is_found(capsys, manifest) -> None:
    code, answer = attack(
        capsys, "any.malformed", "--manifest", manifest(FOREIGN, entry="tests.tee_sim.attacks.broken:Parser")
    )
    assert code is ExitCode.NO
    (found,) = answer["attacks"]
    assert (found["name"], found["verdict"]) == ("any.malformed", "found")
    said = r"command 7 of vault dies of a malformed message \(OverflowError at broken\.py:\d+\)"
    assert re.fullmatch(said, found["detail"])


def test_what_stands_in_for_ours_is_named_and_attacked(capsys, manifest) -> None:
    keystore = next(m for m in manifests() if m.name == "keystore")
    path = manifest(str(keystore.ta_uuid), name="mine")
    code, answer = attack(capsys, "key.no-token", "--manifest", path)
    assert code is ExitCode.INPUT_REFUSED
    assert answer["error"]["message"] == ("1 of 1 attacks not played; key.no-token: the target answered NOT_SUPPORTED")
    code, answer = attack(capsys, "pin.empty", "--manifest", path)
    assert code is ExitCode.OK
    assert answer["targets"] == [
        {"name": "biometric", "from": "ours"},
        {"name": "gatekeeper", "from": "ours"},
        {"name": "mine", "from": str(path)},
    ]


def test_two_manifests_of_one_uuid_are_refused(capsys, manifest) -> None:
    paths = manifest(FOREIGN), manifest(FOREIGN, name="again")
    code, answer = attack(capsys, "any.", "--manifest", paths[0], "--manifest", paths[1])
    assert (code, answer["error"]["code"]) == (ExitCode.INPUT_REFUSED, "attack.manifest")
    assert answer["error"]["message"] == f"{paths[1]}:1: uuid: {FOREIGN} is also that of {paths[0]}"
    assert answer["error"]["hint"] == f"give one of them, or {NEW_UUID}"


@pytest.mark.parametrize("names", [(), ("any.",), ("pin.empty",)])
def test_code_of_ours_replaces_nothing(capsys, manifest, names: tuple[str, ...]) -> None:
    keystore = next(m for m in manifests() if m.name == "keystore")
    for uuid in (str(keystore.ta_uuid), FOREIGN):
        path = manifest(uuid, name="mine", entry=keystore.entry)
        code, answer = attack(capsys, *names, "--manifest", path)
        assert (code, answer["error"]["code"]) == (ExitCode.INPUT_REFUSED, "attack.ours")
        assert answer["error"]["message"] == (
            f"{path}: the entry {keystore.entry} is our own, so nothing of yours would be attacked"
        )
        assert answer["error"]["hint"] == "name a class of yours in entry; to attack ours, run: bioguard attack"


def test_a_manifest_that_is_wrong_is_refused_with_line_and_key(capsys, tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(f'uuid = "{FOREIGN}"\nname = "vault"\nentry = "a:B"\ncode = ["a"]\n[quota]\nobjekts = 65\n')
    code, answer = attack(capsys, "--manifest", path)
    assert (code, answer["error"]["code"]) == (ExitCode.INPUT_REFUSED, "attack.manifest")
    assert (answer["error"]["message"], answer["error"]["hint"]) == (
        f"{path}:6: quota.objekts: unknown key",
        "write objects",
    )
    path.write_bytes(b"\xff")
    code, answer = attack(capsys, "--manifest", path)
    assert (code, answer["error"]["message"]) == (ExitCode.INPUT_REFUSED, f"{path}: not UTF-8")


def test_people_read_what_was_attacked_too(capsys, manifest) -> None:
    keystore = next(m for m in manifests() if m.name == "keystore")
    path = manifest(str(keystore.ta_uuid), name="mine")
    assert run(["attack", "pin.empty", "--manifest", str(path)]) is ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "attacked biometric: ours",
        "attacked gatekeeper: ours",
        f"attacked mine: {path}",
        f"1 of {len(ATTACKS)} attacks played, 0 worked, 0 unknown",
    ]


def test_a_bench_that_takes_a_foreign_uuid_as_ours_is_seen(capsys, manifest, monkeypatch) -> None:
    """The bench of 0.1: ours were attacked and held, the manifest never was, and the answer was a clean pass."""

    def as_it_was(paths, _chosen):
        given = command._manifests(paths)
        played = list(({m.uuid: m for m in manifests()} | {m.uuid: m for m in given}).values())
        return played, {m.name: "ours" for m in played}

    monkeypatch.setattr(command, "_targets", as_it_was)
    with pytest.raises(AssertionError):
        test_a_foreign_uuid_is_refused_where_ours_are_needed(capsys, manifest, ("pin.empty",))
