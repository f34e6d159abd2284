"""What is loaded is what is measured: each change of an installed product is named against a reference."""

import importlib.util
import json
import marshal
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.cli.__main__ import run
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure
from bioguard.evidence.measuring import folders_of, start_code
from bioguard.evidence.reference import Measurement, Otherwise, Reference
from bioguard.records.comparison_profile import ComparisonProfile
from tee_sim.shared.package_files import Listing
from tests.evidence.installed_copy import ROOT, InstalledCopy

SCHEMAS = ROOT / "src/bioguard/report/schema"
VECTORS = Path(__file__).parents[1] / "vectors" / "reference"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> InstalledCopy:
    """Installed, and never changed."""
    return InstalledCopy.make(tmp_path_factory.mktemp("clean") / "venv")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.of(Listing.of(folders_of(ROOT)), {})


@pytest.fixture
def copy(clean: InstalledCopy, tmp_path: Path) -> InstalledCopy:
    return InstalledCopy(Path(shutil.copytree(clean.place, tmp_path / "venv", symlinks=True)))


def _named(copy: InstalledCopy, reference: Reference, **variables: str) -> tuple[str, tuple[str, ...]]:
    status, text = copy.measured(**variables)
    return status, reference.differences(Measurement.parse(text))


def test_an_installed_product_is_that_of_the_checkout(clean: InstalledCopy, reference: Reference) -> None:
    assert _named(clean, reference) == ("PASS", ())


def _append(name: str, tail: bytes) -> Callable[[Path], None]:
    def change(site: Path) -> None:
        with (site / name).open("ab") as file:
            file.write(tail)

    return change


def _another_profile(site: Path) -> None:
    """A profile as good as the true one: a damaged one would end the application that reads it."""
    path = site / "bioguard/match/profiles/minutiae-pooled.profile"
    true = ComparisonProfile.from_bytes(path.read_bytes())
    path.write_bytes(replace(true, made_by="nobody").to_bytes())


CHANGES: list[tuple[str, Callable[[Path], None]]] = [
    ("changed: tee_sim/secure/sealing.py", _append("tee_sim/secure/sealing.py", b"\n")),
    ("changed: bioguard/device/facade.py", _append("bioguard/device/facade.py", b"\n")),
    ("changed: bioguard/cli/app.py", _append("bioguard/cli/app.py", b"\n")),
    ("changed: bioguard/trusted/keystore/manifest.toml", _append("bioguard/trusted/keystore/manifest.toml", b"\n")),
    ("changed: bioguard/match/profiles/minutiae-pooled.profile", _another_profile),
    ("changed: bioguard/match/native/dots.c", _append("bioguard/match/native/dots.c", b"\n")),
    ("missing: tee_sim/cli/scaffold/app.txt", lambda site: (site / "tee_sim/cli/scaffold/app.txt").unlink()),
    ("added: bioguard/evil.py", _append("bioguard/evil.py", b"")),
    ("added: tee_sim/loose.pyc", _append("tee_sim/loose.pyc", b"")),
    ("added: bioguard/match/errors.abi3.so", _append("bioguard/match/errors.abi3.so", b"\x7fELF")),
]
KERNEL = ("changed: bioguard/match/_kernels.abi3.so", _append("bioguard/match/_kernels.abi3.so", b"\0"))
BUILT = next(iter((ROOT / "src/bioguard/match").glob("_kernels.abi3.so")), None)
if BUILT is not None:
    CHANGES.append(KERNEL)


def test_each_changed_missing_and_added_file_is_named_and_nothing_else(
    copy: InstalledCopy, reference: Reference
) -> None:
    for _, change in CHANGES:
        change(copy.site)
    assert set(_named(copy, reference)[1]) == {name for name, _ in CHANGES}


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_each_alone_is_named(clean: InstalledCopy, reference: Reference, tmp_path: Path, number: int) -> None:
    """The files alone: that a device measures them so is shown above."""
    name, change = CHANGES[number]
    for package in ("bioguard", "tee_sim"):
        shutil.copytree(clean.site / package, tmp_path / package)
    change(tmp_path)
    files = Listing.of({package: tmp_path / package for package in ("bioguard", "tee_sim")})
    assert reference.differences(Measurement(files, {}, ())) == (name,)


def test_code_that_runs_at_the_start_of_python_is_named(copy: InstalledCopy, reference: Reference) -> None:
    (copy.site / "stray.pth").write_text("import sys; sys.dont_write_bytecode = True\n", "utf-8")
    (copy.site / "more.pth").write_text("import _more\n", "utf-8")
    (copy.site / "_more.py").write_text("", "utf-8")
    elsewhere = copy.place / "elsewhere"
    elsewhere.mkdir()
    (copy.site / "folder.pth").write_text(f"{elsewhere}\n", "utf-8")
    (copy.site / "sitecustomize.py").write_text("", "utf-8")
    names = ["_more.py", "folder.pth", "more.pth", "sitecustomize.py", "stray.pth"]
    assert _named(copy, reference) == ("WARN", tuple(f"added: start/{name}" for name in names))


def test_what_the_normal_world_loads_from_elsewhere_is_named(
    clean: InstalledCopy, reference: Reference, tmp_path: Path
) -> None:
    """PYTHONPATH reaches the process that runs the audit; the secure world is started without it."""
    shutil.copytree(clean.site / "bioguard", tmp_path / "bioguard")
    _append("bioguard/text.py", b"\n")(tmp_path)
    (tmp_path / "bioguard/more.json").write_text("{}", "utf-8")
    shutil.copy(str(secrets.__file__), tmp_path / "secrets.py")
    shutil.copytree(Path(str(click.__file__)).parent, tmp_path / "click", ignore=shutil.ignore_patterns("*.pyc"))
    status, named = _named(clean, reference, PYTHONPATH=str(tmp_path))
    assert status == "FAIL"
    words = Otherwise.NORMAL_WORLD.words
    assert {f"{words}: bioguard/more.json", f"{words}: bioguard/text.py"} < {*named}
    assert {"loaded from another place: secrets", "loaded from another place: click"} < {*named}


def _cache(copy: InstalledCopy, text: str, stamp: bytes | None = None, flags: int = 0) -> None:
    """Put code into the cache of bioguard/text.py that is not of it."""
    source = copy.site / "bioguard/text.py"
    found = source.stat()
    stamp = stamp or b"".join((int(v) & 0xFFFFFFFF).to_bytes(4, "little") for v in (found.st_mtime, found.st_size))
    path = Path(importlib.util.cache_from_source(str(source)))
    path.parent.mkdir(exist_ok=True)
    code = marshal.dumps(compile(text, str(source), "exec"))
    path.write_bytes(importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little") + stamp + code)


CHANGED_CACHE = f"{Otherwise.CACHE.words}: bioguard/text.py"


@pytest.mark.parametrize(
    ("tail", "stamp", "flags", "named"),
    [
        ("", None, 0, ()),
        ("HIDDEN = 1\n", None, 0, (CHANGED_CACHE,)),
        ("HIDDEN = 1\n", bytes(8), 0, ()),  # not of this source: Python makes it anew
        ("HIDDEN = 1\n", bytes(8), 0b01, (CHANGED_CACHE,)),  # PEP 552, unchecked: always taken
        ("HIDDEN = 1\n", bytes(8), 0b11, ()),
    ],
)
def test_a_cache_that_would_run_in_place_of_its_source_is_named(
    copy: InstalledCopy, reference: Reference, tail: str, stamp: bytes | None, flags: int, named: tuple[str, ...]
) -> None:
    _cache(copy, (copy.site / "bioguard/text.py").read_text("utf-8") + tail, stamp, flags)
    probe = "from pathlib import Path; import sys; from bioguard.evidence.measuring import folders_of, foreign_caches; "
    line = [copy.python, "-I", "-B", "-c", probe + "print([n for n, _ in foreign_caches([folders_of()])])"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(["bioguard/text.py"] if named else [])
    if named and not flags:
        assert _named(copy, reference) == ("FAIL", named)


# -- the command -----------------------------------------------------------------------------------------------------


def _sources(place: Path) -> Path:
    for folder in ("src/bioguard", "tee_sim"):
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def test_two_checkouts_have_one_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("one", "two/deeper"):
        _sources(tmp_path / place)
        out = tmp_path / place / "reference.json"
        assert run(["audit", "reference", "--checkout", str(tmp_path / place), "--out", str(out)]) == 0
    text = (tmp_path / "one/reference.json").read_text("utf-8")
    assert (tmp_path / "two/deeper/reference.json").read_text("utf-8") == text
    assert str(tmp_path) not in text
    assert str(ROOT) not in text
    capsys.readouterr()
    assert run(["audit", "reference", "--out", str(tmp_path / "own.json")]) == 0
    assert Reference.parse((tmp_path / "own.json").read_text("utf-8")).files == Reference.parse(text).files
    assert "next: bioguard audit verify" in capsys.readouterr().err


def test_the_known_files_of_another_machine_are_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = Reference.of(Listing.of(folders_of()), start_code())
    other = replace(own, machine={"bioguard/match/_kernels.abi3.so": ("0" * 64,), "start/x.pth": ("1" * 64,)})
    (tmp_path / "other.json").write_text(other.to_text(), "utf-8")
    line = ["audit", "reference", "--out", str(tmp_path / "both.json"), "--also", str(tmp_path / "other.json")]
    assert run(line) == 0
    both = Reference.parse((tmp_path / "both.json").read_text("utf-8"))
    assert both.machine.keys() == {*own.machine, *other.machine}
    assert "0" * 64 in both.machine["bioguard/match/_kernels.abi3.so"]
    name = next(iter(own.files))
    (tmp_path / "other.json").write_text(replace(other, files={**other.files, name: "2" * 64}).to_text(), "utf-8")
    capsys.readouterr()
    assert run([*line[:3], str(tmp_path / "third.json"), *line[4:]]) == 4
    said = capsys.readouterr().err
    assert f"error[audit.other_reference]: a reference of other sources: {name} differs, 1 files in all" in said
    assert not (tmp_path / "third.json").exists()


def test_what_is_no_checkout_and_what_is_no_reference_is_refused(
    tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "reference", "--checkout", str(tmp_path), "--out", str(tmp_path / "x.json")]) == 4
    assert "error[audit.checkout]: there is no product in" in capsys.readouterr().err
    (tmp_path / "junk.json").write_text("{}", "utf-8")
    assert run(["audit", "verify", str(bundle), "--reference", str(tmp_path / "junk.json")]) == 4
    assert "error[audit.reference]: not a reference file" in capsys.readouterr().err
    (tmp_path / "there.json").write_text("kept", "utf-8")
    assert run(["audit", "reference", "--out", str(tmp_path / "there.json")]) == 4
    assert (tmp_path / "there.json").read_text("utf-8") == "kept"


def test_a_bundle_is_compared_with_a_reference_and_every_difference_is_named(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "reference.json"
    assert run(["audit", "reference", "--out", str(path)]) == 0
    line = ["audit", "verify", str(bundle), "--signatures-only", "--reference", str(path)]
    capsys.readouterr()
    assert run(line) == 0
    assert "as attested, and as in the reference" in capsys.readouterr().out
    known = Reference.parse(path.read_text("utf-8"))
    files = {**known.files, "tee_sim/secure/sealing.py": "0" * 64, "bioguard/gone.py": "1" * 64}
    del files["bioguard/device/facade.py"]
    path.write_text(replace(known, files=dict(sorted(files.items()))).to_text(), "utf-8")
    assert run(line) == 7
    said = capsys.readouterr().err
    assert "error[integrity.reference]: measurement.json: not as in the reference: " in said
    for name in ("added: bioguard/device/facade.py", "missing: bioguard/gone.py", "changed: tee_sim/secure/sealing.py"):
        assert name in said
    assert run(["--json", *line]) == 7
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "integrity.reference"


# -- the two files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.json")), ids=lambda p: p.stem)
def test_vectors(path: Path) -> None:
    vector = json.loads(path.read_text("utf-8"))
    reference = Reference.parse(vector["reference"])
    found = Measurement.parse(vector["measurement"])
    assert list(reference.differences(found)) == vector["differences"]


def test_there_are_vectors() -> None:
    assert len(list(VECTORS.glob("*.json"))) >= 3


REFERENCE = Reference(
    {"tee_sim/a.py": "a" * 64}, {"tee_sim/b.abi3.so": ("b" * 64, "c" * 64), "start/x.pth": ("d" * 64,)}
)
MEASURED = Measurement(Listing({"tee_sim/a.py": "a" * 64}), {"start/x.pth": "d" * 64}, (("json", Otherwise.ELSEWHERE),))


@pytest.mark.parametrize(("name", "value"), [("reference", REFERENCE), ("measurement", MEASURED)])
def test_each_fits_its_schema_and_every_changed_character_is_refused_or_says_something_else(
    name: str, value: Reference | Measurement
) -> None:
    text = value.to_text()
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(json.loads(text))
    assert not validator.is_valid({**json.loads(text), "more": 1})
    assert type(value).parse(text) == value
    for at in range(len(text)):
        bent = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        try:
            assert type(value).parse(bent) != value
        except (InputRefused, IntegrityFailure):
            continue


@pytest.mark.parametrize("kind", [Reference, Measurement])
@given(text=st.text(max_size=80) | st.sampled_from(["{}", "[]", "1", '{"files": []}', '{"files": {}, "machine": 0}']))
def test_anything_else_is_refused(kind: type[Reference] | type[Measurement], text: str) -> None:
    with pytest.raises(BioguardError):
        kind.parse(text)


def test_a_compiled_file_may_have_the_suffix_of_another_python(reference: Reference) -> None:
    known = Reference({"tee_sim/a.py": "a" * 64}, {"tee_sim/b.abi3.so": ("b" * 64,), "tee_sim/b.cp313.so": ("c" * 64,)})
    here = {"tee_sim/a.py": "a" * 64, "tee_sim/b.cp313.so": "c" * 64}
    assert known.differences(Measurement(Listing(here), {}, ())) == ()
    here = {"tee_sim/a.py": "a" * 64}
    assert "missing: tee_sim/b.abi3.so" in known.differences(Measurement(Listing(here), {}, ()))
