"""Software bill of materials: CycloneDX 1.6 of what this installation runs on.

The document is made by cyclonedx-python-lib (the `audit` extra). It and `importlib.metadata` load `socket`, so they are
imported where an audit calls them and not with this module.
"""

import hashlib
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from bioguard import __version__

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from cyclonedx.model.license import License

PRODUCT = "bioguard"


@dataclass(frozen=True, slots=True)
class Component:
    """One installed distribution.

    Attributes:
        record_sha256: of its RECORD file, which lists the hash of every file; empty without one.
        requires: normal names of what it requires itself, in order.
    """

    name: str
    version: str
    license: str
    record_sha256: str
    requires: tuple[str, ...] = ()

    @classmethod
    def of(cls, distribution: "Distribution") -> "Component":
        """Read the metadata of an installed distribution."""
        named = (v for v in distribution.metadata.get_all("Classifier", ()) if v.startswith("License :: "))
        classified = next((v.rpartition(" :: ")[2] for v in named), "unknown")
        terms = _field(distribution, "License-Expression") or _field(distribution, "License") or classified
        record = next((f for f in distribution.files or () if f.match("*.dist-info/RECORD")), None)
        digest = hashlib.sha256(record.read_binary()).hexdigest() if record else ""
        version = _field(distribution, "Version") or "0"
        requires = tuple(sorted(set(_required(distribution))))
        return cls(_field(distribution, "Name"), version, terms.splitlines()[0][:80], digest, requires)

    @property
    def normal_name(self) -> str:
        """The name as an index compares it (PEP 503)."""
        return _normal(self.name)

    @property
    def purl(self) -> str:
        """Package URL (a name, nothing is fetched)."""
        return f"pkg:pypi/{self.normal_name}@{self.version}"


def _field(distribution: "Distribution", name: str) -> str:
    return str(distribution.metadata.get_all(name, [""])[0]).strip()


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
    """Normal names of what a distribution requires here, without an extra."""
    for line in distribution.requires or ():
        requirement, _, marker = line.partition(";")
        if not marker or _applies(marker.strip()):
            yield _normal(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0])


def _applies(marker: str) -> bool:
    """Whether a requirement is one of this Python on this machine (PEP 508)."""
    try:
        from packaging.markers import Marker  # noqa: PLC0415 - of the `audit` extra
    except ImportError:
        return "extra" not in marker  # what is installed is then listed beyond need, never left out
    return Marker(marker).evaluate({"extra": ""})


def runtime_dependencies(paths: Iterable[str] = tuple(sys.path)) -> tuple[str, ...]:
    """Return the dependencies that the product's own metadata names; none where it is not installed."""
    return _dependencies(_installed(paths))


def _dependencies(installed: "Mapping[str, Distribution]") -> tuple[str, ...]:
    product = installed.get(PRODUCT)
    return tuple(_required(product)) if product else ()


def required_distributions(
    paths: Iterable[str] = tuple(sys.path), wanted: Iterable[str] | None = None
) -> "dict[str, Distribution]":
    """The wanted distributions on `paths` and what they pull in, by normal name.

    Args:
        wanted: the product's dependencies without one.
    """
    installed = _installed(paths)
    waiting = [_normal(name) for name in (_dependencies(installed) if wanted is None else wanted)]
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


def product(paths: Iterable[str] = tuple(sys.path)) -> Component | None:
    """The product itself, as its own metadata says; None where it is not installed."""
    found = _installed(paths).get(PRODUCT)
    return Component.of(found) if found else None


def render_cyclonedx(parts: Sequence[Component], created: str, main: Component | None = None) -> str:
    """Return CycloneDX 1.6 JSON: a component each, and who requires whom.

    Args:
        main: the product; as this code knows itself without it, and it then requires nothing that is known.

    Raises:
        ImportError: without the `audit` extra.
    """
    from cyclonedx.model import Property  # noqa: PLC0415 - without the extra, the parts can still be listed
    from cyclonedx.model import component as cdx  # noqa: PLC0415
    from cyclonedx.model.bom import Bom  # noqa: PLC0415
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415
    from packageurl import PackageURL  # noqa: PLC0415

    def row(part: Component, kind: cdx.ComponentType) -> cdx.Component:
        return cdx.Component(
            type=kind,
            bom_ref=part.purl,
            name=part.name,
            version=part.version,
            purl=PackageURL.from_string(part.purl),
            licenses=[_license(part.license)],
            properties=[Property(name="record-sha256", value=part.record_sha256)] if part.record_sha256 else (),
        )

    top = main or Component(PRODUCT, __version__, "unknown", "")
    rows = {part.normal_name: row(part, cdx.ComponentType.LIBRARY) for part in parts}
    # The number is made from the content: the same installation at the same time has the same bill.
    number = uuid5(NAMESPACE_URL, " ".join([repr(top), created, *map(repr, parts)]))
    bom = Bom(components=rows.values(), serial_number=number)
    bom.metadata.timestamp = datetime.fromisoformat(created)
    bom.metadata.component = row(top, cdx.ComponentType.APPLICATION)
    bom.metadata.properties.add(Property(name="python", value=platform.python_version()))
    for part, component in [(top, bom.metadata.component), *((part, rows[part.normal_name]) for part in parts)]:
        bom.register_dependency(component, [rows[name] for name in part.requires if name in rows])
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _license(terms: str) -> "License":
    """An SPDX id, an SPDX expression, or the words of the metadata where they are neither."""
    from cyclonedx.contrib.license.factories import LicenseFactory  # noqa: PLC0415 - needs the extra

    return LicenseFactory().make_from_string(terms)
