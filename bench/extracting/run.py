"""Pictures through engines, in turn: each picture goes through every engine before the next one is read."""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import bioguard.capture
from bench.extracting.kept import FAULT, Extracted, Kept, key_of
from bench.extracting.pictures import PictureSet
from bioguard.capture.engine import Engine
from bioguard.capture.pictures import decode
from bioguard.errors import InputRefused
from bioguard.records import FingerprintTemplate

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Named:
    """An engine under the word it was asked for."""

    name: str
    engine: Engine

    @property
    def code_digest(self) -> str:
        """Of the sources around the engine: what was extracted by other code is not taken up."""
        digest = blake2b(digest_size=8)
        own = inspect.getsourcefile(type(self.engine))
        around = sorted(Path(bioguard.capture.__file__).parent.rglob("*.py"))
        for path in [*around, *([Path(own)] if own else [])]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    @property
    def folder(self) -> str:
        """Where its extractions are kept."""
        identity = self.engine.identity
        return f"{identity.name}-{identity.digest.hex()}-{self.code_digest}"


@dataclass(frozen=True, slots=True)
class Extractions:
    """What engines made of all pictures.

    Attributes:
        found: by engine, by set, one a picture, in the order of the set.
        fresh: by engine, how many were not kept from an earlier run.
    """

    found: Mapping[str, Mapping[str, Sequence[Extracted]]]
    fresh: Mapping[str, int]


def extract_all(
    sets: Sequence[PictureSet], engines: Sequence[Named], dpi: Mapping[str, int | None], out: Path,
    note: Callable[[str], None], advance: Progress,
) -> Extractions:  # fmt: skip
    """Every picture through every engine.

    Args:
        sets: the pictures.
        engines: by different names.
        dpi: of the pictures of each set; None: what their files state.
        out: extractions are kept there.
        note: for people.
        advance: takes pictures done, once an engine.
    """
    stores = {one.name: Kept(out / one.folder, note) for one in engines}
    found: dict[str, dict[str, list[Extracted]]] = {e.name: {s.name: [] for s in sets} for e in engines}
    fresh = dict.fromkeys(stores, 0)
    for one in sets:
        for number, path in enumerate(one.paths):
            data = path.read_bytes()
            key = key_of(data, dpi[one.name])
            # who comes first changes from picture to picture: caches are warm for the one that comes second
            for named in (*engines[number % len(engines) :], *engines[: number % len(engines)]):
                store = stores[named.name]
                kept = store.get(key)
                fresh[named.name] += kept is None
                found[named.name][one.name].append(kept or _extract(named.engine, data, dpi[one.name], store, key))
                advance(1)
    return Extractions(found, fresh)


def _extract(engine: Engine, data: bytes, dpi: int | None, store: Kept, key: str) -> Extracted:
    store.trying(key)
    made = None
    try:
        made = _extracted(engine, data, dpi)
    finally:  # an interrupt is not the picture's fault
        store.put(key, made)
    return made


def _extracted(engine: Engine, data: bytes, dpi: int | None) -> Extracted:
    try:
        picture = decode(data, dpi)
    except InputRefused as error:
        return Extracted(error.code, None)
    wall, processor = time.perf_counter(), time.process_time()
    try:
        extraction = engine.extract(picture)
        spent = 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor)
        if isinstance(extraction.sample, FingerprintTemplate | None):
            return Extracted(extraction.acquired.word, extraction.sample, extraction.quality, *spent)
    except Exception:  # engines of others raise and return what they like
        return FAULT
    return FAULT
