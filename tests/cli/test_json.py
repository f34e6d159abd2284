"""Every command's `--json` is one object that fits the shipped schema, and `docs/json.md` lists its fields.

One story is played; `BIOGUARD_UPDATE_DOCS=1 pytest tests/cli/test_json.py` rewrites schema and page from what it saw.
"""

import contextlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bioguard.cli.__main__ import run
from bioguard.exit_codes import ExitCode
from tests.unlocked import unlocked_devices

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "src" / "bioguard" / "cli" / "schema" / "output.schema.json"
PAGE = ROOT / "docs" / "json.md"
ENVELOPE = ("schema", "bioguard_version", "outcome", "exit_code", "error")
TYPES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}

STORY = """
0 samples samples --people 2
0 device init --no-require-pin
0 device status
0 clock show
5 clock advance 31s
2 device status --seed x
0 user add alice
0 user add bob
0 user list
0 user list --trace trace.json
0 trace show trace.json
0 trace html trace.json --out trace.html
0 pin set alice --pin-file pin
0 pin verify alice --pin-file pin
3 pin verify alice --pin-file wrong
0 pin status alice
0 consent grant alice --purpose unlock --purpose key-use --purpose identify --of-age --pin-file pin
0 consent grant bob --purpose unlock --of-age
0 consent list alice
0 enroll alice --finger right-index TOUCHES --pin-file pin
0 enroll alice --face FACES --pin-file pin
0 authenticate alice samples/alice-touch4.iso --operation-id 7 --token token.bin
3 authenticate alice samples/bob-touch4.iso
0 pin verify alice --pin-file pin --token pin-token.bin
0 identify samples/alice-face4.npy
3 identify samples/bob-face4.npy
0 token show token.bin
0 token verify token.bin
3 token verify altered.bin
0 list
0 list alice
0 access alice --pin-file pin
0 export alice --out export.json --pin-file pin
0 explain
0 notice
0 policy
0 policy set --retention-days 100
0 purge
0 request open alice --kind access --pin-file pin
0 request list
0 request extend 3 --reason complex
0 request answer 3
4 request answer 3
0 restrict alice --pin-file pin
5 authenticate alice samples/alice-touch4.iso
0 unrestrict alice --pin-file pin
0 pin unlock alice --pin-file pin
0 consent object alice --purpose identify --pin-file pin
0 consent confirm alice --pin-file pin
0 log show --out log.cbor
0 log verify log.cbor
0 log checkpoint
0 log checkpoint --out checkpoint.txt
0 log show --out later.json
0 log verify later.json --older checkpoint.txt
7 log verify log.cbor --older checkpoint.txt
4 log verify checkpoint.txt
0 log prove 0
0 log prove 0 --out entry.tlog-proof
0 attest --nonce NONCE
0 attest --nonce NONCE --out token.cbor
0 fault list
0 fault set sensor_strength=2
0 fault clear
0 fault play knob:enrollments=1 authenticate touch
0 match explain samples/alice-touch1.iso samples/alice-touch2.iso --svg pair.svg
0 convert samples/alice-touch1.iso touch.xyt
0 device rekey
5 device backup
5 device restore
2 rectify alice --name alicia --finger left-thumb --pin-file pin
0 rectify alice --name alicia --pin-file pin
0 rectify alicia --name alice --pin-file pin
0 enroll bob --finger right-index TOUCHES
0 rectify bob --record RECORD --finger left-thumb
0 erase bob --all --force
0 consent withdraw alice --purpose unlock --pin-file pin
0 consent withdraw alice --purpose key-use --purpose identify --receipt withdrawn.json --pin-file pin
0 enroll bob --face FACES
0 mark-underage bob --force --receipt child.json
0 mark-underage bob --force
0 consent grant bob --purpose unlock --of-age
0 enroll bob --face FACES
0 erase bob --all --force --receipt erased.json
0 log verify erased.json --store phone/storage.db
4 erase bob --all --force --receipt erased.json
0 erase bob --all --force
0 enroll bob --face FACES
0 user remove bob --force --receipt removed.json
4 user remove alice --force
0 user remove alice --force --operator
0 incident
0 attack --list
0 attack pin.empty any.session-parameters
0 device reboot
0 device wipe --force
6 device status
2 nonsense
4 authenticate alice nothing.iso
4 trace show nothing.iso
"""
ELSEWHERE = {
    "clock-advance": "needs a stepped clock: tests/device/test_driven_clock.py",
    "show": "needs a record id: tests/cli/test_errors.py",
    "doctor": "tests/cli/test_errors.py",
    "demo": "tests/cli/test_errors.py",
    "audit-egress": "tests/evidence/escape_battery",
    "audit-leaks": "tests/evidence/leak_scan",
    "audit-reference": "tests/evidence/test_reference.py",
    "audit-run": "tests/evidence",
    "audit-verify": "tests/evidence",
    "incident-ack": "tests/policy",
    "token-agree": "tests/contract",
}
"""Commands whose output the story does not show, and where it is tested."""


LOCKED = ("0 device init", "0 device status", "0 device reboot", "0 authenticate", "0 attest", "0 attack")
"""Steps whose secure world is the locked one; the others say nothing of it, and start in the test's own process."""


def filled(step: str) -> str:
    """A step with its long words."""
    touches = " ".join(f"samples/alice-touch{i}.iso" for i in (1, 2, 3))
    faces = " ".join(f"samples/alice-face{i}.npy" for i in (1, 2, 3))
    return step.replace("NONCE", "ab" * 32).replace("TOUCHES", touches).replace("FACES", faces)


def call(line: list[str]) -> tuple[ExitCode, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = run([*line, "--json", "--no-input"])
    return code, out.getvalue()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    directory = tmp_path_factory.mktemp("story")
    before, device = Path.cwd(), os.environ.get("BIOGUARD_DEVICE")
    os.chdir(directory)
    os.environ["BIOGUARD_DEVICE"] = str(directory / "phone")
    Path("pin").write_text("2468\n")
    Path("wrong").write_text("1357\n")
    seen = []
    try:
        for step in STORY.strip().splitlines():
            records = [document["record_id"] for _, document in seen if document.get("record_id")]
            expected, *words = filled(step).replace("RECORD", records[-1] if records else "").split()
            world = contextlib.nullcontext() if step.startswith(LOCKED) else unlocked_devices()
            with world:
                code, text = call(words)
            assert (int(code), step) == (int(expected), step), text
            seen.append((step, json.loads(text)))
            if "--token" in words:
                token = bytearray(Path("token.bin").read_bytes())
                token[40] ^= 1
                Path("altered.bin").write_bytes(token)
        yield seen
    finally:
        os.chdir(before)
        if device is None:
            os.environ.pop("BIOGUARD_DEVICE")
        else:
            os.environ["BIOGUARD_DEVICE"] = device
        shutil.rmtree(directory, ignore_errors=True)


def kind_of(values: list[Any]) -> list[str]:
    return sorted({TYPES[type(value)] for value in values})


def described(seen: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    commands: dict[str, list[dict[str, Any]]] = {}
    for _, document in seen:
        commands.setdefault(document["schema"], []).append(document)
    branches = {}
    for name, documents in sorted(commands.items()):
        fields = sorted({key for document in documents for key in document} - set(ENVELOPE))
        branches[name] = {
            "required": [f for f in fields if all(f in document for document in documents)],
            "properties": {f: {"type": kind_of([d[f] for d in documents if f in d])} for f in fields},
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "output of bioguard --json, version 1",
        "type": "object",
        "required": list(ENVELOPE),
        "properties": {
            "schema": {"type": "string", "pattern": "^bioguard/[a-z-]+/1$"},
            "bioguard_version": {"type": "string"},
            "outcome": {"type": "string"},
            "exit_code": {"type": "integer", "enum": sorted(map(int, ExitCode))},
            "error": {
                "type": ["object", "null"],
                "required": ["code", "message", "hint"],
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "hint": {"type": "string"}},
            },
        },
        "allOf": [
            {"if": {"properties": {"schema": {"const": name}}}, "then": branch} for name, branch in branches.items()
        ],
    }


def page(schema: dict[str, Any]) -> str:
    lines = [
        "# JSON output",
        "",
        "Generated from `src/bioguard/cli/schema/output.schema.json`. With `--json`, standard output is one object.",
        "Every object has `schema`, `bioguard_version`, `outcome`, `exit_code` and `error` (null, or `code`,",
        "`message`, `hint`). Fields may be added within a major version; none is removed or changes its type.",
        "",
        "| schema | fields |",
        "|---|---|",
    ]
    for branch in schema["allOf"]:
        name = branch["if"]["properties"]["schema"]["const"]
        fields = [
            f"`{f}` {' or '.join(spec['type'])}{'' if f in branch['then']['required'] else ' (not always)'}"
            for f, spec in branch["then"]["properties"].items()
        ]
        lines.append(f"| `{name}` | {', '.join(fields)} |")
    return "\n".join(lines) + "\n"


def test_every_output_fits_the_shipped_schema(played: list[tuple[str, dict[str, Any]]]) -> None:
    if os.environ.get("BIOGUARD_UPDATE_DOCS"):
        SCHEMA.write_text(json.dumps(described(played), indent=1) + "\n", "utf-8")
        PAGE.write_text(page(described(played)), "utf-8")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    known = {branch["if"]["properties"]["schema"]["const"] for branch in schema["allOf"]}
    validator = jsonschema.Draft202012Validator(schema)
    for step, document in played:
        assert [error.message for error in validator.iter_errors(document)] == [], step
        assert document["schema"] in known, step
        assert (document["error"] is None) == (document["schema"] != "bioguard/error/1")
    assert PAGE.read_text("utf-8") == page(schema)


def test_a_wrong_type_or_a_missing_field_does_not_fit(played: list[tuple[str, dict[str, Any]]]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    document = next(d for _, d in played if d["schema"] == "bioguard/authenticate/1")
    for broken in ({**document, "match": "yes"}, {k: v for k, v in document.items() if k != "match"}, {"schema": "x"}):
        assert not validator.is_valid(broken)


def test_no_command_is_forgotten(played: list[tuple[str, dict[str, Any]]]) -> None:
    named = {
        name
        for path in (ROOT / "src" / "bioguard" / "cli").glob("*.py")
        for name in re.findall(r'command="([a-z-]+)"', path.read_text("utf-8"))
    }
    shown = {document["schema"].split("/")[1] for _, document in played}
    assert named - shown - set(ELSEWHERE) == set()


def test_nothing_secret_is_printed(played: list[tuple[str, dict[str, Any]]]) -> None:
    for step, document in played:
        assert "2468" not in json.dumps({k: v for k, v in document.items() if k in ("error", "outcome", "user")}), step
