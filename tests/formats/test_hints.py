"""Every hint of the formats can be followed: what it names exists where it is shown, and works."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench.__main__ import cli as bench_cli
from bioguard.cli.__main__ import run
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load, load_bytes, write_iso2005
from bioguard.formats.options import IMPORT_FLAGS, flags_in
from bioguard.serve.protocol import SampleForm
from bioguard.serve.samples import read_sample
from bioguard.simulate.people import finger_impressions

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors" / "formats"
INDEX = json.loads((VECTORS / "index.json").read_text())
VALUES = {"--dpi": "500", "--native-size": "300x400", "--trailing": "keep"}
FIELDS = {"--dpi": {"dpi": (500, 500)}, "--xyt-m1": {"xyt_m1": True}, "--trailing": {"trailing": "keep"},
          "--lenient": {"lenient": True}, "--native-size": {"native_size_px": (300, 400)}}  # fmt: skip


def refusal(name: str, options: ImportOptions | None = None) -> InputRefused | None:
    try:
        load(VECTORS / name, options)
    except InputRefused as error:
        return error
    return None


REFUSED = {name: error for name in sorted(INDEX) if (error := refusal(name))}
BY_OPTION = {name: flags_in(error.hint) for name, error in REFUSED.items() if flags_in(error.hint)}


def test_some_hints_name_each_flag_but_native_size() -> None:
    assert {flag for flags in BY_OPTION.values() for flag in flags} == {f.name for f in IMPORT_FLAGS} - {
        "--native-size"
    }


@pytest.mark.parametrize("name", BY_OPTION)
def test_the_option_in_the_hint_reads_the_file(name: str) -> None:
    """Several in one hint are alternatives, but for the two that are joined by "and"."""
    together = " and " in REFUSED[name].hint and "--trailing" in REFUSED[name].hint
    choices = [BY_OPTION[name]] if together else [(flag,) for flag in BY_OPTION[name]]
    for flags in choices:
        fields = {key: value for flag in flags for key, value in FIELDS[flag].items()}
        error = refusal(name, ImportOptions(**fields))  # type: ignore[arg-type]
        if INDEX[name]["code"] == "input.image_size":
            continue  # at 500 dpi as well: the option is offered in case the header is wrong
        assert error is None, (flags, error)


COMMANDS = {
    "authenticate": ["authenticate", "alice", "FILE"],
    "identify": ["identify", "FILE"],
    "enroll": ["enroll", "alice", "FILE", "--finger", "right-index"],
    "match explain": ["match", "explain", "FILE", "FILE", "--svg", "OUT.svg"],
    "convert": ["convert", "FILE", "OUT.npy"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_hint_is_followed_on_each_command(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command shows the hint for each code, and takes the option: the next error is another one, if any."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIOGUARD_DEVICE", str(tmp_path / "none"))
    one_of_a_code = {REFUSED[name].code: name for name in BY_OPTION}
    for code, name in one_of_a_code.items():
        file = f"sample{Path(name).suffix}"
        shutil.copy(VECTORS / name, tmp_path / file)
        arguments = [file if a == "FILE" else a for a in COMMANDS[command]]
        assert run(arguments) == 4
        shown = capsys.readouterr().err
        assert f"error[{code}]" in shown
        flags = re.findall(r"--[a-z][a-z0-9-]+", shown.partition("hint: ")[2])
        assert flags
        for flag in flags:
            run([*arguments, flag, *([VALUES[flag]] if flag in VALUES else [])])
            after = capsys.readouterr().err
            assert "error[usage]" not in after, after
            assert f"error[{code}]" not in after or code == "input.image_size", after


def test_no_hint_names_an_option_that_does_not_exist() -> None:
    """Every word that looks like an option, in every text of the formats."""
    known = {flag.name for flag in IMPORT_FLAGS} | {"--view", "--base16", "--base64url"}
    for path in (ROOT / "src" / "bioguard" / "formats").glob("*.py"):
        found = set(re.findall(r"(?<![\\w-])--[a-z][a-z0-9-]+", path.read_text("utf-8")))
        assert found <= known, (path.name, found - known)


def test_the_frame_protocol_names_no_option_it_does_not_have() -> None:
    for name in BY_OPTION:
        octets = (VECTORS / name).read_bytes()
        with pytest.raises(InputRefused) as caught:
            read_sample(SampleForm.MINUTIAE_FILE, octets)
        if flags_in(caught.value.hint):
            assert caught.value.hint.startswith("with bioguard convert FILE OUT.iso, whose OUT.iso can be sent: ")


def test_what_convert_writes_can_be_sent(tmp_path: Path) -> None:
    """The way that the frame protocol names, to its end."""
    name = next(n for n in BY_OPTION if REFUSED[n].code == "format.resolution_zero")
    assert run(["convert", str(VECTORS / name), str(tmp_path / "OUT.iso"), "--dpi", "500"]) == 0
    octets = (tmp_path / "OUT.iso").read_bytes()
    assert read_sample(SampleForm.MINUTIAE_FILE, octets)[0] == load_bytes(octets, "x.iso").features[0]


def test_the_bench_shows_the_hint_and_takes_the_option(tmp_path: Path) -> None:
    """A laboratory's set without a resolution: named per file, then read."""
    folder = tmp_path / "set"
    folder.mkdir()
    for person in range(2):
        for number, touch in enumerate(finger_impressions(9, person=person, count=2), 1):
            octets = bytearray(write_iso2005(touch))
            octets[18:22] = bytes(4)
            (folder / f"{person + 1}_{number}.iso").write_bytes(octets)
    runner = CliRunner()
    arguments = ["scores", "--fingerprints", str(tmp_path), "--out", str(tmp_path / "s.npz")]
    without = runner.invoke(bench_cli, arguments)
    assert "format.resolution_zero" in without.output
    assert "--dpi" in str(getattr(without.exception, "hint", ""))
    with_it = runner.invoke(bench_cli, [*arguments, "--dpi", "500"])
    assert with_it.exit_code == 0, with_it.output
    with np.load(tmp_path / "s.npz") as scores:
        assert np.isfinite(scores["set"]).all()


def test_of_several_embeddings_one_can_be_taken_as_the_hint_says(tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(2, 128)).astype("<f4")
    np.save(tmp_path / "two.npy", rows)
    with pytest.raises(InputRefused) as caught:
        load(tmp_path / "two.npy", max_views=1)
    assert caught.value.hint == "take one out: bioguard convert FILE OUT.npy --view 0"
    assert run(["convert", str(tmp_path / "two.npy"), str(tmp_path / "OUT.npy"), "--view", "0"]) == 0
    assert load(tmp_path / "OUT.npy", max_views=1).features == load(tmp_path / "two.npy").features[:1]
