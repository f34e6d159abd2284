"""A .ta file, and a folder of them, where a PATH is taken."""

from dataclasses import replace
from pathlib import Path

import pytest

from tee_sim.cli.findings import findings
from tee_sim.cli.named_commands import commands_of
from tee_sim.cli.options import applications
from tee_sim.normal.machine.applications import Application, acquainted, read_applications
from tee_sim.normal.machine.errors import MachineError
from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import MAX_OBJECT_BYTES, Manifest, Replies
from tee_sim.shared.manifest_values import ManifestError
from tee_sim.shared.native.refusal import NativeRefused
from tests.native.kit.conftest import DEFINES, UUID, Tree

OTHER = UUID.replace("7e21", "7e22")
HEX = UUID.replace("-", "")
MANIFEST = f'uuid = "{UUID[:-1]}3"\nname = "counter"\nentry = "a.app:App"\ncode = ["a.*"]\n'


@pytest.fixture
def two(tree: Tree) -> Path:
    """A folder with two native applications, and nothing else that counts."""
    first = tree.built()
    folder = tree.folder / "tas"
    folder.mkdir()
    (folder / f"{UUID}.ta").write_bytes(first)
    (tree.folder / "user_ta_header_defines.h").write_text(DEFINES.replace("0x21", "0x22"))
    (folder / "other.ta").write_bytes(tree.built())
    (folder / "readme").write_text("")
    return folder


def test_the_manifest_of_a_native_application(tree: Tree) -> None:
    tree.built()
    path = tree.folder / f"{UUID}.ta"
    application = Application.read(path)
    assert application.folder == tree.folder
    assert application.folder_bytes == bytes(tree.folder)
    assert application.path == path
    assert application.manifest_text == ""
    manifest = application.manifest
    assert (str(manifest.ta_uuid), manifest.name, manifest.entry) == (UUID, HEX, "native:ta")
    assert (manifest.native, manifest.abi, manifest.code) == (f"{UUID}.ta", 13, ())
    assert (manifest.stack_bytes, manifest.heap_bytes) == (2048, 32_768)
    assert manifest.flags == ("single_instance", "multi_session")
    assert (manifest.replies, manifest.budget_bits, manifest.max_object_bytes) == (Replies.FREE, None, MAX_OBJECT_BYTES)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    assert commands_of(application) == {}
    assert findings(application) == []


def test_a_folder_holds_several_by_name(two: Path) -> None:
    read = read_applications(two)
    assert [a.manifest.name for a in read] == [HEX, "other"]
    assert [str(a.manifest.ta_uuid) for a in read] == [UUID, OTHER]
    (two / "manifest.toml").write_text(MANIFEST)
    assert [a.manifest.name for a in read_applications(two)] == ["counter", HEX, "other"]
    assert [a.manifest.name for a in applications([two])] == ["counter", HEX, "other"]


def test_uuids_that_count_upwards_make_names_of_their_own(two: Path) -> None:
    (two / "other.ta").rename(two / f"{OTHER.upper()}.ta")
    assert {a.manifest.name for a in applications([two])} == {HEX, OTHER.replace("-", "")}


def test_native_ones_may_call_all_others(two: Path) -> None:
    (two / "manifest.toml").write_text(MANIFEST)
    uuids = [a.manifest.uuid for a in read_applications(two)]
    known = acquainted(read_applications(two))
    assert [a.manifest.calls for a in known] == [(), (uuids[0], uuids[2]), (uuids[0], uuids[1])]


def test_twins_and_namesakes_are_refused(two: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        applications([two, two / "other.ta"])
    assert caught.value.code == "manifest.twice"
    assert caught.value.message.startswith(f"{two}/other.ta: uuid: {OTHER} is also that of {two}/other.ta")
    (two / "manifest.toml").write_text(MANIFEST.replace("counter", "other"))
    with pytest.raises(TeeError, match="have the same name"):
        applications([two])


def test_one_that_is_refused_is_named(two: Path) -> None:
    (two / "broken.ta").write_bytes(b"\x7fELF")
    with pytest.raises(NativeRefused) as caught:
        read_applications(two)
    assert caught.value.code == "native.class"
    assert caught.value.message == f"{two}/broken.ta: it is not of 64 bits, or not little-endian"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("absent.ta", "there is no file"),
        ("\xe9.ta", "is no name of printable ASCII characters"),
        ("a\n.ta", "is no name of printable ASCII characters"),
    ],
)
def test_what_is_no_file_or_has_no_name(tmp_path: Path, name: str, why: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(MachineError, match=why) as caught:
        Application.read(tmp_path / name)
    assert caught.value.code == "machine.path"


def test_a_folder_that_is_called_like_a_file_is_a_folder(two: Path) -> None:
    two.rename(two.parent / "all.ta")
    assert len(read_applications(two.parent / "all.ta")) == 2


def test_no_text_can_say_what_only_a_head_does(tree: Tree) -> None:
    for line in ('native = "x.ta"', "abi = 11", "stack_bytes = 4096", "properties = []"):
        with pytest.raises(ManifestError) as caught:
            Manifest.from_toml(MANIFEST + line + "\n")
        assert caught.value.code == "manifest.unknown_key"


@pytest.mark.parametrize(
    "change",
    [{"abi": 12}, {"native": "a/b.ta"}, {"native": ""}, {"code": ("a",)}, {"abi": 0}, {"stack_bytes": 1 << 40}],
)
def test_a_record_that_says_half_of_it_is_none(tree: Tree, change: dict[str, object]) -> None:
    tree.built()
    right = Application.read(tree.folder / f"{UUID}.ta").manifest
    with pytest.raises(TeeError):
        replace(right, **change).to_bytes()  # type: ignore[arg-type]
