"""Which engines can find features in pictures here: the lines of `bioguard doctor`. Nothing of them is loaded."""

import hashlib
from collections.abc import Iterator

from bioguard.capture.engine_files import read_file
from bioguard.capture.engines import ENGINES, EngineEntry, files_of
from bioguard.capture.installed import version_of
from bioguard.capture.refusals import INSTALL
from bioguard.errors import BioguardError
from bioguard.report.model import Check, Status

_FIRST = 32


def engine_checks() -> Iterator[Check]:
    """One line an engine. What is missing is no fault: pictures are an extra."""
    for number, entry in enumerate(ENGINES, _FIRST):
        status, summary, fix = _look_at(entry)
        yield Check(id=f"BG-DOC-{number:03d}", title=f"engine {entry.name}", status=status, summary=summary, fix=fix)


def _look_at(entry: EngineEntry) -> tuple[Status, str, str]:
    try:
        found = [f"{name} {version_of(package, name)}" for package, name in entry.distributions]
        if entry.argument:
            return Status.NOT_APPLICABLE, f"{', '.join(found)}; needs {entry.argument}: docs/capture.md", ""
        for file in files_of(entry.name):
            if hashlib.sha256(read_file(file.path, INSTALL)).digest() != file.sha256:
                return Status.FAIL, f"{file.path.name} is another file than the one that is known", INSTALL
            found.append(f"{file.path.name} {file.sha256.hex()[:8]}")
    except BioguardError as error:
        return Status.NOT_APPLICABLE, f"{error.message}: {error.hint}", error.hint
    return Status.PASS, ", ".join(found), ""
