"""An evidence bundle: a directory of plain files, a signed statement over all of them, and a token that binds it.

    report.html  report.json  junit.xml  report.sarif     the report in four forms
    keys.json                                             public keys; pin your own copy and give it to `audit verify`
    raw/                                                  what the checks wrote
    log.json  log-proofs/*.tlog-proof                     the log of a temporary device, with proofs
    receipt.json  storage.db                              erasures, and the sealed store of the same moment
    storage-requests.jsonl                                every request to the disk of a temporary device
    checkpoint-before.txt  consistency.json               the log only grew
    statement.dsse.json                                   in-toto test-result over every file above, signed
    attestation.cbor                                      PSA token whose nonce is the SHA-256 of the statement

    measurement.json                                      every file of the product, as the secure world found it

Nothing else may be in it: no other file or folder, no link, pipe, socket or device. Every byte of every file is covered
by a digest, a signature or a strict encoding.
"""

import hashlib
import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bioguard.errors import IntegrityFailure
from bioguard.evidence import dsse
from bioguard.evidence.statement import TestResult
from bioguard.json_text import parse_json
from bioguard.proofs.cose import verifying_key
from bioguard.proofs.encoding import PARSE_FAULTS, ProofInvalid
from bioguard.proofs.notes import NoteKey, NoteSigner
from bioguard.report.model import Check, Report, Status

STATEMENT = "statement.dsse.json"
RECEIPT = "receipt.json"
STORE_IMAGE = "storage.db"
ATTESTATION = "attestation.cbor"
KEYS = "keys.json"
UNSEALED = frozenset({STATEMENT, ATTESTATION})
"""Files that are not subjects of the statement: itself, and the token over it."""


@dataclass(frozen=True, slots=True)
class BundleKeys:
    """The three public keys a verifier needs."""

    evidence: NoteKey
    log: NoteKey
    attestation: bytes

    def to_text(self) -> str:
        """The content of `keys.json`, canonical."""
        body = {
            "schema": "bioguard/keys/1",
            "evidence": self.evidence.vkey,
            "log": self.log.vkey,
            "attestation": self.attestation.hex(),
        }
        return json.dumps(body, sort_keys=True, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read strictly.

        Raises:
            ProofInvalid: it is not what `to_text` writes, or its attestation key is of another form.
        """
        malformed = ProofInvalid("not a key file", hint="give the keys.json of this device")
        try:
            raw: Any = parse_json(text)
            keys = cls(NoteKey.parse(raw["evidence"]), NoteKey.parse(raw["log"]), bytes.fromhex(raw["attestation"]))
        except PARSE_FAULTS:
            raise malformed from None
        if keys.to_text() != text:
            raise malformed
        verifying_key(keys.attestation)
        return keys


class StrayEntry(IntegrityFailure):
    """Something in a bundle that no statement can cover; the message starts with its name."""

    code = "integrity.bundle"


_NO_FILE = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def files_of(directory: Path) -> dict[str, Path]:
    """Every file of a bundle by relative name. Nothing is opened and no link is followed: what is no file need not end.

    Raises:
        StrayEntry: something else is there, an empty folder for instance, or it cannot be looked at.
    """
    found, waiting = dict[str, Path](), [directory]
    while waiting:
        place = waiting.pop()
        with _named(place, directory):
            entries = [(path, stat.S_IFMT(path.lstat().st_mode)) for path in place.iterdir()]
        if not entries and place != directory:
            raise _stray(place, directory, "an empty folder")
        for path, kind in entries:
            if kind in _NO_FILE:
                raise _stray(path, directory, _NO_FILE[kind])
            if kind == stat.S_IFDIR:
                waiting.append(path)
            else:
                found[path.relative_to(directory).as_posix()] = path
    return dict(sorted(found.items()))


def _stray(path: Path, directory: Path, what: str) -> StrayEntry:
    name = path.relative_to(directory).as_posix()
    return StrayEntry(f"{name}: {what}, which is not in the signed statement", hint="it was added later; remove it")


@contextmanager
def _named(path: Path, directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _stray(path, directory, f"cannot be read ({error.strerror})") from error


def _digest(path: Path, directory: Path) -> str:
    with _named(path, directory), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(directory: Path) -> dict[str, str]:
    """SHA-256 (hex) of every file of a bundle that the statement covers, by relative name. Raises StrayEntry."""
    return {name: _digest(path, directory) for name, path in files_of(directory).items() if name not in UNSEALED}


def seal_statement(directory: Path, report: Report, configuration: Mapping[str, str], signer: NoteSigner) -> bytes:
    """Write the signed statement over everything in `directory`; return its body."""

    def ids(*statuses: Status) -> tuple[str, ...]:
        return tuple(_name(check) for check in report.with_status(*statuses))

    results = {Status.PASS: "PASSED", Status.WARN: "WARNED"}
    body = TestResult(
        subjects=digests(directory),
        configuration=configuration,
        result=results.get(report.status, "FAILED"),
        passed=ids(Status.PASS),
        warned=ids(Status.WARN),
        failed=ids(Status.FAIL, Status.UNKNOWN),
    ).to_bytes()
    (directory / STATEMENT).write_text(dsse.seal(body, signer), "utf-8")
    return body


def _name(check: Check) -> str:
    return f"{check.id} {check.status.value}" if check.status is Status.UNKNOWN else check.id


def statement_nonce(body: bytes) -> bytes:
    """What the attestation token over this statement answers to."""
    return hashlib.sha256(body).digest()
