"""Software bill of materials: CycloneDX 1.6 of what this installation runs on.

The document is made by cyclonedx-python-lib (the `audit` extra). It and `importlib.metadata` load `socket`, so they are
imported where an audit calls them and not with this module.
"""

import hashlib
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from bioguard import __version__

if TYPE_CHECKING:
    from importlib.metadata import Distribution

RUNTIME = ("click", "cryptography", "pynacl", "numpy", "cbor2", "jinja2", "markupsafe", "cffi", "pycparser")
"""Dependencies of the product and what they pull in."""


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

    @classmethod
    def of(cls, distribution: "Distribution") -> "Component":
        """Read the metadata of an installed distribution."""
        named = (v for v in distribution.metadata.get_all("Classifier", ()) if v.startswith("License :: "))
        classified = next((v.rpartition(" :: ")[2] for v in named), "unknown")
        terms = _field(distribution, "License-Expression") or _field(distribution, "License") or classified
        record = next((f for f in distribution.files or () if f.match("*.dist-info/RECORD")), None)
        digest = hashlib.sha256(record.read_binary()).hexdigest() if record else ""
        version = _field(distribution, "Version") or "0"
        return cls(_field(distribution, "Name"), version, terms.splitlines()[0][:80], digest)

    @property
    def purl(self) -> str:
        """Package URL (a name, nothing is fetched)."""
        return f"pkg:pypi/{_normal(self.name)}@{self.version}"


def _field(distribution: "Distribution", name: str) -> str:
    return distribution.metadata[name].strip() if name in distribution.metadata else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def components(paths: Iterable[str] = tuple(sys.path), wanted: Iterable[str] = RUNTIME) -> list[Component]:
    """Return the wanted distributions on `paths`, by name. The first place on the path wins, as in an import."""
    names, found = {_normal(name) for name in wanted}, dict[str, Component]()
    from importlib.metadata import distributions  # noqa: PLC0415 - loads `socket`

    for distribution in distributions(path=list(paths)):
        name = _normal(_field(distribution, "Name"))
        if name in names and name not in found:
            found[name] = Component.of(distribution)
    return [found[key] for key in sorted(found)]


def render_cyclonedx(parts: Sequence[Component], created: str) -> str:
    """Return CycloneDX 1.6 JSON. Raises ImportError without the `audit` extra."""
    from cyclonedx.model import Property  # noqa: PLC0415 - without the extra, the parts can still be listed
    from cyclonedx.model import component as cdx  # noqa: PLC0415
    from cyclonedx.model.bom import Bom  # noqa: PLC0415
    from cyclonedx.model.license import DisjunctiveLicense  # noqa: PLC0415
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415
    from packageurl import PackageURL  # noqa: PLC0415

    rows = [
        cdx.Component(
            type=cdx.ComponentType.LIBRARY,
            bom_ref=part.purl,
            name=part.name,
            version=part.version,
            purl=PackageURL.from_string(part.purl),
            licenses=[DisjunctiveLicense(name=part.license)],
            properties=[Property(name="record-sha256", value=part.record_sha256)] if part.record_sha256 else (),
        )
        for part in parts
    ]
    main = f"pkg:pypi/bioguard@{__version__}"
    # The number is made from the content: the same installation at the same time has the same bill.
    bom = Bom(components=rows, serial_number=uuid5(NAMESPACE_URL, " ".join([main, created, *map(repr, parts)])))
    bom.metadata.timestamp = datetime.fromisoformat(created)
    bom.metadata.component = cdx.Component(
        type=cdx.ComponentType.APPLICATION, bom_ref=main, name="bioguard", version=__version__
    )
    bom.metadata.properties.add(Property(name="python", value=platform.python_version()))
    bom.register_dependency(bom.metadata.component, rows)
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
