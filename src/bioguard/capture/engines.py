"""Which engine a word means, and how one is loaded: a word of the table, or `module:Class` of one's own."""

import importlib
from typing import Any, Final

from bioguard.capture.engine import Engine
from bioguard.capture.engine_files import EngineFile, read_file
from bioguard.errors import WrongUsage
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEntry:
    """An engine by name.

    Attributes:
        name: the word.
        modality: of its features; None for one's own, which says it itself once it is loaded.
        entry: `module:Class`; the class takes the contents of `files`; one's own takes the argument, if there is one.
        files: `module:function` of the argument, that names the files the engine is made of; empty for none.
        argument: what the word needs, for people; empty for nothing.
        packages: import names of the code of others that runs in it.
        distributions: of these, as (import name, name in an index), whose versions decide what is found.
        says: one line for `doctor` and the documentation.
    """

    name: str
    modality: Modality | None
    entry: str
    files: str = ""
    argument: str = ""
    packages: tuple[str, ...] = ()
    distributions: tuple[tuple[str, str], ...] = ()
    says: str


_OPENCV: Final = ("cv2", "opencv-python-headless")
_WSQ: Final = ("wsq", "wsq")  # every engine's pictures may be packed with it
ENGINES: Final = (
    EngineEntry(
        name="nbis",
        modality=Modality.FINGERPRINT,
        entry="bioguard.capture.nbis_engine:NbisEngine",
        files="bioguard.capture.nbis_package:files",
        packages=("nbis", "cv2", "numpy"),
        distributions=(("nbis", "nbis-py"), _OPENCV, _WSQ),
        says="NIST's MINDTCT, two of three views of a picture agree",
    ),
    EngineEntry(
        name="leader",
        modality=Modality.FINGERPRINT,
        entry="bioguard.capture.leader_engine:LeaderEngine",
        files="bioguard.capture.leader_weights:files",
        packages=("cv2", "numpy"),
        distributions=(_OPENCV, _WSQ),
        says="the LEADER network (University of Bologna), weights of an installed package",
    ),
    EngineEntry(
        name="face",
        modality=Modality.FACE,
        entry="bioguard.capture.face_engine:FaceEngine",
        files="bioguard.capture.face_files:files",
        argument="FILE.toml",
        packages=("cv2", "numpy"),
        distributions=(_OPENCV, _WSQ),
        says="a detector and an embedding model of your own, described in a TOML file",
    ),
)


def entry_of(word: str) -> EngineEntry:
    """The engine that a word or `module:Class` names, not loaded.

    Raises:
        WrongUsage: `capture.engine`.
    """
    for known in ENGINES:
        if known.name == word:
            return known
    module, colon, name = word.partition(":")
    if not colon or not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise WrongUsage(
            f"there is no engine {word[:40]!r}",
            hint=f"one of {' '.join(known.name for known in ENGINES)}, or module:Class of your own",
            code="capture.engine",
        )
    return EngineEntry(name=word, modality=None, entry=word, packages=(module.partition(".")[0],), says="your own")


def _named(name: str) -> Any:
    """Raises WrongUsage `capture.engine`."""
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise WrongUsage(
            f"the engine {name[:60]} cannot be loaded: {error}",
            hint="check module:Class, and that the module can be imported here",
            code="capture.engine",
        ) from error


def files_of(word: str, argument: str = "") -> tuple[EngineFile, ...]:
    """What an engine is made of, in the order that `make_engine` wants the contents. One's own reads its own files.

    Raises:
        WrongUsage: `capture.engine`, `capture.missing`.
        InputRefused: what describes an engine is no such description.
    """
    entry = entry_of(word)
    if entry.modality is not None and bool(entry.argument) != bool(argument):
        needs = f"needs {entry.argument}" if entry.argument else "takes no argument"
        raise WrongUsage(
            f"the engine {word} {needs}", hint="docs/capture.md lists what each engine takes", code="capture.engine"
        )
    if not entry.files:
        return ()
    found: tuple[EngineFile, ...] = _named(entry.files)(*([argument] if argument else []))
    return found


def make_engine(word: str, argument: str, contents: tuple[bytes, ...]) -> Engine:
    """Import, construct and warm up an engine of the contents of its files: nothing is read later.

    Raises:
        WrongUsage: `capture.engine`, `capture.missing`.
        InputRefused: what the constructor refuses, as weights that are not those it knows.
    """
    entry = entry_of(word)
    made = _named(entry.entry)
    engine: Engine = made(argument) if entry.modality is None and argument else made(*contents)
    return engine


def load_engine(word: str, argument: str = "") -> Engine:
    """Read what an engine is made of, and make it. Raises as `files_of` and `make_engine`."""
    contents = tuple(
        read_file(file.path, "docs/capture.md lists what each engine needs") for file in files_of(word, argument)
    )
    return make_engine(word, argument, contents)
