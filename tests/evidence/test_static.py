"""The bill of materials against CycloneDX's own schema, the symbol reader against nm, the export against its schema."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import jsonschema
import nacl
import numpy as np
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st
from license_expression import get_spdx_licensing
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bioguard import __version__
from bioguard.device.personal_data import personal_data
from bioguard.evidence import static
from bioguard.evidence.elf import NotElf, undefined_symbols
from bioguard.evidence.sbom import Component, components, product, render_cyclonedx
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.records.audit_events import Cause
from bioguard.report import Check, Status

EXPORT_SCHEMA = Path(__file__).parents[2] / "src/bioguard/report/schema/export.schema.json"
OBJECTS = sorted([*Path(nacl.__file__).parent.glob("*.so"), *Path(np.__file__).parent.glob("_core/*.so")])


def _bill() -> dict[str, Any]:
    bill: dict[str, Any] = json.loads(render_cyclonedx(components(), "2026-01-31T12:00:00Z", product()))
    return bill


def test_cyclonedx_accepts_the_bill_of_materials_and_rejects_its_twin() -> None:
    text = render_cyclonedx(components(), "2026-01-31T12:00:00Z", product())
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    for twin in (text.replace('"library"', '"libary"', 1), text.replace('"bomFormat"', '"bomformat"')):
        assert validator.validate_str(twin) is not None


def test_the_bill_names_what_is_installed() -> None:
    parts = {p.name.lower().replace("_", "-"): p for p in components()}
    assert parts["numpy"].version == np.__version__
    assert {"click", "cryptography", "pynacl", "cbor2", "jinja2", "tomli-w", "confusable-homoglyphs"} <= parts.keys()
    assert {"cffi", "pycparser", "markupsafe"} <= parts.keys(), "what the dependencies pull in"
    assert not {"bioguard", "pytest", "distributed"} & parts.keys()
    assert parts["numpy"].purl == f"pkg:pypi/numpy@{np.__version__}"
    assert all(len(p.record_sha256) == 64 for p in parts.values())


def test_the_graph_is_that_of_the_requirements_that_apply_here() -> None:
    """Read anew with `packaging`, from what is installed."""
    graph = {row["ref"]: row.get("dependsOn", []) for row in _bill()["dependencies"]}
    names = {p.purl: p.name for p in components()} | {f"pkg:pypi/bioguard@{__version__}": "bioguard"}
    assert graph.keys() == names.keys()
    for purl, name in names.items():
        applying = [
            r for r in map(Requirement, requires(name) or ()) if r.marker is None or r.marker.evaluate({"extra": ""})
        ]
        assert {at.rpartition("/")[2].partition("@")[0] for at in graph[purl]} == {
            canonicalize_name(r.name) for r in applying
        }
    direct = {at.rpartition("/")[2].partition("@")[0] for at in graph[f"pkg:pypi/bioguard@{__version__}"]}
    assert not direct & {"cffi", "pycparser", "markupsafe"}, "what others require is below them"


def test_the_product_has_purl_and_license_and_every_license_that_is_one_has_its_spdx_id() -> None:
    bill = _bill()
    main = bill["metadata"]["component"]
    assert (main["name"], main["version"], main["purl"]) == (
        "bioguard",
        __version__,
        f"pkg:pypi/bioguard@{__version__}",
    )
    assert main["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    spdx = get_spdx_licensing()
    for component in bill["components"]:
        for row in component["licenses"]:
            if "license" in row and "name" in row["license"]:
                assert spdx.validate(row["license"]["name"]).errors, component["name"]
            else:
                assert not spdx.validate(row.get("expression") or row["license"]["id"]).errors, component["name"]


def test_the_license_is_read_from_the_expression_or_the_classifiers(tmp_path: Path) -> None:
    folder = tmp_path / "Some_Thing-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.4\nName: Some_Thing\nVersion: 1.2\n\nVersion: 9\n", "utf-8")
    assert components([str(tmp_path)], ["some-thing"]) == [Component("Some_Thing", "1.2", "unknown", "")]
    classified = "Name: Some_Thing\nClassifier: License :: OSI Approved :: BSD License\nClassifier: Topic :: Text\n\n"
    (folder / "METADATA").write_text(classified, "utf-8")
    assert components([str(tmp_path)], ["some-thing"])[0].license == "BSD License"


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not on this host")
@pytest.mark.parametrize("path", OBJECTS, ids=lambda p: p.name.split(".")[0])
def test_nm_sees_the_same_symbols(path: Path) -> None:
    listed = subprocess.run(["nm", "-D", "--undefined-only", path], capture_output=True, text=True, check=True).stdout
    theirs = {line.split()[-1].partition("@")[0] for line in listed.splitlines()}
    assert undefined_symbols(path.read_bytes()) == theirs


@pytest.mark.parametrize(
    ("library", "row"),
    [
        ("cyclonedx.model", lambda raw: static.bill_of_materials(raw, "2026-01-31T12:00:00Z", components())),
        ("elftools.elf.elffile", static.shared_objects),
    ],
)
def test_without_the_audit_extra_a_row_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: str, row: Callable[[Path], Check]
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "bioguard.evidence.elf")
    found = row(tmp_path)
    assert found.status is Status.UNKNOWN
    assert found.fix == "pip install 'bioguard[audit]'"
    assert not list(tmp_path.iterdir())


def test_what_an_auditor_is_told_to_install_has_every_library_that_a_row_needs() -> None:
    """README's line for auditors names the extra; the extra names what the rows import and run."""
    root = Path(__file__).parents[2]
    line = next(row for row in (root / "README.md").read_text("utf-8").splitlines() if row.startswith("| an auditor |"))
    assert "`pip install -e '.[audit]'`" in line
    extra = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["audit"]
    named = {canonicalize_name(Requirement(text).name) for text in extra}
    assert named == {"import-linter", "cyclonedx-python-lib", "packaging", "pyelftools"}
    pulled = {
        canonicalize_name(Requirement(r).name) for name in named for r in requires(name) or () if "extra" not in r
    }
    providers = packages_distributions()
    for library in ("importlinter", "cyclonedx", "packageurl", "elftools", "packaging"):
        assert {canonicalize_name(name) for name in providers[library]} & (named | pulled), library


def test_there_are_objects_to_compare() -> None:
    assert len(OBJECTS) >= 3


@given(st.binary(max_size=200), st.integers(0, 63), st.binary(min_size=1, max_size=4))
def test_damaged_objects_are_refused_or_read_never_worse(tail: bytes, position: int, patch: bytes) -> None:
    data = bytearray(OBJECTS[0].read_bytes()[:20_000] + tail)
    data[position : position + len(patch)] = patch
    try:
        undefined_symbols(bytes(data))
    except NotElf as error:
        assert str(error)


def test_an_export_fits_its_schema_and_a_template_in_it_does_not(lab: TemporaryDevice) -> None:
    person = lab.person(pin=True, enrolled=True)
    lab.device.authenticate(person.name, person.sample())
    data = personal_data(lab.device, person.name, Cause.PORTABILITY, token=lab.token(person))
    schema = jsonschema.Draft202012Validator(json.loads(EXPORT_SCHEMA.read_text("utf-8")))
    schema.validate(data)
    assert data["templates"] == {
        "included": False,
        "why": "templates, protected codes, keys and scores are not exported: they cannot be changed like a password, "
        "and nobody but this device's secure world can use them",
    }
    enrollments = data["enrollments"]
    assert isinstance(enrollments, list)
    for extra in ("template", "code", "score"):
        with pytest.raises(jsonschema.ValidationError):
            schema.validate({**data, "enrollments": [{**enrollments[0], extra: "00"}]})
