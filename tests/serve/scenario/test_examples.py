"""The shipped scenarios give the events that stand in them, byte for byte. BIOGUARD_UPDATE_DOCS=1 records them anew."""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from bioguard.device import DeviceOptions
from bioguard.serve.scenario.compare import first_difference
from bioguard.serve.scenario.run import Source, run
from bioguard.simulate.scenario.document import parse_scenario
from bioguard.simulate.scenario.writer import scenario_text
from tests.unlocked import unlocked_devices

FOLDER = Path(__file__).parents[3] / "docs/examples/scenarios"
EXAMPLES = sorted(FOLDER.glob("*.toml"))
WHAT = {
    "disk-faults": {"ERROR", "RESTARTED", "AUTHENTICATION_SUCCEEDED"},
    "enroll-and-unlock": {"AUTHENTICATION_FAILED", "AUTHENTICATION_SUCCEEDED", "ENROLLMENTS_ENUMERATED"},
    "lockout": {"LOCKOUT_TIMED", "LOCKOUT_CLEARED", "LOCKOUT_PERMANENT", "AUTHENTICATION_SUCCEEDED"},
    "two-sensors": {"AUTHENTICATION_FRAME", "LOCKOUT_TIMED", "AUTHENTICATOR_ID_RETRIEVED"},
}


LOCKED = frozenset({"disk-faults"})
"""Those that end the secure world, which needs a process for it. The events of others are alike without the lock."""


def read(path: Path) -> Source:
    data = path.read_bytes()
    return Source(parse_scenario(data, path.name), data, path)


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_gives_its_events(path: Path) -> None:
    source = read(path)
    with nullcontext() if path.stem in LOCKED else unlocked_devices():
        outcome = run(source, DeviceOptions())
    if os.environ.get("BIOGUARD_UPDATE_DOCS"):
        path.write_text(scenario_text(source.recorded(outcome.told)), "utf-8")
        source = read(path)
    assert first_difference(source.scenario.events, tuple(outcome.told)) is None
    assert path.read_text("utf-8") == scenario_text(source.scenario)
    assert WHAT[path.stem] <= {str(told.what.get("event")) for told in outcome.told}
    silent = {"disk-faults": ("storage rule 'read@999: missing' was never due, read was passed 1 times",)}
    assert outcome.unused == silent.get(path.stem, ())


def test_every_example_is_named() -> None:
    assert {path.stem for path in EXAMPLES} == set(WHAT)
