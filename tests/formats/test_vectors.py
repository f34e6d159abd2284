"""Every vector gives its stable code, and the generator still writes exactly these files."""

import json
import re
import runpy
from pathlib import Path

import pytest

from bioguard.errors import InputRefused
from bioguard.formats import load, load_bytes, parse_minutiae

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "formats"
INDEX = json.loads((VECTORS / "index.json").read_text())
BINARY = (".iso", ".fmr")
WARNINGS = {
    "npy-big-endian.npy": ["embedding.not_centered"],
    "cbeff.fmr": ["header.cbeff"],
    "cbeff-piv-object.bin": ["header.cbeff"],
    "iso2005-99-per-cm.iso": ["geometry.suspect_resolution"],
    "iso2005-extended-data-only.iso": ["header.extended_length"],
    "iso2005-255-minutiae.iso": ["geometry.implausible_spacing"],
    "iso2005-anisotropic.iso": ["geometry.anisotropic"],
    "iso2005-beyond-image.iso": ["geometry.beyond_image"],
    "iso2005-no-minutiae.iso": ["data.no_minutiae"],
    "iso2005-view-number-from-1.iso": ["header.view_numbers"],
    "xyt-nist.xyt": ["geometry.assumed_500_dpi"],
    "xyt-256.xyt": ["geometry.assumed_500_dpi", "data.too_many_minutiae"],
    "xyt-extra.xyt": ["data.extra_columns", "geometry.assumed_500_dpi"],
    "xyt-three-columns.xyt": ["geometry.assumed_500_dpi"],
}


@pytest.mark.parametrize("name", sorted(name for name in INDEX if INDEX[name]["code"]))
def test_refused_with_its_code(name: str) -> None:
    with pytest.raises(InputRefused) as caught:
        load(VECTORS / name)
    assert caught.value.code == INDEX[name]["code"]
    assert caught.value.hint
    assert re.fullmatch(r"[^\n]+[^.\n]", caught.value.message)


@pytest.mark.parametrize("name", sorted(name for name in INDEX if not INDEX[name]["code"]))
def test_accepted_with_its_warnings(name: str) -> None:
    result = load(VECTORS / name)
    assert len(result.features) >= 1
    assert [w.code for w in result.warnings] == WARNINGS.get(name, [])


@pytest.mark.parametrize(
    "name", sorted(n for n in INDEX if not INDEX[n]["code"] and n.endswith(BINARY) and not n.startswith("cbeff"))
)
def test_round_trip_and_second_reader(name: str, oracle, plain) -> None:
    octets = (VECTORS / name).read_bytes()
    record = parse_minutiae(octets)
    assert record.to_bytes() == octets
    if name == "iso2005-extended-data-only.iso":
        return  # the second reader knows the other rule only; test_field_files.py has this block
    reader = "ansi2009" if name.startswith("ansi2009") else name.split("-", maxsplit=1)[0]
    for index, (view, expected) in enumerate(zip(record.views, oracle(reader, octets), strict=True)):
        found = plain(view, record.geometry(index))
        assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    "name", ["iso2005-extended.iso", "ansi2004-one-view.fmr", "ansi2009-am1.fmr", "iso2011-certified.fmr"]
)
def test_every_truncation_is_refused(name: str) -> None:
    octets = (VECTORS / name).read_bytes()
    for size in range(len(octets)):
        with pytest.raises(InputRefused) as caught:
            load_bytes(octets[:size], name)
        assert caught.value.code in ("format.truncated", "format.bad_magic"), size


def test_offsets_are_in_the_message() -> None:
    expected = {
        "iso2005-bad-version.iso": "unknown minutiae record version at byte 4",
        "iso2005-cut-1.iso": "header declares 48 bytes, file has 47: field at byte 8",
        "iso2005-type-3.iso": "minutia type 3 is not a value of this format at byte 28",
        "iso2005-count-beyond-data.iso": "200 minutiae need 1200 bytes, 20 left at byte 28",
        "iso2005-extended-block-short.iso": "extended data block lengths do not add up at byte 48",
        "iso2005-extended-overrun.iso": "extended data of 9 bytes, 5 left: field at byte 46",
        "ansi2009-compliance.fmr": "compliance 1 is not a value of this format at byte 16",
        "iso2011-minutia-size-7.fmr": "minutia size 7 is not a value of this format at byte 50",
        "npz-model.npz": "the archive's model is no text of 1 to 64 printable ASCII characters",
        "npy-shape-bomb.npy": "npy shape (999999999, 512) needs 2047999997952 bytes of elements, "
        "file has 256 at byte 128",
    }
    for name, message in expected.items():
        with pytest.raises(InputRefused) as caught:
            load(VECTORS / name)
        assert caught.value.message == message


def test_generator_writes_these_files(tmp_path: Path) -> None:
    runpy.run_path(str(VECTORS / "generate.py"))["main"](tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in VECTORS.iterdir() if path.suffix != ".py" and path.is_file()}
    assert sorted(made) == sorted(kept)
    assert [name for name in made if made[name] != kept[name]] == []


def test_codes_are_documented() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "formats"
    text = "".join((docs / name).read_text() for name in ("minutiae.md", "embeddings.md", "features.md"))
    codes = {entry["code"] for entry in INDEX.values() if entry["code"]} | {
        w for found in WARNINGS.values() for w in found
    }
    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []


def test_each_code_of_the_parsers_has_a_vector() -> None:
    source = Path(__file__).resolve().parents[2] / "src" / "bioguard" / "formats"
    text = "".join(path.read_text() for path in source.glob("*.py"))
    raised = set(re.findall(r'refuse(?:_at)?\(\s*"([a-z0-9_]+)"', text))
    raised |= set(re.findall(r'"(no_views|no_minutiae|reserved_bits|minutia_type|field_range)"', text))
    covered = {entry["code"].removeprefix("format.") for entry in INDEX.values() if entry["code"]}
    tested_elsewhere = {"options", "too_many_views"}
    unreachable = {
        "not_canonical"
    }  # the parsers keep every bit; the check guards against a future parser that does not
    assert raised - covered == tested_elsewhere | unreachable
