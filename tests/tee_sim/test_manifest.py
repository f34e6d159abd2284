"""Manifests: strict TOML in, one frozen record out; what is wrong is named with file, key and line."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from tee_sim.secure.world import SecureWorld
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest import MAX_HEAP_BYTES, MAX_TIME_MS, NEW_UUID, Manifest, Replies, refuse_twins
from tee_sim.shared.manifest_values import ManifestError, Misfit
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.wire import Boot, LockProfile, Provision

GOOD = """
uuid = "8aaaf200-2450-11e4-abe2-0002a5d5c51b"
name = "x"
entry = "a.b:C"
code = ["a", "a.b"]
flags = ["single_instance"]
[quota]
objects = 3
object_bytes = 100
"""
NO_SUCH = (
    "remove it; the keys here are uuid, name, entry, code, preload, warmup, resources, flags, shared_keys, digest, "
    "calls, sensors, replies, reserve, spares, statement, quota, budget"
)


PEER = UUID("6f1f3c1a-9f0e-5b51-8d0c-2c7c2f3b7a01")


def test_parses_what_the_format_says() -> None:
    manifest = Manifest.from_toml(GOOD)
    assert manifest.ta_uuid == UUID("8aaaf200-2450-11e4-abe2-0002a5d5c51b")
    assert (manifest.code, manifest.max_objects, manifest.max_object_bytes) == (("a", "a.b"), 3, 100)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_limits_of_the_process_and_what_they_are_without_a_word() -> None:
    manifest = Manifest.from_toml(GOOD)
    assert (manifest.heap_bytes, manifest.time_ms, manifest.spares) == (256 << 20, 30_000, 3)
    assert manifest.replies is Replies.CLOSED
    text = GOOD.replace("[quota]", 'replies = "free"\nspares = 8\n[quota]\nheap_bytes = 1048576\ntime_ms = 1')
    manifest = Manifest.from_toml(text)
    assert (manifest.heap_bytes, manifest.time_ms, manifest.spares) == (1 << 20, 1, 8)
    assert manifest.replies is Replies.FREE
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_nothing_of_the_reserve_is_used_without_a_word() -> None:
    assert Manifest.from_toml(GOOD).reserve is Reserve.NONE
    for reserve in Reserve:
        manifest = Manifest.from_toml(GOOD.replace("[quota]", f'reserve = "{reserve.name.lower()}"\n[quota]'))
        assert manifest.reserve is reserve
        assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_nobody_is_called_unless_the_manifest_says_so() -> None:
    assert Manifest.from_toml(GOOD).calls == ()
    manifest = Manifest.from_toml(GOOD.replace("[quota]", f'calls = ["{PEER}"]\n[quota]'))
    assert manifest.calls == (PEER.bytes,)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_what_the_core_makes_is_in_the_manifest() -> None:
    manifest = Manifest.from_toml(GOOD + TWO_STATEMENTS)
    assert [(s.key, s.parts, s.size_bytes) for s in manifest.statements] == [
        ("k", ("00", "echo:8", "id:8", "time:8"), 57),
        ("l", ("00", "id:8"), 41),
    ]
    assert (manifest.digest, manifest.shared_keys, manifest.key_names) == ("", (), {"k", "l"})
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    five = "".join(f'[[statement]]\nkey = "{n}"\nparts = ["id:8"]\n' for n in range(5))
    with pytest.raises(ManifestError, match=r"^manifest:10: statement: 5 tables, expected at most 4 "):
        Manifest.from_toml(GOOD + five)


def test_files_below_a_package_may_be_resources() -> None:
    named = ("a:table.bin", "a.b:models/en v2.1/..x.bin", "a:.hidden")
    text = GOOD.replace("[quota]", f"resources = {list(named)!r}\n[quota]")
    assert Manifest.from_toml(text).resources == named


@pytest.mark.parametrize("named", ["a:../x", "a:x\\y", "a:x\0", "a:\u00e9", "a:x\n"])
def test_a_manifest_that_was_never_a_file_is_held_to_the_same(named: str) -> None:
    """It comes in the BOOT message, too."""
    raw = Manifest.from_toml(GOOD.replace("[quota]", 'resources = ["a:QQQQ"]\n[quota]')).to_bytes()
    with pytest.raises(TeeError, match="is not package:file, a file below the folder of the package"):
        replace(Manifest.from_bytes(raw), resources=(named,))
    with pytest.raises(TeeError):
        Manifest.from_bytes(raw.replace(b"a:QQQQ", b"a:../x"))


FORMAT = "see docs/formats/manifest.md"
W = {
    name: f"write {under}for instance: {name} = {value}"
    for under, name, value in (
        ("", "uuid", '"8d3f0c52-6f3e-4a51-9a55-0d6a3c1b7e21"'),
        ("", "name", '"counter"'),
        ("", "entry", '"package.app:App"'),
        ("", "code", '["package.*"]'),
        ("", "preload", '["tee_sim"]'),
        ("", "calls", '["3b7a01c2-1d52-5c6e-9a41-8d0c2c7c2f02"]'),
        ("", "replies", '"closed"'),
        ("", "reserve", '"none"'),
        ("", "spares", "3"),
        ("under [quota] ", "objects", "1000"),
        ("under [quota] ", "object_bytes", "65536"),
        ("under [quota] ", "heap_bytes", "268435456"),
        ("under [quota] ", "time_ms", "30000"),
    )
}
TWO_STATEMENTS = """[[statement]]
key = "k"
parts = ["00", "echo:8", "id:8", "time:8"]
[[statement]]
key = "l"
parts = ["00", "id:8"]"""
PARTS = 'write for instance: parts = ["00", "echo:8", "id:8", "time:8"]'
KEY = 'write for instance: key = "auth-token"'
DIGEST = 'write for instance: digest = "my-commit-v1"'
STATEMENTS = 'write for instance: statement = [{ key = "auth-token", parts = ["00", "echo:8", "id:8", "time:8"] }]'
REFUSED: list[tuple[tuple[str, str], str, str, str]] = [
    # what is changed, what is said after the file, the kind of mistake, the hint
    (("[quota]", 'calls = ["*"]\n[quota]'), ":7: calls: '*' is not a UUID", "wrong_value", W["calls"]),
    (("[quota]", f'calls = "{PEER}"\n[quota]'), ":7: calls: expected a list, found a string", "wrong_type", W["calls"]),
    (("[quota]", "calls = [5]\n[quota]"), ":7: calls: expected a string, found an integer", "wrong_type", W["calls"]),
    (
        ("[quota]", 'calls = ["8aaaf200-2450-11e4-abe2-0002a5d5c51b"]\n[quota]'),
        ":7: calls: names itself, or one application twice",
        "wrong_value",
        "name each other application once",
    ),
    (
        ("[quota]", f'calls = ["{PEER}", "{str(PEER).upper()}"]\n[quota]'),
        ":7: calls: names itself, or one application twice",
        "wrong_value",
        "name each other application once",
    ),
    (
        ("[quota]", 'reserve = "everything"\n[quota]'),
        ":7: reserve: 'everything' is not none or anchored or all",
        "wrong_value",
        W["reserve"],
    ),
    (
        ("[quota]", "reserve = 2\n[quota]"),
        ":7: reserve: expected a string, found an integer",
        "wrong_type",
        W["reserve"],
    ),
    *(
        (
            ("[quota]", f'resources = ["a:fine.bin", "{named}"]\n[quota]'),
            f":7: resources: {named!r} is not package:file, a file below the folder of the package",
            "wrong_value",
            'move the file into the package, and write for instance: resources = ["package:file.bin"]',
        )
        for named in (
            *("a:../secret", "a:/etc/hostname", "a:sub/../../secret", "a:sub/..", "a:./x", "a:sub//x", "a:sub/", "a:"),
            *(":x", "x", "a/b:x", "..:x", "a.:x", "a.*:x"),
        )
    ),
    *(
        (
            ("[quota]", f'{key} = ["{named}"]\n[quota]') if key != "code" else ('"a.b"]', f'"{named}"]'),
            f":{7 if key != 'code' else 5}: {key}: {named!r} is not the name of a module",
            "wrong_value",
            W[key],
        )
        for key in ("code", "preload")
        for named in ("a./etc/x", "a/../x", "/etc/x", "..", "a..b", ".a", "*")
    ),
    (("uuid = ", "uid = "), ":2: uid: unknown key", "unknown_key", "write uuid"),
    (("uuid = ", "identity = "), ":2: identity: unknown key", "unknown_key", NO_SUCH),
    (("objects = 3", "objekts = 65"), ":8: quota.objekts: unknown key", "unknown_key", "write objects"),
    (("name = ", "objects = 5\nname = "), ":3: objects: unknown key", "unknown_key", "move it under [quota]"),
    (("objects = 3", "spares = 3"), ":8: quota.spares: unknown key", "unknown_key", "move it above the first table"),
    (("[quota]", "[more]\nx = 1\n[quota]"), ":7: more: unknown key", "unknown_key", NO_SUCH),
    (("[quota]", '["q\\u001b"]\n[quota]'), r":7: 'q\x1b': unknown key", "unknown_key", NO_SUCH),
    (
        ("[quota]\nobjects = 3\nobject_bytes = 100", "quota = 3"),
        ":7: quota: expected a table, found an integer",
        "wrong_type",
        W["objects"],
    ),
    (
        ("[quota]", "[[quota]]"),
        ":7: quota: expected a table, found a list",
        "wrong_type",
        W["objects"],
    ),
    (('entry = "a.b:C"', 'entry = "a.b"'), ":4: entry: 'a.b' is not module:Class", "wrong_value", W["entry"]),
    (
        ('"single_instance"', '"singleton"'),
        ":6: flags: unknown flag 'singleton'",
        "wrong_value",
        "choose from keep_alive, multi_session, single_instance",
    ),
    (("8aaaf200-2450", "zz"), ":2: uuid: 'zz-11e4-abe2-0002a5d5c51b' is not a UUID", "wrong_value", W["uuid"]),
    (
        ("8aaaf200-2450-11e4-abe2-0002a5d5c51b", str(UUID(int=0))),
        ":2: uuid: the nil uuid belongs to the core",
        "wrong_value",
        NEW_UUID,
    ),
    (('name = "x"\n', ""), ": name: missing", "missing_key", W["name"]),
    (('name = "x"', "name = 5"), ":3: name: expected a string, found an integer", "wrong_type", W["name"]),
    (('name = "x"', 'name = ""'), ":3: name: expected 1 to 32 printable ASCII characters", "out_of_range", W["name"]),
    (
        ('code = ["a", "a.b"]', "code = [\n'a.b',\n7]"),
        ":5: code: expected a string, found an integer",
        "wrong_type",
        W["code"],
    ),
    (
        ("objects = 3", "objects = true"),
        ":8: quota.objects: expected an integer, found a boolean",
        "wrong_type",
        W["objects"],
    ),
    (
        ("objects = 3", "objects = 3.0"),
        ":8: quota.objects: expected an integer, found a float",
        "wrong_type",
        W["objects"],
    ),
    (
        ("objects = 3", "objects = 1979-05-27"),
        ":8: quota.objects: expected an integer, found a date or time",
        "wrong_type",
        W["objects"],
    ),
    (("objects = 3", "objects = -1"), ":8: quota.objects: expected 0 to 10000000", "out_of_range", W["objects"]),
    (("= 100", "= 1048577"), ":9: quota.object_bytes: expected 0 to 1048576", "out_of_range", W["object_bytes"]),
    (
        ("= 100", "= 100\nheap_bytes = 4096"),
        f":10: quota.heap_bytes: expected 1048576 to {MAX_HEAP_BYTES}",
        "out_of_range",
        W["heap_bytes"],
    ),
    (("= 100", "= 100\ntime_ms = 0"), f":10: quota.time_ms: expected 1 to {MAX_TIME_MS}", "out_of_range", W["time_ms"]),
    (("[quota]", "spares = 0\n[quota]"), ":7: spares: expected 1 to 8", "out_of_range", W["spares"]),
    (("[quota]", "spares = 9\n[quota]"), ":7: spares: expected 1 to 8", "out_of_range", W["spares"]),
    (
        ("[quota]", 'replies = "open"\n[quota]'),
        ":7: replies: 'open' is not closed or free",
        "wrong_value",
        W["replies"],
    ),
    (
        ("[quota]", "replies = true\n[quota]"),
        ":7: replies: expected a string, found a boolean",
        "wrong_type",
        W["replies"],
    ),
    *(
        (("= 100", f"= 100\n{TWO_STATEMENTS}".replace(*change)), f":{said}", misfit, hint)
        for change, said, misfit, hint in (
            *(
                (
                    ('["00", "id:8"]', parts),
                    f"15: statement.1.parts: {shown} is no part: 1 to 32 bytes in lower-case hexadecimal, echo:8, "
                    "id:8, time:8",
                    "wrong_value",
                    PARTS,
                )
                for parts, shown in (
                    ('["id:8", "id:9"]', "'id:9'"),
                    ('["id:8", "echo"]', "'echo'"),
                    ('["id:8", "0"]', "'0'"),
                    ('["id:8", "AB"]', "'AB'"),
                )
            ),
            (
                ('"00", "id:8"', '"00"'),
                "15: statement.1.parts: a statement is about an object: there is no id:8 in it",
                "wrong_value",
                PARTS,
            ),
            (
                ('"00", "id:8"', '"id:8", "time:8", "time:8"'),
                "15: statement.1.parts: time:8 stands in it 2 times, at most 1",
                "wrong_value",
                PARTS,
            ),
            (
                ('"00", "id:8"', '"id:8", "echo:8", "echo:8"'),
                "15: statement.1.parts: echo:8 stands in it 2 times, at most 1",
                "wrong_value",
                PARTS,
            ),
            (
                ('"00", "id:8"', '"id:8", "id:8", "id:8", "id:8", "id:8"'),
                "15: statement.1.parts: id:8 stands in it 5 times, at most 4",
                "wrong_value",
                PARTS,
            ),
            (
                ('"00", "id:8"', '"00", 8'),
                "15: statement.1.parts: expected a string, found an integer",
                "wrong_type",
                PARTS,
            ),
            (('key = "l"\n', ""), "13: statement.1.key: missing", "missing_key", KEY),
            (
                ('key = "l"', 'key = ""'),
                "14: statement.1.key: expected 1 to 32 printable ASCII characters",
                "out_of_range",
                KEY,
            ),
            (
                ('key = "l"', 'kez = "l"'),
                "14: statement.1.kez: unknown key",
                "unknown_key",
                "remove it; the keys here are key, parts",
            ),
            (
                ('["00", "id:8"]', '["00", "id:8"]\n[statement.more]\nx = 1'),
                "16: statement.1.more: unknown key",
                "unknown_key",
                "remove it; the keys here are key, parts",
            ),
            (
                ('key = "l"', 'key = "k"'),
                "10: statement: two statements of one key",
                "wrong_value",
                "write one [[statement]] for each key",
            ),
        )
    ),
    (
        ("[quota]", "statement = 5\n[quota]"),
        ":7: statement: expected a list of tables, found an integer",
        "wrong_type",
        STATEMENTS,
    ),
    (
        ("[quota]", "statement = [5]\n[quota]"),
        ":7: statement: expected a list of tables, found an integer in it",
        "wrong_type",
        STATEMENTS,
    ),
    (
        ("[quota]", 'digest = ""\n[quota]'),
        ":7: digest: expected 1 to 16 printable ASCII characters",
        "out_of_range",
        DIGEST,
    ),
    (
        ("[quota]", 'digest = "12345678901234567"\n[quota]'),
        ":7: digest: expected 1 to 16 printable ASCII characters",
        "out_of_range",
        DIGEST,
    ),
    (("[quota]", "[quota"), ":7: not TOML: Expected ']' at the end of a table declaration", "syntax", FORMAT),
    (("[quota]", 'name = "y"\n[quota]'), ":7: not TOML: Cannot overwrite a value", "syntax", FORMAT),
    (("= 100", "= [" * 1), ": not TOML: Invalid value (at end of document)", "syntax", FORMAT),
    (("= 100", "= " + "9" * 5000), ": not TOML: an integer of thousands of digits", "syntax", FORMAT),
    (("= 100", "= 100\n#" + "x" * 65_536), ": longer than 65536 characters", "syntax", FORMAT),
]


@pytest.mark.parametrize("file", ["", "my ta/manifest.toml"])
@pytest.mark.parametrize(("change", "said", "misfit", "hint"), REFUSED, ids=[r[1][:50] for r in REFUSED])
def test_refuses_with_the_place_the_reason_and_what_to_do(
    change: tuple[str, str], said: str, misfit: str, hint: str, file: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(ManifestError) as caught:
        Manifest.from_toml(GOOD.replace(*change), file=file)
    error = caught.value
    assert error.message.startswith((file or "manifest") + said)
    assert (error.code, error.hint) == (f"manifest.{misfit}", hint)
    assert (error.result, error.origin, error.file) == (TeeResult.BAD_PARAMETERS, Origin.API, file)
    assert error.message.isascii()
    assert error.message.isprintable()


def test_every_kind_of_mistake_is_played() -> None:
    assert {row[2] for row in REFUSED} | {"twice"} == set(Misfit)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("spares", 0, "manifest: spares: expected at least 1"),
        ("time_ms", 0, "manifest: quota.time_ms: expected at least 1"),
        ("heap_bytes", 1, "manifest: quota.heap_bytes: expected at least 1048576"),
        ("entry", "a.b", "manifest: entry: not module:Class"),
        ("flags", ("solo",), "manifest: flags: unknown flag 'solo'"),
    ],
)
def test_a_manifest_that_was_never_a_file_is_judged_too(field: str, value: object, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        replace(Manifest.from_toml(GOOD), **{field: value})
    assert caught.value.message == said


def test_two_manifests_of_one_identity_are_hosted_nowhere() -> None:
    one = Manifest.from_toml(GOOD)
    other = replace(one, name="y")
    said = f"{one.ta_uuid} is also that of "
    with pytest.raises(ManifestError) as caught:
        refuse_twins([one, other], [("a/manifest.toml", GOOD), ("b/manifest.toml", f"# another\n{GOOD}")])
    assert caught.value.message == f"b/manifest.toml:3: uuid: {said}a/manifest.toml"
    assert (caught.value.code, caught.value.hint) == ("manifest.twice", f"give one of them, or {NEW_UUID}")
    with pytest.raises(ManifestError, match=f"^y: uuid: {said}x "):
        Boot(manifests=(one, other), profile=LockProfile.STRICT)
    with pytest.raises(ManifestError, match=f"^y: uuid: {said}x "):
        SecureWorld(Provision(huk=bytes(32), device_id=bytes(16), create=True), None, (one, other))  # type: ignore[arg-type]
    refuse_twins([one, replace(other, uuid=bytes(range(16)))])


def test_a_secure_world_takes_no_boot_message_with_twins() -> None:
    plain = Boot(manifests=(Manifest.from_toml(GOOD),), profile=LockProfile.STRICT).to_plain()
    plain[0] = plain[0] * 2  # type: ignore[operator]
    with pytest.raises(TeeError, match="is also that of x"):
        Boot.from_plain(plain)


def test_more_processes_than_the_core_can_hold_are_refused_before_any_is_started() -> None:
    hosted = tuple(replace(Manifest.from_toml(GOOD), uuid=bytes(15) + bytes([n + 1]), spares=8) for n in range(8))
    with pytest.raises(ManifestError) as caught:
        Boot(manifests=hosted, profile=LockProfile.STRICT)
    assert caught.value.message == "manifest: spares: 72 processes together, at most 64"
    assert caught.value.hint == "lower spares, or host fewer applications"
    Boot(manifests=hosted[:7], profile=LockProfile.STRICT)
    Boot(manifests=hosted, profile=LockProfile.OFF)


def test_the_example_manifest_is_valid() -> None:
    text = (Path(__file__).parents[2] / "docs/examples/counter/manifest.toml").read_text("utf-8")
    assert Manifest.from_toml(text).name == "counter"
