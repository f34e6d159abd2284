"""Software bill of materials: CycloneDX 1.6 of what this installation runs on.

The `*.dist-info` folders are read directly: `importlib.metadata` would load `email` and with it `socket`.
"""

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bioguard import __version__

RUNTIME = ("click", "cryptography", "pynacl", "numpy", "cbor2", "jinja2", "markupsafe", "cffi", "pycparser")
"""Dependencies of the product and what they pull in."""
_FIELD = re.compile(r"([A-Za-z-]+): (.*)")


@dataclass(frozen=True, slots=True)
class Component:
    """One installed distribution.

    Attributes:
        record_sha256: of its RECORD file, which lists the hash of every file; empty without one.
    """

    name: str
    version: str
    license: str
    record_sha256: str

    @property
    def purl(self) -> str:
        """Package URL (a name, nothing is fetched)."""
        return f"pkg:pypi/{_normal(self.name)}@{self.version}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _headers(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if not line:
            return
        found = _FIELD.fullmatch(line)
        if found:
            yield found[1].lower(), found[2].strip()


def components(paths: Iterable[str] = tuple(sys.path), wanted: Iterable[str] = RUNTIME) -> list[Component]:
    """The wanted distributions found on `paths`, by name. The first place on the path wins, as in an import."""
    names, found = {_normal(n) for n in wanted}, dict[str, Component]()
    for folder in paths:
        for metadata in sorted(Path(folder or ".").glob("*.dist-info/METADATA")):
            headers = list(_headers(metadata.read_text("utf-8", "replace")))
            fields = dict(headers)
            name = fields.get("name", "")
            if _normal(name) not in names or _normal(name) in found:
                continue
            record = metadata.with_name("RECORD")
            digest = hashlib.sha256(record.read_bytes()).hexdigest() if record.is_file() else ""
            named = (v for k, v in headers if k == "classifier" and v.startswith("License :: "))
            classified = next((v.rpartition(" :: ")[2] for v in named), "unknown")
            terms = fields.get("license-expression") or fields.get("license") or classified
            found[_normal(name)] = Component(name, fields.get("version", "0"), terms[:80], digest)
    return [found[key] for key in sorted(found)]


def render_cyclonedx(parts: Iterable[Component], created: str) -> str:
    """CycloneDX 1.6 JSON."""
    rows = [
        {
            "type": "library",
            "bom-ref": part.purl,
            "name": part.name,
            "version": part.version,
            "purl": part.purl,
            "licenses": [{"license": {"name": part.license}}],
            **({"properties": [{"name": "record-sha256", "value": part.record_sha256}]} if part.record_sha256 else {}),
        }
        for part in parts
    ]
    main = f"pkg:pypi/bioguard@{__version__}"
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": created,
            "component": {"type": "application", "bom-ref": main, "name": "bioguard", "version": __version__},
            "properties": [{"name": "python", "value": platform.python_version()}],
        },
        "components": rows,
        "dependencies": [{"ref": main, "dependsOn": [row["bom-ref"] for row in rows]}],
    }
    return json.dumps(bom, indent=1, sort_keys=True) + "\n"
