"""A request above its manifest's budget: what the caller, the incident and the log say, and what goes on."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.commands.biometric import SHOW
from bioguard.device import Device, applications, consent
from bioguard.device.incidents import incidents
from bioguard.device.options import DeviceOptions
from bioguard.errors import IntegrityFailure, WrongUsage
from bioguard.records.audit_events import Cause, Event
from tee_sim.shared.manifest import CommandBudget

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")


def test_the_reply_is_withheld_an_incident_opens_and_the_bits_stand_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    biometric, *others = applications.manifests()
    tight = replace(biometric, budgets=(*biometric.budgets, CommandBudget(command=SHOW.number, bits=3)))
    monkeypatch.setattr(applications, "manifests", lambda: (tight, *others))
    with Device.init(tmp_path / "device", DeviceOptions(), require_pin=False) as device:
        with pytest.raises(IntegrityFailure) as caught:
            device.show("00" * 16)
        error = caught.value
        assert (error.code, int(error.exit_code)) == ("device.over_budget", 7)
        assert "more than its manifest's budget" in error.message
        assert "an honest one stays within its budget" in error.hint
        (incident,) = incidents(device.directory)
        assert (incident.cause, incident.code) == (Cause.OVER_BUDGET, "device.over_budget")
        parts = incident.text
        assert parts.situation.startswith("a trusted application tried to send more than it may")
        assert all((parts.measures, parts.advice, parts.remedy))
        device.add_user("alice")  # a spare goes on
        entries = [item.entry for item in consent.signed_log(device).items if item.entry is not None]
        (noted,) = [entry for entry in entries if entry.event is Event.OVER_BUDGET]
        assert noted.number is not None
        assert 3 < noted.number < 100
        assert f"came to {noted.number} bits" in error.message


def test_a_device_hosts_nothing_without_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    biometric, *others = applications.manifests()
    free = replace(biometric, budget_bits=None, start_bits=None, budgets=(), writes=(), reads=())
    monkeypatch.setattr(applications, "manifests", lambda: (free, *others))
    with pytest.raises(WrongUsage) as caught:
        Device.init(tmp_path / "device", DeviceOptions(), require_pin=False)
    assert caught.value.code == "device.no_budget"
