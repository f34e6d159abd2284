"""What a device hosts: applications whose answers are counted, and no others."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.device import Device, applications
from bioguard.errors import WrongUsage
from bioguard.exit_codes import ExitCode
from tee_sim.shared.manifest import Replies


def test_ours_answer_with_closed_records() -> None:
    assert applications.hosted() == applications.manifests()
    assert {m.replies for m in applications.manifests()} == {Replies.CLOSED}


def test_reading_their_manifests_loads_nothing_of_theirs() -> None:
    """`pkgutil.get_data` runs the package that it is given, and binds it to no parent."""
    told = "import sys; from bioguard.device.applications import manifests as m; print(len(m()), *sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", told], capture_output=True, text=True, check=True)
    count, *loaded = done.stdout.split()
    assert (count, [name for name in loaded if name.startswith("bioguard.trusted")]) == ("3", [])


@pytest.mark.parametrize("name", ["biometric", "gatekeeper", "keystore"])
def test_an_application_with_free_replies_is_not_hosted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    free = tuple(replace(m, replies=Replies.FREE) if m.name == name else m for m in applications.manifests())
    monkeypatch.setattr(applications, "manifests", lambda: free)
    with pytest.raises(WrongUsage) as caught:
        Device.init(tmp_path / "device")
    error = caught.value
    assert (error.code, error.exit_code) == ("device.free_replies", ExitCode.USAGE)
    assert error.message == f'a device does not host {name}: its manifest says replies = "free"'
    assert error.hint.startswith("let it answer with closed records")


def test_a_native_application_is_not_hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = applications.manifests()
    native = replace(ours[0], native="x.ta", abi=13, code=(), replies=Replies.CLOSED)
    monkeypatch.setattr(applications, "manifests", lambda: (native, *ours[1:]))
    with pytest.raises(WrongUsage) as caught:
        Device.init(tmp_path / "device")
    assert (caught.value.code, caught.value.exit_code) == ("device.native", ExitCode.USAGE)
    assert caught.value.message == "a device does not host biometric: it is machine code, which answers with any bytes"
    assert not (tmp_path / "device").exists()
