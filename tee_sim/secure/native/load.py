"""Native applications of a secure world that is locked, from the bytes that are measured."""

import ctypes
import fcntl
import os
from pathlib import Path
from typing import NoReturn

from tee_sim.secure.lockdown.watcher import RefusedCalls
from tee_sim.secure.native.files import NativeLoadError, measurement, path_of, read
from tee_sim.shared.lock_report import LockError
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.native_run import NativeRun
from tee_sim.shared.wire import EXIT_PROTOCOL


class _Config(ctypes.Structure):
    """`struct host_config` of tee_sim/dev_kit/runtime/host.h."""

    _fields_ = (
        ("reports", ctypes.c_uint32),
        ("unlocked", ctypes.c_uint32),
        ("panic_at", ctypes.c_uint64),
        ("no_memory_at", ctypes.c_uint64),
        ("name", ctypes.c_char * 40),
        ("refusals", ctypes.c_void_p),
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

    Raises:
        NativeLoadError: the runtime cannot be read or loaded.
    """

    def __init__(self, how: NativeRun) -> None:
        self._how = how
        self._applications: dict[bytes, bytes] = {}
        path = Path(os.fsdecode(how.kit)) / "lib" / "libtee_sim_ta.so"
        self._content = read(path)
        fd = _sealed(self._content)
        try:
            self._runtime = ctypes.CDLL(f"/proc/self/fd/{fd}", mode=os.RTLD_NOW | os.RTLD_LOCAL)
        except OSError as error:
            raise NativeLoadError(f"{path} is no runtime for native applications on this machine") from error
        finally:
            os.close(fd)
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
        """Read and check one application. Returns its measurement.

        Raises:
            NativeLoadError: it cannot be read, needs a function that is not there, or is not what its manifest says.
            NativeRefused: its file breaks a rule.
        """
        # Loads pyelftools, which no other world needs.
        from tee_sim.shared.native.elf import check  # noqa: PLC0415
        from tee_sim.shared.native.head import TaHead  # noqa: PLC0415

        path = path_of(manifest, folder)
        content = self._applications[manifest.uuid] = read(path)
        missing = sorted(name for name in check(content) if not hasattr(self._runtime, name))
        if missing:
            raise NativeLoadError(f"{path} needs {', '.join(missing)}, which the runtime does not have")
        head = TaHead.read(content)
        said = (head.uuid.bytes, head.abi, head.flags, head.stack_bytes, head.data_bytes, head.properties)
        manifested = (manifest.uuid, manifest.abi, manifest.flags, manifest.stack_bytes, manifest.heap_bytes)
        if said != (*manifested, manifest.properties):
            # Keys and storage go by the manifest: a file that was changed meanwhile would have another's.
            raise NativeLoadError(f"{path} is not the file that its manifest was made of")
        return measurement(manifest, content, self._content)

    def map(self, manifest: Manifest, *, reports: bool) -> None:
        """Map an application in this process, its host, which is about to be locked. Nothing of it runs.

        Raises:
            LockError: it cannot be mapped.
        """
        content = self._applications[manifest.uuid]
        config = _Config.in_dll(self._runtime, "config")
        config.reports = reports
        config.panic_at, config.no_memory_at = self._how.panic_at, self._how.no_memory_at
        config.name = manifest.name.encode("ascii")
        why = self._load(content, len(content), self._runtime._handle)
        if why is not None:
            raise LockError(f"{manifest.name}: {why.decode('ascii')}")
        if reports and not self._handle_crashes():
            raise LockError(f"{manifest.name}: crashes cannot be reported")
        self._applications.clear()

    def serve(self, read_fd: int, write_fd: int, refused: RefusedCalls | None = None) -> NoReturn:
        """Answer the core until it ends. After the lock, in a host in which an application is mapped.

        Args:
            refused: what the watcher of this process notes; in the debug profile.
        """
        if refused is not None:
            _Config.in_dll(self._runtime, "config").refusals = refused.address()
        self._serve(read_fd, write_fd)
        os._exit(EXIT_PROTOCOL)
