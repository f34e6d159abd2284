"""The normal world's storage service: one closed set of operations over a directory.

    supplicant = Supplicant(Path("device"))
    reply = supplicant.handle(Operation.READ, [name])

The directory holds `storage.db` and `rpmb.img`. Every request is noted (operation, sizes, names; never content) for
whoever passes `log`: together with the closed set of operations this is the record of what was asked of the disk.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tee_sim.normal import events
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.rpmb_chip.file_medium import FileMedium, OsFile
from tee_sim.normal.supplicant.files import RPMB_FILE, STORAGE_FILE
from tee_sim.normal.supplicant.reserve import fill, release
from tee_sim.normal.supplicant.sqlite_blobs import SqliteBlobs
from tee_sim.normal.timeline import Args, current, now_us
from tee_sim.shared.blobs import BlobStore, Changes, Committed, carry_out
from tee_sim.shared.codec import encode
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rpmb_frames import FRAME_BYTES, RpmbTransport
from tee_sim.shared.storage_requests import (
    MAX_PAYLOAD_BYTES,
    MAX_STAGED_BYTES,
    Commit,
    Operation,
    parse_commit,
    parse_names,
    parse_puts,
    parse_rpmb,
    parse_scan,
)


@dataclass(frozen=True, slots=True)
class RequestNote:
    """What one request was, without its content. faults: what `DiskFaults` did to it."""

    operation: Operation
    request_bytes: int
    reply_bytes: int
    names: tuple[bytes, ...]
    result: TeeResult
    faults: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Plain values; names in hex."""
        return {
            "operation": self.operation.name,
            "result": self.result.name,
            "request_bytes": self.request_bytes,
            "reply_bytes": self.reply_bytes,
            "names": [name.hex() for name in self.names],
            "faults": list(self.faults),
        }


class DiskFaults(Protocol):
    """Stands between this service and its files, and makes them go wrong by plan."""

    def blobs(self, inner: BlobStore) -> BlobStore: ...
    def rpmb(self, inner: RpmbTransport) -> RpmbTransport: ...
    def fired(self) -> tuple[str, ...]:
        """What went wrong since the last call, in the plan's words."""
        ...


class Service:
    """Answers storage operations out of a `BlobStore` and an `RpmbTransport`."""

    def __init__(
        self, blobs: BlobStore, rpmb: RpmbTransport, *, log: Callable[[RequestNote], None] | None = None
    ) -> None:
        self._blobs = blobs
        self._rpmb = events.rpmb(rpmb)
        self._log = log
        self._events = events.storage_log()
        self._staged: dict[bytes, bytes] = {}
        self._staged_bytes = 0
        self.full = False
        """Whether there was no space for the last transaction that may not use what is kept."""

    def handle(self, operation: int, request: object) -> list[object]:
        """Do one operation on plain values, as they stood in its frame.

        Raises:
            TeeError: NOT_SUPPORTED for an unknown operation, BAD_FORMAT for a malformed request, or what the disk says.
        """
        if operation not in Operation.__members__.values():
            raise TeeError(TeeResult.NOT_SUPPORTED, "unknown storage operation")
        known = Operation(operation)
        names: list[bytes] = []
        reply: list[object] | None = None
        result = TeeResult.SUCCESS
        started_us = now_us()
        try:
            reply = self._dispatch(known, request, names)
        except TeeError as error:
            result = error.result
            raise
        finally:
            if self._log is not None or self._events is not None:
                sizes = (len(encode(request)), 0 if reply is None else len(encode(reply)))
                self._note(RequestNote(known, *sizes, tuple(names), result), started_us)
        return reply

    def _note(self, note: RequestNote, started_us: int) -> None:
        if self._log is not None:
            self._log(note)
        if self._events is not None and note.operation is not Operation.RPMB:  # which has a row of its own
            args: Args = {
                "result": note.result.name,
                "request_bytes": note.request_bytes,
                "reply_bytes": note.reply_bytes,
            }
            self._events(note.operation.name, note.names, args, started_us)

    def _dispatch(self, operation: Operation, request: object, names: list[bytes]) -> list[object]:
        match operation:
            case Operation.READ:
                names += parse_names(request)
                return _as_many_as_fit(self._blobs.read(names) if names else [])
            case Operation.SCAN:
                return [*self._blobs.scan(*parse_scan(request))]
            case Operation.STAGE:
                self._stage(parse_puts(request), names)
                return []
            case Operation.COMMIT:
                answers, found = self._commit(parse_commit(request), names)
                return [answers, _as_many_as_fit(found)]
            case Operation.RPMB:
                return [self._rpmb.transfer(*parse_rpmb(request))]

    def _stage(self, puts: dict[bytes, bytes], names: list[bytes]) -> None:
        names += puts
        self._staged_bytes += sum(len(blob) for blob in puts.values())
        if self._staged_bytes > MAX_STAGED_BYTES:
            self._forget_staged()
            raise TeeError(TeeResult.STORAGE_NO_SPACE, "transaction is too large")
        self._staged |= puts

    def _commit(self, commit: Commit, names: list[bytes]) -> Committed:
        names += [*commit.puts, *commit.deletes]
        changes = Changes(self._staged | commit.puts, tuple(commit.deletes), commit.reserved)
        self._forget_staged()

        def apply() -> list[bytes | None]:
            try:
                self._blobs.commit(changes)
            except TeeError as error:
                self.full = self.full or error.result is TeeResult.STORAGE_NO_SPACE
                raise
            self.full = self.full and commit.reserved
            return self._blobs.read(commit.read_back) if commit.read_back else []

        expected = [changes.puts.get(name) for name in commit.read_back]
        return carry_out(self._rpmb, commit.around, apply, expected)

    def _forget_staged(self) -> None:
        self._staged, self._staged_bytes = {}, 0


def _as_many_as_fit(blobs: list[bytes | None]) -> list[object]:
    """In a message; at least one."""
    fitting: list[object] = []
    room = MAX_PAYLOAD_BYTES - 4 * FRAME_BYTES
    for blob in blobs:
        room -= len(blob) + 9 if blob is not None else 1
        if room < 0 and fitting:
            break
        fitting.append(blob)
    return fitting


class _Reserving:
    """A disk that gives way to transactions which may use the space that is kept."""

    def __init__(self, inner: BlobStore, directory: int) -> None:
        self._inner = inner
        self._directory = directory
        self.read, self.scan = inner.read, inner.scan

    def commit(self, changes: Changes) -> None:
        try:
            self._inner.commit(changes)
        except TeeError as error:
            kept = release(self._directory) if error.result is TeeResult.STORAGE_NO_SPACE and changes.reserved else 0
            if not kept:
                raise
            try:
                self._inner.commit(changes)
            finally:
                fill(self._directory, kept)


class RpmbFile(RpmbDevice):
    """The simulated device in one file: `RpmbDevice` over `FileMedium`."""

    def __init__(
        self, path: Path, size_bytes: int = 128 << 10, *, create: bool = True, read_only: bool = False
    ) -> None:
        file = OsFile(path, create=create, read_only=read_only)
        try:
            self._file_medium = FileMedium(file, size_bytes, create=create)
        except BaseException:
            file.close()
            raise
        super().__init__(self._file_medium)

    def close(self) -> None:
        """Release the file and its lock."""
        self._file_medium.close()


class Supplicant(Service):
    """`Service` over the two files of a device directory.

    Args:
        directory: exists; belongs to this device alone, and nobody else can write it.
        create: make the files that are not there.
        read_only: write none of them; the store then says that it can be read and not written.
        log: called with a note of every request.
        faults: makes disk and RPMB go wrong by plan.

    Raises:
        TeeError: BUSY if another process has the device; CORRUPT_OBJECT for files that are missing, damaged or not
            ours alone; UNSUPPORTED_VERSION; STORAGE_NOT_AVAILABLE; BAD_PARAMETERS as `tee_sim.normal.timeline.current`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        create: bool = True,
        read_only: bool = False,
        log: Callable[[RequestNote], None] | None = None,
        faults: DiskFaults | None = None,
    ) -> None:
        current()  # refused here, before anything is opened, if it cannot be written
        self._rpmb_file = RpmbFile(directory / RPMB_FILE, create=create, read_only=read_only)
        try:
            self._sqlite = SqliteBlobs(directory / STORAGE_FILE, create=create, read_only=read_only)
            self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except BaseException:
            self._rpmb_file.close()
            raise
        if not read_only:
            fill(self._directory)
        blobs: BlobStore = _Reserving(self._sqlite, self._directory)
        rpmb: RpmbTransport = self._rpmb_file
        if faults is not None:
            blobs, rpmb = faults.blobs(blobs), faults.rpmb(rpmb)
            log = _with_faults(log, faults) if log is not None else None
        super().__init__(blobs, rpmb, log=log)

    def close(self) -> None:
        """Close both files."""
        self._sqlite.close()
        self._rpmb_file.close()
        os.close(self._directory)


def _with_faults(log: Callable[[RequestNote], None], faults: DiskFaults) -> Callable[[RequestNote], None]:
    return lambda note: log(replace(note, faults=faults.fired()))
