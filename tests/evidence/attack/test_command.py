"""`bioguard attack --manifest`: what is attacked is what was asked for, and it is named."""

import json
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from bioguard.device.launch import manifests
from bioguard.evidence.attack.bench import ATTACKS
from bioguard.evidence.attack.kit import Stage
from bioguard.exit_codes import ExitCode

FOREIGN = "6f1c3b52-0000-4000-8000-00000000000a"
ANY = [a for a in ATTACKS if a.stage is Stage.ANY]


@pytest.fixture
def manifest(tmp_path: Path):
    def write(uuid: str, name: str = "vault", entry: str = "vulnerable.anything:Vault") -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text(
            f'uuid = "{uuid}"\nname = "{name}"\nentry = "{entry}"\ncode = ["vulnerable.anything"]\n'
            'flags = ["single_instance", "multi_session", "keep_alive"]\nshared_keys = ["auth-token-v1"]\n'
        )
        return path

    return write


def attack(capsys, *words: object) -> tuple[ExitCode, dict]:
    code = run(["--json", "attack", *map(str, words)])
    return code, json.loads(capsys.readouterr().out)


def test_a_foreign_uuid_is_refused_where_ours_are_needed(capsys, manifest) -> None:
    path = manifest(FOREIGN)
    for names in ((), ("any.", "pin.wait")):
        code, answer = attack(capsys, *names, "--manifest", path)
        assert code is ExitCode.INPUT_REFUSED
        assert answer["error"]["code"] == "attack.uuid"
        assert answer["error"]["message"].startswith(f"{path}: no application of ours has uuid {FOREIGN}")
        assert all(str(m.ta_uuid) in answer["error"]["hint"] for m in manifests())
        assert answer["error"]["hint"].endswith(f"or run: bioguard attack any. --manifest {path}")


def test_a_foreign_application_is_attacked_alone_and_named(capsys, manifest) -> None:
    path = manifest(FOREIGN)
    code, answer = attack(capsys, "any.", "--manifest", path)
    assert code is ExitCode.OK
    assert answer["targets"] == [{"name": "vault", "from": str(path)}]
    assert (answer["played"], answer["found"], answer["unknown"]) == (len(ANY), 0, 0)


def test_a_bug_in_it_is_found(capsys, manifest) -> None:
    code, answer = attack(capsys, "any.malformed", "--manifest", manifest(FOREIGN, entry="vulnerable.anything:Parser"))
    assert code is ExitCode.NO
    assert answer["attacks"] == [
        {"name": "any.malformed", "verdict": "found", "detail": "command 7 of vault dies of a malformed message"}
    ]


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
    assert (code, answer["error"]["message"]) == (ExitCode.INPUT_REFUSED, "two manifests have the same uuid")
