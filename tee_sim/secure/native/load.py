"""Native applications of one secure world, from the bytes that are measured."""

import ctypes
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Final, NoReturn

from tee_sim.shared.lock_report import LockError
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.wire import EXIT_PROTOCOL

MAX_TA_BYTES: Final = 64 << 20
"""As the loader allows (tee_sim/dev_kit/runtime/load.c)."""
_DOMAIN: Final = b"tee_sim native application v1"


class NativeLoadError(ImportError):
    """A native application that is not loaded, or the runtime for it."""


class _Config(ctypes.Structure):
    """`struct host_config` of tee_sim/dev_kit/runtime/host.h."""

    _fields_ = (
        ("reports", ctypes.c_uint32),
        ("unlocked", ctypes.c_uint32),
        ("panic_at", ctypes.c_uint64),
        ("no_memory_at", ctypes.c_uint64),
        ("name", ctypes.c_char * 40),
    )


def _sealed(content: bytes) -> int:
    """A descriptor of a file in memory that nobody can change any more."""
    fd = os.memfd_create("runtime", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)  # into memory, in one piece
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd


class NativeCode:
    """What the native applications of BOOT are made of, and the C that hosts them.

    Made before the lock, as are the prototypes of all functions that are called after it: ctypes makes none then.

    Args:
        runtime: path of libtee_sim_ta.so.

    Raises:
        NativeLoadError: it cannot be read or loaded.
    """

    def __init__(self, runtime: Path) -> None:
        self._applications: dict[bytes, bytes] = {}
        try:
            content = runtime.read_bytes()
            fd = _sealed(content)
            try:
                self._runtime = ctypes.CDLL(f"/proc/self/fd/{fd}", mode=os.RTLD_NOW | os.RTLD_LOCAL)
            finally:
                os.close(fd)
        except OSError as error:
            why = error.strerror or "it is no shared object for this machine"
            raise NativeLoadError(f"the runtime of native applications, {runtime}: {why}") from error
        self._runtime_digest = hashlib.sha256(content).digest()
        self._load = self._runtime.load_image
        self._load.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
        self._load.restype = ctypes.c_char_p
        self._serve = self._runtime.host_serve
        self._serve.argtypes = (ctypes.c_int, ctypes.c_int)
        self._serve.restype = None
        self._handle_crashes = self._runtime.crash_handler_install
        self._handle_crashes.argtypes = ()
        self._handle_crashes.restype = ctypes.c_bool

    def add(self, manifest: Manifest, folder: bytes) -> bytes:
        """Read one application. Returns its measurement: of its manifest, its file, and the runtime.

        Raises:
            NativeLoadError: it cannot be read.
        """
        path = Path(os.fsdecode(folder)) / manifest.native
        try:
            with path.open("rb") as file:
                content = file.read(MAX_TA_BYTES + 1)
        except OSError as error:
            raise NativeLoadError(f"{path}: {error.strerror}") from error
        if len(content) > MAX_TA_BYTES:
            raise NativeLoadError(f"{path} is larger than {MAX_TA_BYTES} bytes")
        self._applications[manifest.uuid] = content
        digests = (hashlib.sha256(part).digest() for part in (manifest.to_bytes(), content))
        return hashlib.sha256(b"".join((_DOMAIN, *digests, self._runtime_digest))).digest()

    def map(self, manifest: Manifest, *, reports: bool) -> None:
        """Map an application in this process, its host, which is about to be locked. Nothing of it runs.

        Raises:
            LockError: it cannot be mapped.
        """
        content = self._applications[manifest.uuid]
        config = _Config.in_dll(self._runtime, "config")
        config.reports = reports
        config.name = manifest.name.encode("ascii")
        why = self._load(content, len(content), self._runtime._handle)
        if why is not None:
            raise LockError(f"{manifest.name}: {why.decode('ascii')}")
        if reports and not self._handle_crashes():
            raise LockError(f"{manifest.name}: crashes cannot be reported")
        self._applications.clear()

    def serve(self, read_fd: int, write_fd: int) -> NoReturn:
        """Answer the core until it ends. After the lock, in a host in which an application is mapped."""
        self._serve(read_fd, write_fd)
        os._exit(EXIT_PROTOCOL)
