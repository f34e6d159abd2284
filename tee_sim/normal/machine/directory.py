"""Keep the files of a machine: fuses, boot, store and lock in a directory that is ours alone.

The fuses get their name last, so there is a machine where there are fuses. A directory with fuses of another kind, a
device of some product, is never opened, made into a machine or changed.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tee_sim.normal.machine import boot_id as boots
from tee_sim.normal.machine.boot_id import BOOT_FILE
from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.machine.file_lock import LOCK_FILE, FileLock, InUse
from tee_sim.normal.machine.fuse_file import FUSE_FILE
from tee_sim.normal.machine.fuses import (
    MOST_BYTES,
    READABLE_BY_OTHERS,
    ForeignFuses,
    FuseFormat,
    RootSecret,
)
from tee_sim.normal.private_files import (
    TEMPORARY,
    WRITABLE_BY_OTHERS,
    FileFlaw,
    UnsafeFile,
    open_directory,
    open_file,
    open_or_create,
    unlink,
    write_new,
)
from tee_sim.normal.supplicant.files import DATABASE_SIDES, RESERVE_FILE, RPMB_FILE, STORAGE_FILE

FORMAT = FuseFormat(
    word="tee-sim-fuses",
    version="1",
    remarks="# SIMULATED FUSES of a tee-sim machine. In a phone only the secure world can read these.\n"
    "# Whoever reads this file can open the machine's store.\n",
)
_BEGUN = FUSE_FILE + TEMPORARY
_STORE = (STORAGE_FILE, *(STORAGE_FILE + side for side in DATABASE_SIDES), RPMB_FILE, RESERVE_FILE)
HOSTED_FILE = "hosted.json"
FILES = (FUSE_FILE, _BEGUN, BOOT_FILE, BOOT_FILE + TEMPORARY, HOSTED_FILE, HOSTED_FILE + TEMPORARY, *_STORE, LOCK_FILE)
"""All that a machine may be made of, the lock last."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def _file_errors(directory: Path) -> Iterator[None]:
    """Errors of the system as ours; FileNotFoundError passes."""
    try:
        yield
    except UnsafeFile as unsafe:
        raise MachineError(
            "machine.file",
            str(unsafe),
            hint=f"look at what is in {directory}; only its owner may be able to write there (chmod go-w)",
        ) from unsafe
    except FileNotFoundError:
        raise
    except OSError as error:
        why = f"{directory} cannot be read or written: {error.strerror}"
        hint = "look at the disk, its mount and its permissions"
        if error.errno in _FULL:
            hint = "free space on the disk that it is on, and repeat the command"
        raise MachineError("machine.disk", why, hint=hint) from error


_NO_DIRECTORY = frozenset({errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})


def _looked_up(directory: Path) -> int:
    """A descriptor of a directory. Raises MachineError `machine.path` for what is none; else as `open_directory`."""
    why = ""
    try:
        return open_directory(directory)
    except UnsafeFile as unsafe:
        if unsafe.flaw is not FileFlaw.KIND:
            raise
        why = unsafe.what
    except OSError as error:
        if error.errno not in _NO_DIRECTORY:
            raise
        why = f"cannot be one: {error.strerror}"
    hint = "give a machine's directory, an empty one, or a name that is free"
    raise MachineError("machine.path", f"{directory} {why}", hint=hint)


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    with _file_errors(directory):
        at = _looked_up(directory)
        try:
            yield at
        finally:
            os.close(at)


def _read(directory: Path, name: str, *, most_bytes: int, refused_mode: int = WRITABLE_BY_OTHERS) -> bytes | None:
    try:
        with _opened(directory) as at:
            fd = open_file(at, name, most_bytes=most_bytes, refused_mode=refused_mode)
            with os.fdopen(fd, "rb") as file:
                return file.read(most_bytes + 1)
    except FileNotFoundError:
        return None


def read_fuses(directory: Path) -> RootSecret | None:
    """Read the fuses of the machine in a directory; None if there is no machine.

    Raises:
        MachineError: it is something else, of another version, damaged, or open to others.
    """
    try:
        raw = _read(directory, FUSE_FILE, most_bytes=MOST_BYTES, refused_mode=READABLE_BY_OTHERS)
    except MachineError as error:
        unsafe = error.__cause__
        if isinstance(unsafe, UnsafeFile) and (unsafe.name, unsafe.flaw) == (FUSE_FILE, FileFlaw.MODE):
            hint = f"run: chmod 600 {directory / FUSE_FILE}"
            raise MachineError("machine.fuse_mode", "the fuse file can be read by others", hint=hint) from error
        raise
    if raw is None:
        return None
    try:
        return FORMAT.from_bytes(raw)
    except ForeignFuses as foreign:
        if foreign.word == FORMAT.word:
            what = f"{directory} is a machine of format {foreign.version}, this tee-sim has format {FORMAT.version}"
            raise MachineError("machine.version", what, hint="choose another --machine directory") from None
        raise MachineError(
            "machine.foreign",
            f"{directory} is no machine of tee-sim: its fuses are {foreign.word}",
            hint="choose another --machine directory; what made this one has commands of its own",
        ) from None
    except ValueError:
        raise MachineError(
            "machine.fuse_damaged",
            f"the fuses of {directory} are damaged",
            hint="without them its store cannot be opened; choose another --machine directory",
        ) from None


def hold(directory: Path) -> FileLock:
    """Take the machine's lock.

    Raises:
        MachineError: another process has it.
    """
    with _opened(directory) as at:
        fd = open_or_create(at, LOCK_FILE, most_bytes=MOST_BYTES)
    try:
        return FileLock(fd)
    except InUse:
        what = f"{directory} is in use by another process"
        raise MachineError("machine.in_use", what, hint="wait for it to end") from None


def begin(directory: Path, secret: RootSecret) -> FileLock:
    """Begin a machine in a directory that has none, and is made if it is not there; return its lock.

    What a beginning left that did not come to its end is removed.

    Raises:
        MachineError: files with a machine's names are there that no such beginning left; another process is at it.
    """
    with _file_errors(directory):
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
        except FileNotFoundError:
            why = f"the folder of {directory} is not there"
            raise MachineError("machine.missing", why, hint=f"run: mkdir -p {directory.parent}") from None
    _left_over(directory)  # before the lock, which would be one more file in a folder of somebody else's
    lock = hold(directory)
    try:
        found = _left_over(directory)  # another process may have come to its end meanwhile
        with _opened(directory) as at:
            for name in reversed(found):
                unlink(at, name)
            write_new(at, _BEGUN, FORMAT.to_text(secret).encode("ascii"))
    except BaseException:
        lock.release()
        raise
    return lock


def _left_over(directory: Path) -> list[str]:
    """What a beginning left that did not come to its end. Raises MachineError for anything else."""
    with _opened(directory) as at:
        there = set(os.listdir(at))  # noqa: PTH208  # through the descriptor that was looked at
    found = [name for name in FILES if name in there and name != LOCK_FILE]
    if found and (_BEGUN not in found or FUSE_FILE in found):
        what = f"{directory} has a file called {found[0]} already"
        raise MachineError("machine.exists", what, hint="choose another --machine directory, or move it away")
    others = sorted(there.difference(FILES))
    if others:
        what = f"{directory} is no machine, and has other things in it: {others[0]!r}"
        raise MachineError(
            "machine.exists", what, hint="choose an empty directory for --machine, or a name that is free"
        )
    return found


def burn(directory: Path) -> None:
    """Finish a machine: from here on there is one."""
    with _opened(directory) as at:
        os.rename(_BEGUN, FUSE_FILE, src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)


def take_back(directory: Path, *, made: bool) -> None:
    """Remove what `begin` and a start that failed have made. `made`: the directory too, if nothing else is in it."""
    with _opened(directory) as at:
        for name in FILES:
            unlink(at, name)
    if made:
        with suppress(OSError):
            directory.rmdir()


def read_hosted(directory: Path, *, most_bytes: int) -> bytes | None:
    """What `write_hosted` has written; None if it never has."""
    return _read(directory, HOSTED_FILE, most_bytes=most_bytes)


def write_hosted(directory: Path, content: bytes) -> None:
    """Write what the machine hosts (`tee_sim.normal.machine.hosted`)."""
    with _opened(directory) as at:
        write_new(at, HOSTED_FILE + TEMPORARY, content)
        os.rename(HOSTED_FILE + TEMPORARY, HOSTED_FILE, src_dir_fd=at, dst_dir_fd=at)


def reboot(directory: Path) -> None:
    """Begin a new boot."""
    name = boots.new_boot().encode("ascii")
    with _opened(directory) as at:
        try:
            write_new(at, BOOT_FILE + TEMPORARY, name)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            # A full disk has room for the new name where the old one was. A crash in between leaves none, which is a
            # new boot too; keeping the old name would go on with the keys of a boot that is over.
            unlink(at, BOOT_FILE)
            write_new(at, BOOT_FILE + TEMPORARY, name)
        os.rename(BOOT_FILE + TEMPORARY, BOOT_FILE, src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)


def current_boot(directory: Path) -> bytes:
    """16 bytes that name the boot; whatever the file holds names one."""
    name = _read(directory, BOOT_FILE, most_bytes=boots.MOST_BYTES)
    if name is None:
        reboot(directory)
        name = _read(directory, BOOT_FILE, most_bytes=boots.MOST_BYTES)
    return boots.boot_id(b"tee_sim boot v1", name)
