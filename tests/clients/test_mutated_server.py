"""A whole walk with one frame of the server's changed: each client ends as it should or with one line, never otherwise.

A campaign: a hundred walks a language. `test_hostile_server` has a case of each kind.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from tee_sim.shared import codec
from tests.clients.toolchains import LANGUAGES, framed

WALKS = 100
ODD = [0, 1, 2**32, 2**63, 2**64 - 1, b"", b"x" * 69, "", "z" * 80, None, True, [], [[]], [1, 2, 3, 4]]
"""What stands in the place of a value."""


def command_named_bioguard(folder: Path, script: str) -> dict[str, str]:
    """The environment of a client that finds this script as the server."""
    folder.mkdir(exist_ok=True)
    (folder / "bioguard").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bioguard").chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def honest(program: Callable[[str], list[str]], tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The frames of a server over one walk."""
    folder = tmp_path_factory.mktemp("honest")
    Device.init(folder / "phone", DeviceOptions(seed="mutated", clock=0)).close()
    server = Path(sys.executable).parent / "bioguard"
    environment = command_named_bioguard(folder / "bin", f'"{server}" "$@" | tee "{folder}/said"')
    subprocess.run(
        [*program("python"), folder / "phone"], env=environment, check=True, capture_output=True, timeout=120
    )
    said, frames = (folder / "said").read_bytes(), []
    while said:
        end = 4 + int.from_bytes(said[:4], "little")
        frames.append(said[:end])
        said = said[end:]
    return frames


def changed(chance: random.Random, value: object) -> object:
    """A value with one place in it that is another, lacks, or is there twice."""
    if not isinstance(value, list) or chance.random() < 0.1:
        return chance.choice(ODD)
    items = list(value)
    place = chance.randrange(len(items) + 1)
    if place == len(items):
        items.append(chance.choice(ODD))
    elif chance.random() < 0.1:
        del items[place]
    else:
        items[place] = changed(chance, items[place])
    return items


def with_one_changed(chance: random.Random, frames: list[bytes]) -> bytes:
    place = chance.randrange(len(frames))
    if chance.random() < 0.8:
        other = framed(codec.encode(changed(chance, codec.decode(frames[place][4:]))))
    else:
        damaged = bytearray(frames[place])
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        other = bytes(damaged)
    return b"".join([*frames[:place], other, *frames[place + 1 :]])


@pytest.mark.campaign
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_server_makes_a_client_crash_or_wait(
    language: str, program: Callable[[str], list[str]], honest: list[bytes], tmp_path: Path
) -> None:
    chance = random.Random(language)
    environment = command_named_bioguard(tmp_path / "bin", f'cat "{tmp_path}/sent"\nexec cat >/dev/null')
    assert shutil.which("bioguard", path=environment["PATH"]) == str(tmp_path / "bin" / "bioguard")
    refused = 0
    for _ in range(WALKS):
        (tmp_path / "sent").write_bytes(with_one_changed(chance, honest))
        done = subprocess.run(
            [*program(language), "phone"], env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        if (done.returncode, done.stderr) != (0, ""):
            assert (done.returncode, done.stderr[:8], done.stderr.count("\n")) == (1, "client: ", 1), done.stderr
            refused += 1
    assert refused > WALKS // 2
