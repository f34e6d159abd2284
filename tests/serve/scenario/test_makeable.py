"""`scenario check` refuses what `device init --scenario` refuses, in the same words, and nothing else."""

from pathlib import Path
from random import Random

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.errors import BioguardError
from bioguard.serve.scenario.run import Source, check
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.scenario.document import parse_scenario
from bioguard.simulate.scenario.new_device import options_of, settings_of

TOO_MANY = "no device has these sensors: a user has at most 40 records on all sensors together"
NO_RATE = "no device is made for 1:1 at 1/{} and 1:N at 1/{}"
FINGERS = '[[sensor]]\nkind = "fingerprint"\nmax_enrollments = {}\n'


def text_of(tables: str) -> bytes:
    return f'format = "bioguard-scenario 2"\n{tables}'.encode()


def checked(text: bytes) -> tuple[str, str]:
    """Code and message of the refusal; both empty for none."""
    try:
        check(Source(parse_scenario(text, "x.toml"), text, Path("x.toml")))
    except BioguardError as refused:
        return refused.code, refused.message
    return "", ""


def made(text: bytes, directory: Path) -> tuple[str, str]:
    """The same of `device init --scenario`."""
    try:
        file = parse_scenario(text, "x.toml")
        played = Scenario.of(file)
        Device.init(directory, options_of(file, DeviceOptions()), settings_of(file)).close()
        played.save(directory)
        Scenario.load(directory)
    except BioguardError as refused:
        assert not directory.exists()
        return refused.code, refused.message
    return "", ""


@pytest.mark.parametrize(
    ("tables", "refused"),
    [
        (FINGERS.format(10) * 4 + FINGERS.format(1), ("device.sensor_table", TOO_MANY)),
        ('[device]\nfmr = "1/77"\n', ("match.rate_not_offered", NO_RATE.format(77, 100))),
        ('[device]\nfpir = "1/77"\n', ("match.rate_not_offered", NO_RATE.format(50_000, 77))),
        ('[device]\nfor_testing = true\nfmr = "1/1"\n', ("match.rate_not_offered", NO_RATE.format(1, 100))),
        (
            '[device]\nfor_testing = true\nfmr = "1/10000001"\n',
            ("match.rate_not_offered", NO_RATE.format(10_000_001, 100)),
        ),
        (
            '[device]\nclock = "fixed:1969-12-31T23:59:59Z"\n',
            ("scenario.wrong_value", "x.toml:3: device.clock: 'fixed:1969-12-31T23:59:59Z' is not a clock"),
        ),
    ],
)
def test_both_refuse_what_no_device_is(tables: str, refused: tuple[str, str], tmp_path: Path) -> None:
    text = text_of(tables)
    assert (checked(text), made(text, tmp_path / "device")) == (refused, refused)


AT_THE_EDGE = (
    '[device]\nfor_testing = true\nfmr = "1/2"\nfpir = "1/10000000"\nclock = "fixed:1970-01-01T00:00:00Z"\n'
    + FINGERS.format(10) * 4
)


def test_both_take_what_is_just_within(tmp_path: Path) -> None:
    text = text_of(AT_THE_EDGE)
    assert (checked(text), made(text, tmp_path / "device")) == (("", ""), ("", ""))


def any_tables(random: Random) -> str:
    """Tables of which about half are a device."""
    rates = [1, 2, 77, 100, 1_000, 50_000, 100_000, 10_000_000, 10_000_001]
    device = {
        "clock": f'"fixed:{random.choice([1969, 1970, 2026, 9999])}-12-31T23:59:59Z"',
        "profile": random.choice(['"standard"', '"digest-only"']),
        "lockout": random.choice(['"android-11"', '"apple"']),
        "lockout_cascade": random.choice(["true", "false"]),
        "require_pin": random.choice(["true", "false"]),
        "for_testing": random.choice(["true", "false"]),
        "uncalibrated": random.choice(["true", "false"]),
        "fmr": f'"1/{random.choice(rates)}"',
        "fpir": f'"1/{random.choice(rates)}"',
    }
    chosen = random.sample(sorted(device), random.randrange(4))
    lines = ["[device]", *(f"{key} = {device[key]}" for key in chosen)]
    for _ in range(random.choice([0, 1, 2, 8, 9])):
        kind = random.choice(["fingerprint", "face"])
        lines += ["[[sensor]]", f'kind = "{kind}"', f"max_enrollments = {random.choice([0, 1, 4, 5, 6, 10, 11])}"]
        lines += random.choice(([], ['type = "rgb"'], ['type = "power-button"'], ['strength = "weak"']))
        lines += random.choice(([], [], ["location = { x = 1, y = 2, radius = 3 }"]))
    lines += random.choice(([], ["[latency_ms]", f"storage = {random.choice([0, 60_000, 60_001])}"]))
    return "\n".join(lines) + "\n"


def hold(seed: int, directory: Path) -> bool:
    """Check and init agree on the tables of this seed; return whether a device was made."""
    text = text_of(any_tables(Random(seed)))
    refused = checked(text)
    assert made(text, directory) == refused, (seed, text)
    return refused == ("", "")


def test_check_takes_any_tables_if_and_only_if_a_device_is_made_of_them(tmp_path: Path) -> None:
    accepted = [hold(seed, tmp_path / str(seed)) for seed in range(7)]
    assert 0 < accepted.count(True) < 7
