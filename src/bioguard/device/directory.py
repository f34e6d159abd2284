"""The directory of a device: what is in it, whether it is all ours, how it is begun, finished and destroyed.

The fuses are burned last: they are written under their temporary name, and get their own when the device is complete.
So there is a device where there are fuses, and what is missing next to fuses was taken away.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bioguard.device.boot_id import BOOT_FILE
from bioguard.device.fuses import FUSE_FILE, Fuses
from bioguard.device.hooks import OLD_SCENARIO_FILE, SCENARIO_FILE
from bioguard.device.incidents import INCIDENTS_FILE
from bioguard.device.lock import DeviceLock
from bioguard.device.names import NAMES_FILE
from bioguard.device.password_handles import HANDLES_FILE
from bioguard.device.sensors import SENSORS_FILE
from bioguard.device.strong_auth_times import UNLOCK_FILE
from bioguard.errors import BioguardError, IntegrityFailure, NotPermitted, TeeUnavailable
from bioguard.private_files import DAMAGED, TEMPORARY, file_errors, opened_directory, remove_file
from tee_sim.normal.machine import start_caches
from tee_sim.normal.private_files import UnsafeFile, create_file, open_file
from tee_sim.normal.supplicant.files import DATABASE_SIDES, MOST_BYTES, RESERVE_FILE, RPMB_FILE, STORAGE_FILE

_BEGUN = FUSE_FILE + TEMPORARY
_SMALL = (
    NAMES_FILE, BOOT_FILE, HANDLES_FILE, SCENARIO_FILE, OLD_SCENARIO_FILE, UNLOCK_FILE, INCIDENTS_FILE, SENSORS_FILE,
)  # fmt: skip
_STORE = (STORAGE_FILE, *(STORAGE_FILE + side for side in DATABASE_SIDES), RPMB_FILE, RESERVE_FILE)
FILES = (
    FUSE_FILE, *_SMALL, *_STORE,
    *(name + suffix for name in (FUSE_FILE, *_SMALL) for suffix in (TEMPORARY, DAMAGED)),
    start_caches.FOLDER,
    DeviceLock.NAME,
)  # fmt: skip
"""All that a device may be made of, the fuses first and the lock last."""


def _present(directory: Path) -> list[str]:
    return [name for name in FILES if os.path.lexists(directory / name) and name != DeviceLock.NAME]


def begin(directory: Path, fuses: Fuses) -> DeviceLock:
    """Begin a device in a directory that has none, and is made if it is not there; return the device's lock.

    What an initialization left that did not come to its end is removed.

    Raises:
        NotPermitted: there is a device, or files with its names that are not what such an initialization leaves.
        TeeUnavailable: another process is at it; the directory is a machine's, or cannot be made or written.
        IntegrityFailure: the directory is not ours alone.
    """
    with file_errors(directory.name):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = DeviceLock(directory)
    try:
        _begin(directory, fuses)
    except BaseException:
        lock.release()
        raise
    return lock


def _refuse_foreign(directory: Path) -> None:
    """Raises TeeUnavailable for a directory of another kind; what else is wrong with fuses is not asked here."""
    try:
        Fuses.read(directory)
    except BioguardError as error:
        if error.code == "device.foreign":
            raise


def _begin(directory: Path, fuses: Fuses) -> None:
    _refuse_foreign(directory)
    found = _present(directory)
    if FUSE_FILE in found or (found and _BEGUN not in found):
        is_one = FUSE_FILE in found
        raise NotPermitted(
            f"{directory} is a device already" if is_one else f"{directory} has a file called {found[0]} already",
            hint=f"choose another --device directory, or {'run: bioguard device wipe' if is_one else 'move it away'}",
            code="device.exists",
        )
    for name in reversed(found):
        _remove(directory, name)
    with file_errors(_BEGUN), opened_directory(directory) as at, os.fdopen(create_file(at, _BEGUN), "wb") as file:
        file.write(fuses.to_text().encode("ascii"))
        file.flush()
        os.fsync(file.fileno())


def burn(directory: Path) -> None:
    """Finish a device: from here on there is one."""
    with file_errors(FUSE_FILE), opened_directory(directory) as at:
        os.rename(_BEGUN, FUSE_FILE, src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)


def flaws(directory: Path) -> Iterator[IntegrityFailure]:
    """What is in the place of a file of the device and is no file of ours alone.

    Raises:
        IntegrityFailure: the directory itself is not ours alone.
    """
    with file_errors(directory.name), opened_directory(directory) as at:
        for name in (FUSE_FILE, *_SMALL, *_STORE, DeviceLock.NAME):
            try:
                with suppress(FileNotFoundError), file_errors(name):
                    os.close(open_file(at, name, most_bytes=MOST_BYTES))
            except IntegrityFailure as flaw:
                yield flaw


def check(directory: Path) -> None:
    """Raises IntegrityFailure for the first of the `flaws`."""
    for flaw in flaws(directory):
        raise flaw


def destroy(directory: Path) -> None:
    """Destroy a device, whatever state it is in: the fuses first, so that what is left of the store cannot be opened.

    Raises:
        TeeUnavailable: there is no device here but a machine or nothing, or it is in use.
        IntegrityFailure: the directory is not ours alone; or a directory with something in it stands in the place of a
            file: it is left, everything else is gone.
    """
    if not {FUSE_FILE, _BEGUN}.intersection(_present(directory)):
        raise TeeUnavailable(
            f"there is no device in {directory}", hint="run: bioguard device init", code="device.missing"
        )
    _refuse_foreign(directory)
    lock = None
    with suppress(IntegrityFailure):  # what stands in the place of the lock is nobody's lock, and goes with the rest
        lock = DeviceLock(directory)
    try:
        _overwrite_fuses(directory)
        left = [name for name in FILES if not _removed(directory, name)]
    finally:
        if lock is not None:
            lock.release()
    if left:
        raise IntegrityFailure(
            f"the device is destroyed; left is a directory with something in it: {', '.join(left)}",
            hint="look at it, then remove it",
            code="device.wipe_left",
        )


def give_up(directory: Path, *, keep: bool) -> None:
    """Take back what was begun. keep: the directory itself, which was there before. Raises as `destroy`."""
    destroy(directory)
    if not keep:
        with suppress(OSError):  # somebody has put something into it meanwhile
            directory.rmdir()


def _overwrite_fuses(directory: Path) -> None:
    for name in (FUSE_FILE, _BEGUN):
        with (
            file_errors(name),
            opened_directory(directory) as at,
            suppress(FileNotFoundError, UnsafeFile),
            os.fdopen(open_file(at, name, os.O_RDWR, most_bytes=MOST_BYTES), "r+b") as file,
        ):
            file.write(os.urandom(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())


def forget_caches(directory: Path) -> None:
    """Remove what starts have kept to be faster; the next one makes it anew.

    Raises:
        TeeUnavailable: there is no device here; its caches cannot be removed.
        IntegrityFailure: what is in their place is no folder of ours alone, or holds something else.
    """
    Fuses.read(directory)
    with file_errors(start_caches.FOLDER):
        start_caches.forget(directory)


def _remove(directory: Path, name: str) -> None:
    if name == start_caches.FOLDER:
        with suppress(UnsafeFile, OSError):  # what it is, and that it is left, is then said of the name
            start_caches.forget(directory)
    remove_file(directory, name)


def _removed(directory: Path, name: str) -> bool:
    with suppress(TeeUnavailable, IntegrityFailure):
        _remove(directory, name)
    return not os.path.lexists(directory / name)
