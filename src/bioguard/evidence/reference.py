"""What was measured of the installed product, what a clean checkout has, and how the two differ.

Both are canonical JSON (docs/formats/reference.md). Neither is trusted for what it says of itself: a measurement is as
good as the process that made it, a reference as the checkout and the hands it came through.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Protocol, Self, TypeVar

from bioguard.errors import BioguardError, InputRefused
from bioguard.json_text import parse_json
from bioguard.proofs.encoding import PARSE_FAULTS, ProofInvalid
from tee_sim.shared.package_files import FileKind, Listing


class _HasText(Protocol):
    def to_text(self) -> str: ...


T = TypeVar("T", bound=_HasText)
MEASUREMENT = "measurement.json"
START = "start/"
"""Before the name of a file that Python runs by itself when it starts."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[!-~]+(?: [!-~]+)*")


@unique
class Otherwise(Enum):
    """Why a file that is listed may not be what runs."""

    CACHE = "cache"
    NORMAL_WORLD = "normal-world"
    ELSEWHERE = "elsewhere"
    LIBRARY = "library"

    @property
    def words(self) -> str:
        """For people, before the file's name."""
        return _WORDS[self]


_WORDS = {
    Otherwise.CACHE: "run from a cache that is not of its source",
    Otherwise.NORMAL_WORLD: "another file in the normal world than in the secure one",
    Otherwise.ELSEWHERE: "loaded from another place",
    Otherwise.LIBRARY: "not the file that its distribution recorded",
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """Of one installation.

    Attributes:
        files: of the product, as the secure world found them when it started.
        start: files that Python runs by itself when it starts: name from `start/` on, SHA-256 in hex.
        otherwise: files, or modules of libraries, which are not what runs, sorted; none is what should be.
    """

    files: Listing
    start: Mapping[str, str]
    otherwise: tuple[tuple[str, Otherwise], ...]

    def to_text(self) -> str:
        """Canonical JSON."""
        rows = [{"name": name, "way": way.value} for name, way in self.otherwise]
        return _text(
            {"schema": "bioguard/measurement/1", "files": dict(self.files.files), "start": dict(self.start),
             "otherwise": rows}
        )  # fmt: skip

    @staticmethod
    def parse(text: str) -> "Measurement":
        """Read strictly.

        Raises:
            ProofInvalid: it is not what `to_text` writes.
        """

        def read(raw: Any) -> "Measurement":
            rows = tuple((_named(row["name"]), Otherwise(row["way"])) for row in raw["otherwise"])
            return Measurement(Listing(_digests(raw["files"])), _digests(raw["start"]), otherwise(rows))

        return _parsed(text, read, ProofInvalid("not a measurement", hint="fetch the bundle again"))


@dataclass(frozen=True, slots=True)
class Reference:
    """Of a clean checkout.

    Attributes:
        files: what is the same on every machine: name -> SHA-256 in hex.
        machine: what differs from machine to machine, compiled files and what Python runs at its start: name -> SHA-256
            of each form that is known.
    """

    files: Mapping[str, str]
    machine: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, files: Listing, start: Mapping[str, str]) -> Self:
        """What is here is what is known."""
        here = {**files.only(FileKind.COMPILED).files, **start}
        return cls(files.only(FileKind.SAME).files, {name: (digest,) for name, digest in sorted(here.items())})

    def also(self, other: "Reference") -> "Reference":
        """With what another machine made of the same sources.

        Raises:
            InputRefused: they are of other sources.
        """
        if dict(other.files) != dict(self.files):
            changed = [n for n in sorted({*self.files, *other.files}) if self.files.get(n) != other.files.get(n)]
            raise InputRefused(
                f"a reference of other sources: {changed[0]} differs, {len(changed)} files in all",
                hint="make both from the same commit",
                code="audit.other_reference",
            )
        names = sorted({*self.machine, *other.machine})
        known = {n: tuple(sorted({*self.machine.get(n, ()), *other.machine.get(n, ())})) for n in names}
        return Reference(self.files, known)

    def to_text(self) -> str:
        """Canonical JSON."""
        machine = {name: list(known) for name, known in self.machine.items()}
        return _text({"schema": "bioguard/reference/1", "files": dict(self.files), "machine": machine})

    @staticmethod
    def parse(text: str) -> "Reference":
        """Read strictly.

        Raises:
            InputRefused: it is not what `to_text` writes, or names no file.
        """

        def read(raw: Any) -> "Reference":
            machine = {_named(n): tuple(map(_digest, sorted(set(known)))) for n, known in raw["machine"].items()}
            return Reference(_digests(raw["files"]), machine)

        refused = InputRefused(
            "not a reference file", hint="make one in a clean checkout: bioguard audit reference --out FILE",
            code="audit.reference",
        )  # fmt: skip
        reference = _parsed(text, read, refused)
        if not reference.files or not all(reference.machine.values()):
            raise refused
        return reference

    def differences(self, found: Measurement) -> tuple[str, ...]:
        """Every file that is not as it is here, each with its name; none if the measurement is of these files."""
        here = found.files.files
        rows = [(name, "changed") for name, digest in self.files.items() if here.get(name, digest) != digest]
        rows += [(name, "missing") for name in self.files if name not in here]
        rows += [(name, "missing") for name in self._missing_compiled(found)]
        rows += [(name, word) for name, digest in found.start.items() if (word := self._unknown(name, digest))]
        for name, digest in here.items():
            if FileKind.of(name) is FileKind.COMPILED:
                rows += [(name, word) for word in (self._unknown(name, digest),) if word]
            elif name not in self.files:
                rows.append((name, "added"))
        rows += [(name, way.words) for name, way in found.otherwise]
        return tuple(f"{word}: {name}" for name, word in sorted(set(rows)))

    def _unknown(self, name: str, digest: str) -> str:
        """What to call a file of this machine that is not known; empty for one that is."""
        known = self.machine.get(name)
        return "added" if known is None else "" if digest in known else "changed"

    def _missing_compiled(self, found: Measurement) -> Iterator[str]:
        """A compiled file has another suffix for another Python: only its stem has to be there."""
        here = {_stem(name) for name in found.files.only(FileKind.COMPILED).files}
        for name in self.machine:
            if not name.startswith(START) and _stem(name) not in here:
                yield name


def _stem(name: str) -> str:
    folder, _, last = name.rpartition("/")
    return f"{folder}/{last.partition('.')[0]}"


def otherwise(rows: Iterable[tuple[str, Otherwise]]) -> tuple[tuple[str, Otherwise], ...]:
    """Each once, in the order of a measurement."""
    return tuple(sorted(set(rows), key=lambda row: (row[0], row[1].value)))


def _text(body: Mapping[str, object]) -> str:
    return json.dumps(body, sort_keys=True, indent=1) + "\n"


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("a name is printable ASCII")
    return name


def _digest(digest: str) -> str:
    if not _SHA256.fullmatch(digest):
        raise ValueError("a digest is 64 hexadecimal digits")
    return digest


def _digests(raw: Mapping[str, str]) -> dict[str, str]:
    return {_named(name): _digest(digest) for name, digest in sorted(raw.items())}


def _parsed(text: str, read: Callable[[Any], T], refused: BioguardError) -> T:
    """The one value of a text, if it is written as it would be."""
    try:
        value = read(parse_json(text))
        again = value.to_text()
    except PARSE_FAULTS:
        raise refused from None
    if again != text:
        raise refused
    return value
