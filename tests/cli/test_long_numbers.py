"""Numbers of thousands of digits are refused in our own words, wherever a number is read."""

from pathlib import Path

import pytest

from bioguard.cli.running import _run
from bioguard.errors import InputRefused
from bioguard.exit_codes import ExitCode
from bioguard.serve.scenario.references import Heard
from bioguard.simulate.scenario.document import parse_scenario
from tee_sim.cli.words import parameter
from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest_values import ManifestError

NINES = "9" * 5_000
DIGITS = "0x" + "f" * 20_000
"""Python reads it, and refuses to write it in decimal digits."""
FOREIGN = ("Exceeds the limit", "invalid literal", "could not convert", "fromhex", "codec", "Traceback", "set_int_max")
LARGE = "an integer of more than 64 bits, which TOML does not promise"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"seed = {NINES}", "x.toml: not TOML: an integer of thousands of digits"),
        (f"seed = {DIGITS}", f"x.toml:2: seed: {LARGE}"),
        (f"faults.quality_sequence = [{DIGITS}]", f"x.toml:2: faults.quality_sequence.0: {LARGE}"),
        (f"event = [{{ after = 1, event = 'X', x = [{{ y = -{10**19} }}] }}]", f"x.toml:2: event.0.x.0.y: {LARGE}"),
    ],
)
def test_in_a_scenario(line: str, message: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_scenario(f'format = "bioguard-scenario 2"\n{line}\n'.encode(), "x.toml")
    assert refused.value.message == message
    assert not any(text in refused.value.hint for text in FOREIGN)


def test_in_a_reference() -> None:
    heard = Heard()
    heard.add("users", [[b"ada"]])
    assert heard.resolve({"from": "users.names.0"}) == b"ada"
    for place in (NINES, "\u0660"):
        with pytest.raises(ManifestError, match=r"there is no '[^']{1,80}' in it"):
            heard.resolve({"from": f"users.names.{place}"})


@pytest.mark.parametrize(
    "words",
    [
        ["device", "init", "--fmr", f"1/{NINES}"],
        ["device", "init", "--max-fingers", NINES],
        ["fault", "set", "pipe=cut", "--fault-seed", NINES],
        ["fault", "set", "pipe=cut", "--fault-seed", str(1 << 63)],
        ["log", "show", "--last", NINES],
        ["scenario", "check", NINES],
    ],
)
def test_on_the_command_line(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = _run(["--device", str(tmp_path / "phone"), *words])
    told = capsys.readouterr().err
    assert code in (ExitCode.USAGE, ExitCode.INPUT_REFUSED)
    assert not any(text in told for text in FOREIGN), told
    assert len(told) < 6_000
    assert not (tmp_path / "phone").exists()


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (f"out:{NINES}", "expected a size from 0 to 524288"),
        (f"value:{NINES}", "expected one or two numbers"),
        ("hex:zz", "expected hexadecimal digits, two for each byte"),
        ("text:\udcff", "expected UTF-8"),
    ],
)
def test_in_a_parameter_of_a_trusted_application(word: str, why: str) -> None:
    with pytest.raises(TeeError) as refused:
        parameter(word)
    assert refused.value.message.endswith(f": {why}")
    assert len(refused.value.message) < 200
