"""Which engine a word means, and how one is loaded: a word of the table, or `module:Class` of one's own."""

import importlib
from typing import Final

from bioguard.capture.engine import Engine
from bioguard.errors import WrongUsage
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEntry:
    """An engine by name.

    Attributes:
        name: the word.
        modality: of its features; None for one's own, which says it itself once it is loaded.
        entry: `module:Class`; the class takes the argument, if there is one.
        argument: what the word needs behind a colon, for people; empty for nothing.
        packages: import names of the code of others that runs in it.
        says: one line for `doctor` and the documentation.
    """

    name: str
    modality: Modality | None
    entry: str
    argument: str = ""
    packages: tuple[str, ...] = ()
    says: str


ENGINES: Final[tuple[EngineEntry, ...]] = ()
"""The engines that come with the product."""


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


def load_engine(word: str, argument: str = "") -> Engine:
    """Import, construct and warm up an engine: files are read and memory is taken here, not in `extract`.

    Raises:
        WrongUsage: `capture.engine`, `capture.missing`.
        InputRefused: what the constructor refuses, as weights that are not those it knows.
    """
    entry = entry_of(word)
    if bool(entry.argument) != bool(argument) and entry.modality is not None:
        needs = f"needs {entry.argument}" if entry.argument else "takes no argument"
        raise WrongUsage(
            f"the engine {word} {needs}", hint="docs/capture.md lists what each engine takes", code="capture.engine"
        )
    module, _, name = entry.entry.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise WrongUsage(
            f"the engine {word[:40]} cannot be loaded: {error}",
            hint="check module:Class, and that the module can be imported here",
            code="capture.engine",
        ) from error
    engine: Engine = made(argument) if argument else made()
    return engine
