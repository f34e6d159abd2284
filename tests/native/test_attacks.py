"""The attack bench against applications in C: ours hold, and each planted bug is found by what it does."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tee_sim.normal.machine.applications import Application
from tee_sim.testing.attacks.bench import ATTACKS, Verdict, play
from tee_sim.testing.attacks.natives import Natives
from tests.native.builds import EXAMPLES, Builds

BY_NAME = {attack.name: attack for attack in ATTACKS}
CHECKED_SIZE = """    if (params[1].memref.size != sizeof handle) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
"""
ENDS_MAC = "    TEE_FreeOperation(operation);\n    return result;\n}\n\nstatic TEE_Result compare_pin"
LEAKS_KEY = """    TEE_FreeOperation(operation);
    uint8_t mine[MAC_BYTES];
    TEE_ObjectHandle key = TEE_HANDLE_NULL;
    device_key(&key);
    TEE_GetObjectBufferAttribute(key, TEE_ATTR_SECRET_VALUE, mine, &mac_bytes);
    TEE_CloseObject(key);
    %s
    return result;
}

static TEE_Result compare_pin"""
ANSWERED = LEAKS_KEY % "TEE_MemMove(handle->mac, mine, sizeof mine);"
PRINTED = LEAKS_KEY % 'for (size_t i = 0; i < sizeof mine; i++) { IMSG("byte %02x", mine[i]); }'
BEFORE_PUT = "static TEE_Result create("
DELETES = "static TEE_Result delete_object(TEE_Param params[4]);\n\nstatic TEE_Result create("
ONE_WRITE = "    return put(params, TEE_DATA_FLAG_OVERWRITE);\n"
TWO_WRITES = "    delete_object(params);\n    return put(params, 0);\n"


@dataclass(frozen=True)
class Bug:
    """What is changed in an example, and what finds it."""

    example: str
    changes: dict[str, str]
    attack: str
    said: str


PLANTED = {
    "believes a size": Bug("pin", {CHECKED_SIZE: ""}, "any.well-formed", "command 1 of bug dies of what it takes ("),
    "answers a key": Bug("pin", {ENDS_MAC: ANSWERED}, "any.key-in-replies", "bug leaks a key into a reply"),
    "prints a key": Bug("pin", {ENDS_MAC: PRINTED}, "any.key-in-replies", "bug leaks a key into printed"),
    "writes twice": Bug(
        "safe",
        {BEFORE_PUT: DELETES, ONE_WRITE: TWO_WRITES},
        "any.power-cut",
        "command 0 of bug answers SUCCESS after",
    ),
}


def natives_of(builds: Builds, ta: Path) -> Natives:
    return Natives(builds.kit, {Application.read(ta).manifest.uuid: ta.parent})


def played(ta: Path, attack: str, natives: Natives) -> tuple[Verdict, str]:
    (finding,) = play([Application.read(ta).manifest], [BY_NAME[attack]], natives)
    return finding.verdict, finding.detail


def test_what_commands_take_is_found_by_trying_and_none_ends_our_pin_application(builds: Builds) -> None:
    """Two of the three want what another one answers."""
    ta = builds.ta(EXAMPLES / "pin/ta")
    natives = natives_of(builds, ta)
    assert played(ta, "any.well-formed", natives) == (Verdict.HELD, "")
    (found,) = natives.shapes.values()
    assert [number for number, _ in found] == [0, 1, 2]
    assert [len(params[1].buffer) for _, params in found] == [8, 62, 54]


@pytest.mark.campaign
@pytest.mark.parametrize("attack", BY_NAME)
@pytest.mark.parametrize("example", ["pin", "safe"])
def test_our_examples_hold_against_every_attack(builds: Builds, example: str, attack: str) -> None:
    ta = builds.ta(EXAMPLES / example / "ta")
    assert played(ta, attack, natives_of(builds, ta)) == (Verdict.HELD, "")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "believes a size" else pytest.mark.campaign) for name in PLANTED]
)
def test_a_planted_bug_is_found(builds: Builds, tmp_path: Path, name: str) -> None:
    bug = PLANTED[name]
    folder = tmp_path / name.replace(" ", "-")
    shutil.copytree(EXAMPLES / bug.example / "ta", folder)
    file = folder / f"{bug.example}_ta.c"
    source = file.read_text("utf-8")
    for old, new in bug.changes.items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    file.write_text(source, "utf-8")
    built = builds.ta(folder)
    ta = built.rename(built.with_name("bug.ta"))
    verdict, detail = played(ta, bug.attack, natives_of(builds, ta))
    assert (verdict, detail[: len(bug.said)]) == (Verdict.FOUND, bug.said)
