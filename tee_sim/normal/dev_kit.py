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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from tee_sim.normal.dev_kit_error import DevKitError
from tee_sim.shared.dataclass import dataclass

SOURCES: Final = Path(__file__).parent.parent / "dev_kit"
COPIED: Final = ("include", "mk", "ta")
_COMPILERS: Final = ("cc", "gcc", "clang")
_BUILD_TIMEOUT_S: Final = 300
_SHOWN_LINES: Final = 8
_INSTALL: Final = "install gcc or clang with the headers of the C library, or run: tee-sim dev-kit --cc COMPILER"
_COMPILE: Final = (
    *("-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-pthread", "-fno-strict-aliasing", "-fno-omit-frame-pointer"),
    *("-fvisibility=default", "-c"),
)
_HARD: Final = ("-Wl,-z,now", "-Wl,-z,relro", "-Wl,-z,noexecstack", "-Wl,--build-id=none")
_SHARED: Final = ("-shared", "-Wl,-Bsymbolic", *_HARD)
Command = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One file that the compiler makes.

    Attributes:
        folder, name: in the kit.
        sources: folders below that of the sources, with the pattern of the files.
        options: of its link; a `{sources}` in them stands for that folder.
        links: other names of the file, in its folder.
    """

    folder: str
    name: str
    sources: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    links: tuple[str, ...] = ()

    def files(self, sources: Path) -> list[Path]:
        """What it is made of."""
        return [file for folder, pattern in self.sources for file in sorted((sources / folder).glob(pattern))]

    def link(self, compiler: Command, sources: Path, output: Path, objects: Sequence[Path]) -> Command:
        """What makes it of compiled sources."""
        options = [option.replace("{sources}", str(sources)) for option in self.options]
        return (*compiler, *options, "-o", str(output / self.folder / self.name), *map(str, objects))


PRODUCTS: Final = (
    Product(
        folder="lib",
        name="libtee_sim_ta.so",
        sources=(("runtime", "*.c"),),
        options=(*_SHARED, "-Wl,-soname,libtee_sim_ta.so"),
    ),
    Product(
        folder="lib",
        name="libteec.so.2",
        sources=(("client", "*.c"), ("runtime", "cbor.c"), ("runtime", "frame.c")),
        options=(
            *_SHARED,
            "-pthread",
            "-Wl,-soname,libteec.so.2",
            "-Wl,--version-script={sources}/client/libteec.map",
        ),
        links=("libteec.so",),
    ),
    Product(
        folder="lib",
        name="libtee_sim_relay.so",
        sources=(("relay", "*.c"),),
        options=(*_SHARED, "-Wl,-soname,libtee_sim_relay.so"),
    ),
    Product(
        folder="bin",
        name="tee_host",
        sources=(("host", "*.c"), ("runtime", "*.c")),
        options=(*_HARD, "-rdynamic"),
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
    _refuse_partial(folder)
    return folder


def _refuse_partial(folder: Path) -> None:
    """A kit is put there as a whole; whoever tidies caches may have taken a part away."""
    missing = [name for name in COPIED if not (folder / name).is_dir()]
    missing += [
        f"{p.folder}/{name}"
        for p in PRODUCTS
        for name in (p.name, *p.links)
        if not (folder / p.folder / name).is_file()
    ]
    if missing:
        raise DevKitError("dev_kit.cache", f"{folder} lacks {', '.join(missing)}", hint=f"run: rm -r {folder}")


def _compiler(named: str) -> Command:
    try:
        words = tuple(shlex.split(named))
    except ValueError as error:
        raise DevKitError("dev_kit.compiler", f"{named!r} is no command: {error}", hint=_INSTALL) from error
    for name in words[:1] if words else _COMPILERS:
        found = shutil.which(name)
        if found is not None:
            return (str(Path(found).absolute()), *words[1:])
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
    if len(str(folder).split()) != 1:
        why = f"make cannot use a folder whose path has spaces, as {folder}"
        raise DevKitError("dev_kit.cache", why, hint="set XDG_CACHE_HOME to another folder")
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
    hint = "set XDG_CACHE_HOME to a folder of your own"
    if not stat.S_ISDIR(found.st_mode):
        why = "is no folder"
    elif found.st_uid != os.geteuid():
        why = f"belongs to user {found.st_uid}"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        why, hint = "can be written by others", f"run: chmod go-w {folder}; or {hint}"
    else:
        return
    raise DevKitError("dev_kit.cache", f"{folder} {why}", hint=hint)


def _compile(compiler: Command, sources: Path, file: Path, output: Path) -> Command:
    # Without the folders in what is built, it is the same wherever this package is installed.
    folders = (f"-I{sources / 'include'}", f"-I{sources / 'runtime'}", f"-ffile-prefix-map={sources}=dev_kit")
    return (*compiler, *_COMPILE, *folders, "-o", str(output), str(file))


def _key(compiler: Command) -> str:
    """A digest of all that a kit is made of."""
    version = _finish(_start((*compiler, "--version"), "dev_kit.compiler"), "dev_kit.compiler")
    nowhere = Path("/")
    commands = (
        _compile(compiler, nowhere, nowhere, nowhere),
        *(p.link(compiler, nowhere, nowhere, ()) for p in PRODUCTS),
    )
    parts = [version, *(" ".join(command).encode() for command in commands)]
    for file in sorted(path for path in SOURCES.rglob("*.*") if path.is_file() and not path.name.startswith(".")):
        parts += [str(file.relative_to(SOURCES)).encode(), file.read_bytes()]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:32]


def _start(command: Command, code: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=SOURCES,  # else where this was called from would stand in what is built, and be measured
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        raise DevKitError(code, f"{command[0]} cannot be run: {error.strerror}", hint=_INSTALL) from error


def _finish(process: subprocess.Popen[bytes], code: str) -> bytes:
    """What a compiler prints. Raises DevKitError if it fails."""
    name = cast("Command", process.args)[0]
    try:
        printed, complaint = process.communicate(timeout=_BUILD_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise DevKitError(code, f"{name} does not end", hint=_INSTALL) from error
    if process.returncode != 0:
        said = complaint.decode("utf-8", "replace").splitlines()
        wrong = [line for line in said if "error" in line] or said or ["no word why"]
        text = "".join(c if c.isprintable() else "?" for c in "; ".join(wrong[:_SHOWN_LINES]))
        raise DevKitError(code, f"{name} failed ({process.returncode}): {text}", hint=_INSTALL)
    return printed


def _run_all(commands: Sequence[Command]) -> None:
    """As many at once as there are processors. Raises DevKitError for the first that fails, and ends the others."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            if len(running) >= (os.cpu_count() or 1):
                _finish(running.pop(0), "dev_kit.build")
            running.append(_start(command, "dev_kit.build"))
        while running:
            _finish(running.pop(0), "dev_kit.build")
    finally:
        for process in running:
            process.kill()
            process.communicate()


@contextmanager
def _in_cache(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "make room, or set XDG_CACHE_HOME to a folder that you can write"
        raise DevKitError("dev_kit.cache", f"{cache} cannot be written: {error.strerror}", hint=hint) from error


def _make(compiler: Command, cache: Path, result: Path) -> None:
    """Build beside the place where it belongs, and put it there at once: another process sees all of it or nothing."""
    with _in_cache(cache):
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=cache))
        try:
            for name in COPIED:
                shutil.copytree(SOURCES / name, made / name, copy_function=shutil.copyfile)
            _build(compiler, made)
            _rename(made, result)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _build(compiler: Command, made: Path) -> None:
    objects = made / "objects"
    objects.mkdir()
    files = sorted({file for product in PRODUCTS for file in product.files(SOURCES)})
    compiled = {file: objects / f"{number}.o" for number, file in enumerate(files)}
    _run_all([_compile(compiler, SOURCES, file, output) for file, output in compiled.items()])
    for product in PRODUCTS:
        (made / product.folder).mkdir(exist_ok=True)
        for link in product.links:
            (made / product.folder / link).symlink_to(product.name)
    _run_all([p.link(compiler, SOURCES, made, [compiled[file] for file in p.files(SOURCES)]) for p in PRODUCTS])
    shutil.rmtree(objects)


def _rename(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # else it is the same, made by somebody else meanwhile
            raise
