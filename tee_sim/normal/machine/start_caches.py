"""What one start of a secure world leaves for the next ones of the same boot of the host, so that these are faster.

Two files in a folder `caches/` of the device's directory (docs/formats/storage.md section 8): what the probes of the
sandbox showed, and the trusted code as it was compiled. Each is 32 bytes, HMAC-SHA-256, and then its content.

The MAC is over the content and over all that it depends on: boot, namespaces, user, what already holds this process
down, system call filter, kernel, Python, and the source of the probes. None of that is stored. So whatever does not
fit (another boot, a changed product, a byte flipped, the file of another device, or none) is one and the same case: it
does not authenticate, counts as absent, and is made anew. No error of a file ends a start.

Does not promise: anything against who can read the fuses. He can make caches, as he can make the whole store.
"""

import hashlib
import hmac
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from tee_sim.normal.machine.fuses import RootSecret
from tee_sim.normal.private_files import (
    TEMPORARY,
    WRITABLE_BY_OTHERS,
    UnsafeFile,
    create_file,
    open_directory,
    open_file,
    unlink,
)
from tee_sim.normal.sandbox_verdict import probes
from tee_sim.normal.sandbox_verdict.probes import ProbeResults
from tee_sim.shared import codec, sandbox
from tee_sim.shared.errors import TeeError
from tee_sim.shared.limits import CACHE_MAC_BYTES, MAX_COMPILED_BYTES
from tee_sim.shared.sandbox import filters
from tee_sim.shared.wire import Boot

FOLDER: Final = "caches"
PROBES, CODE = "probes", "code"
NAMES: Final = (PROBES, CODE)
_MOST_BYTES: Final = {PROBES: 4096, CODE: MAX_COMPILED_BYTES}
_HELD_DOWN: Final = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters")
"""Lines of /proc/self/status: a child that probes starts with these, so they decide what a probe shows."""


def cache_key(secret: RootSecret) -> bytes:
    """32 bytes that authenticate the caches of one device (docs/formats/keys.md section 2)."""
    chip_id = hashlib.sha256(b"tee_sim chip id v1" + secret.device_id).digest()
    return hmac.digest(secret.huk, b"tee_sim start caches v1" + chip_id, "sha256")


def surroundings() -> bytes | None:
    """All that a cache depends on, as canonical CBOR; None where the host does not say, and nothing is cached."""
    try:
        boot = probes.boot_id()
        status = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
        held = [line for line in status if line.partition(":")[0] in _HELD_DOWN]
        spaces = sorted(f"{entry.name} {os.readlink(entry.path)}" for entry in os.scandir("/proc/self/ns"))  # noqa: PTH115
        user = [*os.getresuid(), *os.getresgid(), *sorted(os.getgroups())]
        strict = filters.secure_world_program(filters.this_arch().machine, "strict", 3, 4).sha256()
        sources = _digest_of_sources()
        # The file itself: `python -m` and an installed command start the same one by different names.
        python = [sys.implementation.name, sys.version, os.path.realpath(sys.executable), sys.flags.optimize]
        return codec.encode([boot, spaces, user, held, list(os.uname()), strict, sources, python]) if boot else None
    except (OSError, UnicodeError):  # the name of a host or of a folder need not be UTF-8
        return None


def _digest_of_sources() -> bytes:
    """Of the probes and of what they load: what another product showed is not shown for this one."""
    files = (Path(probes.__file__), *sorted(Path(str(sandbox.__file__)).parent.glob("*.py")))
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).digest()


class StartCaches:
    """The caches of one device.

    Args:
        directory: of the device.
        secret: what its caches are authenticated by.
        write: whether what is missing may be kept.
    """

    def __init__(self, directory: Path, secret: RootSecret, *, write: bool = True) -> None:
        self._folder = directory / FOLDER
        self._key = cache_key(secret)
        self._surroundings = surroundings()
        self._write = write and self._surroundings is not None

    def has_probes(self) -> bool:
        """Whether `probes` will have to wait for none."""
        return self._kept_probes() is not None

    def probes(self) -> ProbeResults:
        """What the probes showed: earlier in this boot, or now. Only a lock that stopped every probe is kept."""
        kept = self._kept_probes()
        if kept is not None:
            return kept
        seen = probes.cached_probes()
        if seen.filter_kills:
            self._keep(PROBES, codec.encode(seen.to_record()))
        return seen

    def _kept_probes(self) -> ProbeResults | None:
        kept = self._read(PROBES)
        with suppress(TeeError):
            return None if kept is None else ProbeResults.from_record(codec.decode(kept))
        return None

    def code(self, boot: Boot) -> Boot:
        """The same, naming what was compiled earlier in this boot of the host, and asking for what is compiled now."""
        content = self._read(CODE)
        if content is None:
            return replace(boot, keep_code=self._write)
        path, digest = os.fsencode((self._folder / CODE).absolute()), hashlib.sha256(content).digest()
        return replace(boot, kept_code=path, kept_sha256=digest, keep_code=self._write)

    def keep_code(self, content: bytes) -> None:
        """Keep what a start has compiled; nothing if it has compiled nothing."""
        if content:
            self._keep(CODE, content)

    def _mac(self, name: str, content: bytes) -> bytes:
        mac = hmac.new(self._key, codec.encode([name, self._surroundings, len(content)]), "sha256")
        mac.update(content)
        return mac.digest()

    def _read(self, name: str) -> bytes | None:
        """The content of a cache that fits; None for any other, whatever is in its place."""
        if self._surroundings is None:
            return None
        try:
            at = open_directory(self._folder)
            try:
                most = CACHE_MAC_BYTES + _MOST_BYTES[name]
                with os.fdopen(open_file(at, name, most_bytes=most, refused_mode=WRITABLE_BY_OTHERS), "rb") as file:
                    raw = file.read(most + 1)
            finally:
                os.close(at)
        except (OSError, UnsafeFile):
            return None
        mac, content = raw[:CACHE_MAC_BYTES], raw[CACHE_MAC_BYTES:]
        return content if hmac.compare_digest(mac, self._mac(name, content)) else None

    def _keep(self, name: str, content: bytes) -> None:
        """Write a cache, if that can be done. Not synced: one that a power cut tore does not authenticate.

        One that does not fit is removed again: what is left of the disk is the store's.
        """
        if not self._write or len(content) > _MOST_BYTES[name]:
            return
        with suppress(OSError, UnsafeFile):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            at = open_directory(self._folder)
            try:
                unlink(at, name + TEMPORARY)
                with os.fdopen(create_file(at, name + TEMPORARY), "wb") as file:
                    file.write(self._mac(name, content) + content)
                os.rename(name + TEMPORARY, name, src_dir_fd=at, dst_dir_fd=at)
            except BaseException:
                unlink(at, name + TEMPORARY)
                raise
            finally:
                os.close(at)


def forget(directory: Path) -> None:
    """Remove the caches of a device, and their folder if nothing else is in it; nothing where there are none.

    Raises:
        UnsafeFile, OSError: it cannot be removed, or is not a folder of ours alone.
    """
    with suppress(FileNotFoundError):
        at = open_directory(directory / FOLDER)
        try:
            for name in NAMES:
                unlink(at, name)
                unlink(at, name + TEMPORARY)
        finally:
            os.close(at)
        (directory / FOLDER).rmdir()
