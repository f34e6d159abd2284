"""Software bill of materials: CycloneDX 1.6 of what this installation runs on.

The document is made by cyclonedx-python-lib (the `audit` extra). It and `importlib.metadata` load `socket`, so they are
imported where an audit calls them and not with this module.
"""

import hashlib
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from bioguard import __version__

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PRODUCT = "bioguard"


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
    def normal_name(self) -> str:
        """The name as an index compares it (PEP 503)."""
        return _normal(self.name)

    @property
    def purl(self) -> str:
        """Package URL (a name, nothing is fetched)."""
        return f"pkg:pypi/{self.normal_name}@{self.version}"


def _field(distribution: "Distribution", name: str) -> str:
    return distribution.metadata[name].strip() if name in distribution.metadata else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed(paths: Iterable[str]) -> "dict[str, Distribution]":
    """Distributions on `paths` by normal name. The first place on the path wins, as in an import."""
    from importlib.metadata import distributions  # noqa: PLC0415 - loads `socket`

    found = dict[str, "Distribution"]()
    for distribution in distributions(path=list(paths)):
        found.setdefault(_normal(_field(distribution, "Name")), distribution)
    return found


def _required(distribution: "Distribution") -> Iterator[str]:
    """Normal names of what a distribution requires without an extra.

    Other markers are not evaluated: of what they exclude here nothing is installed, or it is listed beyond need.
    """
    for line in distribution.requires or ():
        requirement, _, marker = line.partition(";")
        if "extra" not in marker:
            yield _normal(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0])


def runtime_dependencies(paths: Iterable[str] = tuple(sys.path)) -> tuple[str, ...]:
    """Return the dependencies that the product's own metadata names; none where it is not installed."""
    product = _installed(paths).get(PRODUCT)
    return tuple(_required(product)) if product else ()


def required_distributions(
    paths: Iterable[str] = tuple(sys.path), wanted: Iterable[str] | None = None
) -> "dict[str, Distribution]":
    """The wanted distributions on `paths` and what they pull in, by normal name.

    Args:
        wanted: the product's dependencies without one.
    """
    paths = tuple(paths)
    installed = _installed(paths)
    waiting = [_normal(name) for name in (runtime_dependencies(paths) if wanted is None else wanted)]
    found = dict[str, "Distribution"]()
    while waiting:
        name = waiting.pop()
        if name in installed and name not in found:
            found[name] = installed[name]
            waiting += _required(installed[name])
    return dict(sorted(found.items()))


def components(paths: Iterable[str] = tuple(sys.path), wanted: Iterable[str] | None = None) -> list[Component]:
    """The same, as parts of the bill."""
    return [Component.of(distribution) for distribution in required_distributions(paths, wanted).values()]


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
