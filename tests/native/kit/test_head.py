"""What a native application says of itself, and heads that are refused."""

import struct
import uuid
from collections.abc import Callable

import pytest

from tee_sim.shared.native.head import MAX_DATA_BYTES, TaHead
from tee_sim.shared.native.image import Image
from tee_sim.shared.native.refusal import NativeRefused
from tee_sim.shared.ta_properties import MAX_VALUE_BYTES, PropertyKind, TaProperty
from tests.native.kit.conftest import DEFINES, UUID, Tree

PROPERTIES = r"""
#define TA_VERSION "1.2"
#define TA_DESCRIPTION "opens \303\244 door"
#define TA_CURRENT_TA_EXT_PROPERTIES \
    {"own.bool", USER_TA_PROP_TYPE_BOOL, &(const bool){true}}, \
    {"own.u32", USER_TA_PROP_TYPE_U32, &(const uint32_t){0x01020304}}, \
    {"own.u64", USER_TA_PROP_TYPE_U64, &(const uint64_t){5}}, \
    {"own.zero", USER_TA_PROP_TYPE_U32, &(const uint32_t){0}}, \
    {"own.uuid", USER_TA_PROP_TYPE_UUID, &(const TEE_UUID)TA_UUID}, \
    {"own.identity", USER_TA_PROP_TYPE_IDENTITY, &(const TEE_Identity){0xF0000000, TA_UUID}}, \
    {"own.text", USER_TA_PROP_TYPE_STRING, "some text"}, \
    {"own.block", USER_TA_PROP_TYPE_BINARY_BLOCK, "AAEC/w=="},
"""
RAW = uuid.UUID(UUID).bytes


def read(tree: Tree, defines: str) -> TaHead:
    return TaHead.read(tree.put_files({"user_ta_header_defines.h": defines}).built())


def test_all_that_a_head_says(tree: Tree) -> None:
    head = read(tree, DEFINES + PROPERTIES)
    kind = PropertyKind
    assert (head.abi, head.uuid, head.stack_bytes, head.data_bytes) == (13, uuid.UUID(UUID), 2048, 32_768)
    assert head.flags == ("single_instance", "multi_session")
    assert head.properties == (
        TaProperty(name="own.bool", kind=kind.BOOL, value=b"\1"),
        TaProperty(name="own.u32", kind=kind.U32, value=b"\4\3\2\1"),
        TaProperty(name="own.u64", kind=kind.U64, value=b"\5" + bytes(7)),
        TaProperty(name="own.zero", kind=kind.U32, value=bytes(4)),
        TaProperty(name="own.uuid", kind=kind.UUID, value=RAW),
        TaProperty(name="own.identity", kind=kind.IDENTITY, value=b"\0\0\0\xf0" + RAW),
        TaProperty(name="own.text", kind=kind.STRING, value=b"some text"),
        TaProperty(name="own.block", kind=kind.BINARY_BLOCK, value=b"\0\1\2\xff"),
        TaProperty(name="gpd.ta.version", kind=kind.STRING, value=b"1.2"),
        TaProperty(name="gpd.ta.description", kind=kind.STRING, value=b"opens \xc3\xa4 door"),
    )


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ("0", ()),
        ("TA_FLAG_USER_MODE | TA_FLAG_EXEC_DDR", ()),
        ("TA_FLAG_SINGLE_INSTANCE | TA_FLAG_INSTANCE_KEEP_ALIVE", ("single_instance", "keep_alive")),
        ("0xFFFFFFFF", ("single_instance", "multi_session", "keep_alive")),
    ],
)
def test_flags(tree: Tree, flags: str, names: tuple[str, ...]) -> None:
    head = read(tree, DEFINES.replace("(TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION)", f"({flags})"))
    assert (head.flags, head.properties) == (names, ())


def test_a_description_of_its_own_stands_once(tree: Tree) -> None:
    own = '{"gpd.ta.description", USER_TA_PROP_TYPE_STRING, "mine"},'
    head = read(tree, f'{DEFINES}#define TA_DESCRIPTION "other"\n#define TA_CURRENT_TA_EXT_PROPERTIES {own}\n')
    assert [(one.name, one.value) for one in head.properties] == [("gpd.ta.description", b"mine")]


ONE = '#define TA_CURRENT_TA_EXT_PROPERTIES {"a", USER_TA_PROP_TYPE_STRING, "b"},'


@pytest.mark.parametrize(
    ("defines", "why"),
    [
        (DEFINES.replace("(2 * 1024)", "0"), "TA_STACK_SIZE is 0, not between 1 and 67108864 bytes"),
        (DEFINES.replace("(2 * 1024)", "0x5000000"), "TA_STACK_SIZE is 83886080, not between 1 and 67108864 bytes"),
        (DEFINES.replace("(32 * 1024)", "0x40000001"), f"TA_DATA_SIZE is 1073741825, more than {MAX_DATA_BYTES} bytes"),
        (
            "#define TA_UUID {0, 0, 0, {0}}\n#define TA_FLAGS 0\n#define TA_STACK_SIZE 1\n#define TA_DATA_SIZE 0\n",
            "TA_UUID is nil, which belongs to the core",
        ),
        (f'{DEFINES}#define TA_VERSION "{"x" * 256}"\n', "a text of it is longer than 255 bytes"),
        (DEFINES + ONE.replace('"a"', '""'), "a property has no name of printable ASCII characters"),
        (DEFINES + ONE.replace('"a"', r'"\n"'), "a property has no name of printable ASCII characters"),
        (DEFINES + ONE.replace('"a"', f'"{"n" * 97}"'), "a text of it is longer than 96 bytes"),
        (DEFINES + ONE.replace('"b"', f'"{"v" * 4097}"'), f"a text of it is longer than {MAX_VALUE_BYTES} bytes"),
        (DEFINES + ONE.replace('"b"', "NULL"), "the property a has no value, or one of an unknown type"),
        (DEFINES + ONE.replace("STRING", "INVALID"), "the property a has no value, or one of an unknown type"),
        (
            DEFINES + ONE.replace("STRING", "BINARY_BLOCK").replace('"b"', '"AA==!"'),
            "the property a is a binary block, and its text no Base64",
        ),
        (DEFINES + ONE + ' {"a", USER_TA_PROP_TYPE_STRING, "c"},', "it has two properties of one name"),
        (
            DEFINES + ONE.partition("{")[0] + '{"a", USER_TA_PROP_TYPE_STRING, "b"},' * 63,
            "it has 63 properties, more than 62",
        ),
    ],
)
def test_a_head_that_says_too_much_or_nonsense(tree: Tree, defines: str, why: str) -> None:
    with pytest.raises(NativeRefused) as caught:
        read(tree, defines + "\n")
    assert caught.value.why == why
    assert caught.value.code in {"native.head", "native.damaged"}


def head_at(content: bytes) -> int:
    """Where the head stands in the file."""
    image = Image(content)
    address = next(symbol.address for symbol in image.symbols() if symbol.name == "ta_head")
    segment = next(s for s in image.segments if s.kind == "PT_LOAD" and s.address <= address < s.address + s.file_size)
    return address - segment.address + segment.offset


Change = Callable[[bytes, int], bytes]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda c, at: c[:at] + b"X" + c[at + 1 :], "its head is of another version: build it again with this dev kit"),
        (lambda c, at: c[: at + 8] + struct.pack("<I", 12) + c[at + 12 :], "its head is of another version"),
        (lambda c, at: c.replace(b"ta_head\0", b"no_head\0"), "it has no head: it was not built with the dev kit"),
    ],
    ids=["magic", "abi", "none"],
)
def test_a_head_of_another(tree: Tree, change: Change, why: str) -> None:
    content = tree.built()
    with pytest.raises(NativeRefused, match=why) as caught:
        TaHead.read(change(content, head_at(content)))
    assert caught.value.code == "native.head"


def test_a_pointer_that_is_no_relocation(tree: Tree) -> None:
    content = tree.built()
    at = head_at(content) + 56  # properties: NULL here
    changed = content[:at] + struct.pack("<Q", 1) + content[at + 8 :]
    with pytest.raises(NativeRefused, match="a pointer in its head leads out of it"):
        TaHead.read(changed)
