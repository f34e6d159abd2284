"""What a device hosts: applications whose answers are counted, and no others."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.device import Device, launch
from bioguard.errors import WrongUsage
from bioguard.exit_codes import ExitCode
from tee_sim.shared.manifest import Replies


def test_ours_answer_with_closed_records() -> None:
    assert launch.hosted() == launch.manifests()
    assert {m.replies for m in launch.manifests()} == {Replies.CLOSED}


@pytest.mark.parametrize("name", ["biometric", "gatekeeper", "keystore"])
def test_an_application_with_free_replies_is_not_hosted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    free = tuple(replace(m, replies=Replies.FREE) if m.name == name else m for m in launch.manifests())
    monkeypatch.setattr(launch, "manifests", lambda: free)
    with pytest.raises(WrongUsage) as caught:
        Device.init(tmp_path / "device")
    error = caught.value
    assert (error.code, error.exit_code) == ("device.free_replies", ExitCode.USAGE)
    assert error.message == f'a device does not host {name}: its manifest says replies = "free"'
    assert error.hint.startswith("let it answer with closed records")
