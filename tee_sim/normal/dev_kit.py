"""Builds what native applications need from C: their runtime, the program that hosts one unlocked, the client library.

All of it lies in one folder of the user's cache, named after what it is made of: the sources that this package brings,
the commands, the compiler. So a folder that is there is right, whoever made it, and is never changed:

    include    headers of the Internal Core API and the Client API
    mk, ta     ta_dev_kit.mk and what it compiles into an application
    lib        libtee_sim_ta.so (the runtime), libteec.so.2
    bin        tee_host, which serves one application without a lock

Nothing here runs in the secure world; what it loads of this it measures.
"""

import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from tee_sim.normal.dev_kit_error import DevKitError
from tee_sim.shared.dataclass import dataclass

SOURCES: Final = Path(__file__).parent.parent / "dev_kit"
COPIED: Final = ("include", "mk", "ta")
_COMPILERS: Final = ("cc", "gcc", "clang")
_BUILD_TIMEOUT_S: Final = 300
_SHOWN_LINES: Final = 8
_INSTALL: Final = (
    "install gcc or clang with the headers of the C library, or name a compiler: tee-sim dev-kit --cc COMPILER"
)
_STRICT: Final = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-fno-strict-aliasing", "-fvisibility=default")
_HARD: Final = ("-Wl,-z,now", "-Wl,-z,relro", "-Wl,-z,noexecstack", "-Wl,--build-id=none")
_SHARED: Final = ("-shared", "-Wl,-Bsymbolic", *_HARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One file that the compiler makes.

    Attributes:
        folder, name: in the kit.
        sources: folders below that of the sources, with the pattern of the files.
        options: of the compiler, beside those for headers; a `{sources}` in them stands for that folder.
        links: other names of the file, in its folder.
    """

    folder: str
    name: str
    sources: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    links: tuple[str, ...] = ()

    def command(self, compiler: tuple[str, ...], sources: Path, output: Path) -> tuple[str, ...]:
        """What makes it."""
        files = [str(file) for folder, pattern in self.sources for file in sorted((sources / folder).glob(pattern))]
        options = [option.replace("{sources}", str(sources)) for option in self.options]
        # Without the folders in what is built, it is the same wherever this package is installed.
        folders = (f"-I{sources / 'include'}", f"-I{sources / 'runtime'}", f"-ffile-prefix-map={sources}=dev_kit")
        return (*compiler, *folders, *options, "-o", str(output / self.folder / self.name), *files)


PRODUCTS: Final = (
    Product(
        folder="lib",
        name="libtee_sim_ta.so",
        sources=(("runtime", "*.c"),),
        options=(*_STRICT, *_SHARED, "-Wl,-soname,libtee_sim_ta.so"),
    ),
    Product(
        folder="lib",
        name="libteec.so.2",
        sources=(("client", "*.c"), ("runtime", "cbor.c"), ("runtime", "frame.c")),
        options=(
            *_STRICT,
            *_SHARED,
            "-pthread",
            "-Wl,-soname,libteec.so.2",
            "-Wl,--version-script={sources}/client/libteec.map",
        ),
        links=("libteec.so",),
    ),
    Product(
        folder="bin",
        name="tee_host",
        sources=(("host", "*.c"), ("runtime", "*.c")),
        options=(*_STRICT, *_HARD, "-fno-omit-frame-pointer", "-rdynamic"),
    ),
)


def kit_folder(compiler: str = "") -> Path:
    """The kit, built if it is not there yet.

    Args:
        compiler: its command, with options if it needs any; empty for the first of cc, gcc and clang that there is.

    Raises:
        DevKitError: `dev_kit.compiler` there is none, `dev_kit.build` it fails, `dev_kit.cache` nowhere to put it.
    """
    command = _compiler(compiler)
    cache = _cache_folder()
    folder = cache / f"dev-kit-{_key(command)}"
    if not folder.is_dir():
        _make(command, cache, folder)
    _refuse_foreign(folder)
    return folder


def _compiler(named: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(named))
    except ValueError as error:
        raise DevKitError("dev_kit.compiler", f"{named!r} is no command: {error}", hint=_INSTALL) from error
    for name in words[:1] if words else _COMPILERS:
        found = shutil.which(name)
        if found is not None:
            return (found, *words[1:])
    tried = words[0] if words else ", ".join(_COMPILERS)
    missing = f"native applications need a C compiler, and there is none of {tried}"
    raise DevKitError("dev_kit.compiler", missing, hint=_INSTALL)


def _cache_folder() -> Path:
    """As the XDG Base Directory Specification 0.8 says: a relative XDG_CACHE_HOME counts as none."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(named) if named.startswith("/") else Path.home() / ".cache"
    except RuntimeError as error:
        raise DevKitError("dev_kit.cache", "this user has no home", hint="set XDG_CACHE_HOME") from error
    folder = base / "tee-sim"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = f"{folder} cannot be made: {error.strerror}"
        raise DevKitError("dev_kit.cache", why, hint="set XDG_CACHE_HOME to a folder that you can write") from error
    _refuse_foreign(folder)
    return folder


def _refuse_foreign(folder: Path) -> None:
    """What lies here becomes code of the secure world: nobody else may be able to change it."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        why = "is no folder"
    elif found.st_uid != os.geteuid():
        why = f"belongs to user {found.st_uid}"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        why = "can be written by others"
    else:
        return
    hint = f"run: chmod go-w {folder}; or set XDG_CACHE_HOME to a folder of your own"
    raise DevKitError("dev_kit.cache", f"{folder} {why}", hint=hint)


def _key(compiler: tuple[str, ...]) -> str:
    """A digest of all that a kit is made of."""
    version = _run((*compiler, "--version"), "dev_kit.compiler")
    nowhere = Path("/")
    parts = [version, *(" ".join(product.command(compiler, nowhere, nowhere)).encode() for product in PRODUCTS)]
    for file in sorted(path for path in SOURCES.rglob("*") if path.is_file() and not path.name.startswith(".")):
        parts += [str(file.relative_to(SOURCES)).encode(), file.read_bytes()]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:32]


def _run(command: tuple[str, ...], code: str) -> bytes:
    """What a compiler prints. Raises DevKitError if it fails."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_BUILD_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = "does not end" if isinstance(error, subprocess.TimeoutExpired) else f"cannot be run: {error.strerror}"
        raise DevKitError(code, f"{command[0]} {why}", hint=_INSTALL) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").splitlines()
        wrong = [line for line in said if "error" in line] or said or ["no word why"]
        text = "".join(c if c.isprintable() else "?" for c in "; ".join(wrong[:_SHOWN_LINES]))
        raise DevKitError(code, f"{command[0]} failed ({done.returncode}): {text}", hint=_INSTALL)
    return done.stdout


def _make(compiler: tuple[str, ...], cache: Path, result: Path) -> None:
    """Build beside the place where it belongs, and put it there at once: another process sees all of it or nothing."""
    try:
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=cache))
    except OSError as error:
        hint = "make room, or set XDG_CACHE_HOME to a folder that you can write"
        raise DevKitError("dev_kit.cache", f"{cache} cannot be written: {error.strerror}", hint=hint) from error
    try:
        for name in COPIED:
            shutil.copytree(SOURCES / name, made / name, copy_function=shutil.copyfile)
        for product in filter(_has_sources, PRODUCTS):
            folder = made / product.folder
            folder.mkdir(exist_ok=True)
            _run(product.command(compiler, SOURCES, made), "dev_kit.build")
            for link in product.links:
                (folder / link).symlink_to(product.name)
        with suppress(FileExistsError):  # the same, made by somebody else meanwhile
            _rename(made, result)
    except OSError as error:
        hint = "make room, or set XDG_CACHE_HOME to a folder that you can write"
        raise DevKitError("dev_kit.cache", f"{cache} cannot be written: {error.strerror}", hint=hint) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _has_sources(product: Product) -> bool:
    folder, pattern = product.sources[0]
    return any((SOURCES / folder).glob(pattern))


def _rename(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
