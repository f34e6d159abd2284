"""Declares a trusted application to the secure world, before it starts.

A manifest names the code to compile before the lock and run after it, so the list is also what gets measured.
It is written as TOML next to the TA (docs/formats/manifest.md):

    uuid = "..."              # identity; keys and storage are separated by it
    name = "counter"
    entry = "package.module:ClassName"
    code = ["package", "package.module"]      # "package.sub.*" takes a package and everything below it
    preload = ["numpy"]                       # packages outside the standard library that the code may import;
                                              # imported before the lock, with what the code uses of them
    warmup = "package.module_of_plain_calls"  # optional; touches third-party code only, runs before the lock
    resources = ["package:file.bin"]          # package data readable after the lock
    flags = ["single_instance", "multi_session", "keep_alive"]
    shared_keys = ["name"]                    # per-boot keys under which the core checks statements for this TA
    digest = "my-commit-v1"                   # personalization of its salted digests; without the key it has none
    calls = ["uuid"]                          # the TAs this one may open sessions with; without the key, none
    sensors = ["name"]                        # the sensors whose captures this one may take; without the key, none
    replies = "closed"                        # or "free": answers of any bytes
    reserve = "none"                          # of what the store keeps for erasures: "none", "anchored" or "all"
    spares = 3                                # processes that stand ready for when one dies
    [quota]
    objects = 1000
    object_bytes = 65536
    heap_bytes = 268435456                    # memory of its process beyond what that starts with
    time_ms = 30000                           # of one command, without what other applications do for it
    [[statement]]                             # what the core makes for this TA under a per-boot key
    key = "name"
    parts = ["00", "echo:8", "id:8", "time:8"]     # tee_sim.shared.statement
    [budget]
    bits = 4096                               # what one request may let out at most (docs/formats/budget.md)
    start = 65536                             # of an opened session that makes the application, instead
    commands = { 11 = 64 }                    # of a request of this command, instead
    writes = { 11 = ["S01*", "H L#"] }        # which rows its commits put (tee_sim.shared.row_patterns)
    reads = { 12 = ["note"] }                 # objects of which kinds it may walk through: the core reads them before
"""

import math
import re
from collections.abc import Sequence
from enum import IntEnum, unique
from functools import lru_cache
from itertools import combinations
from typing import Annotated, Self, cast
from uuid import UUID

from tee_sim.shared import manifest_values as values
from tee_sim.shared import row_patterns
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.limits import MAX_OBJECTS, MAX_SENSORS, MAX_TAS
from tee_sim.shared.manifest_file import Key, line_of, read_record, tables
from tee_sim.shared.manifest_values import ManifestError, Misfit
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.schema import Fixed, Items, Record, Text, UpTo
from tee_sim.shared.statement import EXAMPLE, MAX_PARTS, Statement
from tee_sim.shared.ta_properties import MAX_PROPERTIES, TaProperty

FLAGS = frozenset({"single_instance", "multi_session", "keep_alive"})
"""GlobalPlatform gpd.ta.singleInstance, multiSession, instanceKeepAlive."""

ABIS = (11, 13)
"""Versions of the Internal Core API for which a native application may be built: 1.1 and 1.3.1."""

MAX_OBJECT_BYTES = 1 << 20
MAX_HEAP_BYTES = 1 << 38
MIN_HEAP_BYTES = 1 << 20
"""Below it the interpreter cannot even open a session."""
MAX_STACK_BYTES = 64 << 20
MAX_TIME_MS = 3_600_000
MAX_SPARES = 8
MAX_STATEMENTS = 4
MAX_BUDGET_BITS = 1 << 24
"""Above it a budget bounds nothing: an answer has 8 388 608 bits at most."""
MAX_BUDGETS = 256
MAX_READ_KINDS = 8

NEW_UUID = "make one: python3 -c 'import uuid; print(uuid.uuid4())'"
_NAME = Text(128)
_DOTTED = r"[A-Za-z_]\w*(\.\w+)*"
_PART = r"(?!\.\.?(?:/|$))[ -.0-\[\]-~]+"
"""One name of a path below a folder: neither `.` nor `..`, without a backslash."""
_NAMED = (
    ("code", rf"{_DOTTED}(\.\*)?", "the name of a module", 'write for instance: code = ["package.*"]'),
    ("preload", _DOTTED, "the name of a module", 'write for instance: preload = ["tee_sim"]'),
    (
        "resources",
        rf"{_DOTTED}:{_PART}(/{_PART})*",
        "package:file, a file below the folder of the package",
        'move the file into the package, and write for instance: resources = ["package:file.bin"]',
    ),
)
"""What names a file, and which names are none: a path would reach what is not the application's own."""


@unique
class Replies(IntEnum):
    """What a TA may answer with."""

    CLOSED = 0
    """Records whose every field is bounded and holds no free bytes or text (`tee_sim.shared.schema.is_closed`)."""
    FREE = 1
    """Any bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandBudget(Record):
    """What one request of this command may let out, in bits."""

    command: Annotated[int, UpTo(0xFFFF_FFFF)]
    bits: Annotated[int, UpTo(MAX_BUDGET_BITS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWrites(Record):
    """Which rows the commits of this command put."""

    command: Annotated[int, UpTo(0xFFFF_FFFF)]
    commits: Annotated[tuple[str, ...], Items(row_patterns.MAX_COMMITS, Text(row_patterns.MAX_CHARS))]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReads(Record):
    """Objects of which kinds this command may walk through."""

    command: Annotated[int, UpTo(0xFFFF_FFFF)]
    kinds: Annotated[tuple[str, ...], Items(MAX_READ_KINDS, Text(16))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Record):
    """A parsed manifest; travels to the secure world in the BOOT message.

    Attributes:
        native: the file name of an application in machine code, in the folder of its code; empty for one in Python.
            This and the next three stand in no file: `tee_sim.shared.native.head` reads them from the application.
        abi: 11 or 13, the version of the Internal Core API that a native one was built for (1.1, 1.3.1).
        stack_bytes: of a native one; its `heap_bytes` are those of TEE_Malloc.
    """

    uuid: Annotated[bytes, Fixed(16)]
    name: Annotated[str, Text(32)]
    entry: Annotated[str, _NAME]
    code: Annotated[tuple[str, ...], Items(256, _NAME)]
    preload: Annotated[tuple[str, ...], Items(64, _NAME)] = ()
    warmup: Annotated[str, _NAME] = ""
    resources: Annotated[tuple[str, ...], Items(64, _NAME)] = ()
    flags: Annotated[tuple[str, ...], Items(8, Text(32))] = ()
    shared_keys: Annotated[tuple[str, ...], Items(8, Text(32))] = ()
    calls: Annotated[tuple[bytes, ...], Items(MAX_TAS, Fixed(16))] = ()
    max_objects: Annotated[int, UpTo(MAX_OBJECTS)] = 1_000
    max_object_bytes: Annotated[int, UpTo(MAX_OBJECT_BYTES)] = 65_536
    heap_bytes: Annotated[int, UpTo(MAX_HEAP_BYTES)] = 256 << 20
    time_ms: Annotated[int, UpTo(MAX_TIME_MS)] = 30_000
    spares: Annotated[int, UpTo(MAX_SPARES)] = 3
    replies: Replies = Replies.CLOSED
    reserve: Reserve = Reserve.NONE
    digest: Annotated[str, Text(16)] = ""
    statements: Annotated[tuple[Statement, ...], Items(MAX_STATEMENTS)] = ()
    budget_bits: Annotated[int, UpTo(MAX_BUDGET_BITS)] | None = None
    start_bits: Annotated[int, UpTo(MAX_BUDGET_BITS)] | None = None
    budgets: Annotated[tuple[CommandBudget, ...], Items(MAX_BUDGETS)] = ()
    writes: Annotated[tuple[CommandWrites, ...], Items(MAX_BUDGETS)] = ()
    reads: Annotated[tuple[CommandReads, ...], Items(MAX_BUDGETS)] = ()
    sensors: Annotated[tuple[str, ...], Items(MAX_SENSORS, Text(32))] = ()
    native: Annotated[str, Text(255)] = ""
    abi: Annotated[int, UpTo(13)] = 0
    stack_bytes: Annotated[int, UpTo(MAX_STACK_BYTES)] = 0
    properties: Annotated[tuple[TaProperty, ...], Items(MAX_PROPERTIES)] = ()

    def __post_init__(self) -> None:
        unknown = sorted(set(self.flags) - FLAGS)
        if unknown:
            hint = f"choose from {', '.join(sorted(FLAGS))}"
            raise _bad("flags", f"unknown flag {values.shown(unknown[0])}", hint)
        if not any(self.uuid):
            raise _bad("uuid", "the nil uuid belongs to the core", NEW_UUID)
        if self.uuid in self.calls or len(set(self.calls)) < len(self.calls):
            raise _bad("calls", "names itself, or one application twice", "name each other application once")
        for key, pattern, what, hint in _NAMED:
            for named in getattr(self, key):
                if not re.fullmatch(pattern, named, re.ASCII):
                    raise _bad(key, f"{values.shown(named)} is not {what}", hint)
        if len({statement.key for statement in self.statements}) < len(self.statements):
            # Which of two layouts is made would be the application's choice.
            raise _bad("statement", "two statements of one key", "write one [[statement]] for each key")
        self._check_budget()
        self._check_native()
        if self.entry.count(":") != 1:
            raise _bad("entry", "not module:Class", 'write for instance: entry = "package.app:App"')
        for key, value, lowest in (
            ("quota.heap_bytes", self.heap_bytes, 0 if self.native else MIN_HEAP_BYTES),
            ("quota.time_ms", self.time_ms, 1),
            ("spares", self.spares, 1),
        ):
            if value < lowest:
                raise ManifestError(Misfit.OUT_OF_RANGE, f"expected at least {lowest}", key=key)

    def _check_native(self) -> None:
        bare = not (self.abi or self.stack_bytes or self.properties)
        fits = self.abi in ABIS and "/" not in self.native and not self.code if self.native else bare
        if not fits:
            hint = "give the path of the .ta file, or of its folder"
            raise _bad("native", "no manifest says what only the head of a native application does", hint)

    def _check_budget(self) -> None:
        tables = (("budget.commands", self.budgets), ("budget.writes", self.writes), ("budget.reads", self.reads))
        for key, table in tables:
            if table and self.budget_bits is None:
                hint = "write under [budget] for instance: bits = 4096, for whatever is not named"
                raise _bad(key, "needs a budget for all other requests", hint)
            if len({named.command for named in table}) < len(table):
                raise _bad(key, "names one command twice", "name each command once")
        if self.start_bits is not None and self.budget_bits is None:
            raise _bad("budget.start", "needs a budget for all other requests", "write under [budget]: bits = 4096")
        if not all(re.fullmatch(row_patterns.COMMIT, text) for named in self.writes for text in named.commits):
            raise _bad("budget.writes", "no rows", f"write under [budget]: {_WRITES}")

    @property
    def ta_uuid(self) -> UUID:
        """The TA's identity."""
        return _uuid_of(self.uuid)

    def limit_bits(self, command: int | None, *, start: bool = False) -> float:
        """What one request may let out: an invocation of this command, or, for None, a session opened or closed.

        Args:
            start: whether the session that is opened makes the application.
        """
        if start and self.start_bits is not None:
            return float(self.start_bits)
        own = self.budget_bits
        if self.budgets:
            own = next((budget.bits for budget in self.budgets if budget.command == command), own)
        return math.inf if own is None else float(own)

    def commits_of(self, command: int | None) -> tuple[str, ...]:
        """Which rows the commits of this command put."""
        return next((named.commits for named in self.writes if named.command == command), ())

    def kinds_of(self, command: int | None) -> tuple[str, ...]:
        """Objects of which kinds this command may walk through."""
        return next((named.kinds for named in self.reads if named.command == command), ())

    @property
    def key_names(self) -> frozenset[str]:
        """Keys of a boot that the core holds for this TA."""
        return frozenset((*self.shared_keys, *(statement.key for statement in self.statements)))

    @property
    def early_code(self) -> tuple[str, ...]:
        """Modules of its own that run before the lock, in the process that becomes the core: its warm-up, and
        compiled ones. Nothing holds them to anything there."""
        return (*((self.warmup,) if self.warmup else ()), *self.compiled)

    @property
    def compiled(self) -> tuple[str, ...]:
        """Modules of its own that it names under `preload`."""
        own = {pattern.partition(".")[0] for pattern in self.code}
        return tuple(name for name in self.preload if name.partition(".")[0] in own)

    @classmethod
    def from_toml(cls, text: str, *, file: str = "") -> Self:
        """Parse a manifest file; `file` is how errors call it.

        Raises:
            ManifestError: with file, key and line.
        """
        return read_record(cls, text, file, _KEYS)


@lru_cache(maxsize=64)
def _uuid_of(raw: bytes) -> UUID:
    """Every request asks for one or two of the few there are."""
    return UUID(bytes=raw)


def _bad(key: str, why: str, hint: str) -> ManifestError:
    return ManifestError(Misfit.WRONG_VALUE, why, key=key, hint=hint)


def _written(command: int, commits: object) -> CommandWrites:
    return CommandWrites(command=command, commits=cast("tuple[str, ...]", commits))


def _read(command: int, kinds: object) -> CommandReads:
    return CommandReads(command=command, kinds=cast("tuple[str, ...]", kinds))


def _budget(command: int, bits: object) -> CommandBudget:
    return CommandBudget(command=command, bits=cast("int", bits))


_MODULE = values.text(128)
_STATEMENT = (
    Key(("key",), "key", values.text(32), '"auth-token"', required=True),
    Key(("parts",), "parts", values.each(MAX_PARTS, values.text(64)), EXAMPLE, required=True),
)
_BITS = values.number(1, MAX_BUDGET_BITS)
_COMMITS = values.each(
    row_patterns.MAX_COMMITS, values.text(row_patterns.MAX_CHARS, row_patterns.COMMIT, "the rows of one commit")
)
_KINDS = values.each(MAX_READ_KINDS, values.text(16))
_READS = 'reads = { 12 = ["note"] }'
_WRITES = 'writes = { 11 = ["S01*", "H L#"] }'
_KEYS = (
    Key(("uuid",), "uuid", values.uuid, '"8d3f0c52-6f3e-4a51-9a55-0d6a3c1b7e21"', required=True),
    Key(("name",), "name", values.text(32), '"counter"', required=True),
    Key(
        ("entry",),
        "entry",
        values.text(128, r"[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*", "module:Class"),
        '"package.app:App"',
        required=True,
    ),
    Key(("code",), "code", values.each(256, _MODULE), '["package.*"]', required=True),
    Key(("preload",), "preload", values.each(64, _MODULE), '["tee_sim"]'),
    Key(("warmup",), "warmup", _MODULE, '"package.warmup"'),
    Key(("resources",), "resources", values.each(64, _MODULE), '["package:file.bin"]'),
    Key(("flags",), "flags", values.each(8, values.text(32)), '["single_instance"]'),
    Key(("shared_keys",), "shared_keys", values.each(8, values.text(32)), '["auth-token"]'),
    Key(("digest",), "digest", values.text(16), '"my-commit-v1"'),
    Key(("calls",), "calls", values.each(MAX_TAS, values.uuid), '["3b7a01c2-1d52-5c6e-9a41-8d0c2c7c2f02"]'),
    Key(("sensors",), "sensors", values.each(MAX_SENSORS, values.text(32)), '["camera"]'),
    Key(("replies",), "replies", values.one_of({r.name.lower(): r for r in Replies}), '"closed"'),
    Key(("reserve",), "reserve", values.one_of({r.name.lower(): r for r in Reserve}), '"none"'),
    Key(("spares",), "spares", values.number(1, MAX_SPARES), "3"),
    Key(
        ("statement",),
        "statements",
        tables(MAX_STATEMENTS, _STATEMENT, Statement),
        f'[{{ key = "auth-token", parts = {EXAMPLE} }}]',
    ),
    Key(("quota", "objects"), "max_objects", values.number(0, MAX_OBJECTS), "1000"),
    Key(("quota", "object_bytes"), "max_object_bytes", values.number(0, MAX_OBJECT_BYTES), "65536"),
    Key(("quota", "heap_bytes"), "heap_bytes", values.number(MIN_HEAP_BYTES, MAX_HEAP_BYTES), "268435456"),
    Key(("quota", "time_ms"), "time_ms", values.number(1, MAX_TIME_MS), "30000"),
    Key(("budget", "bits"), "budget_bits", _BITS, "4096"),
    Key(("budget", "start"), "start_bits", _BITS, "1048576"),
    Key(
        ("budget", "commands"),
        "budgets",
        values.numbered(MAX_BUDGETS, 0xFFFF_FFFF, _BITS, _budget, "write under [budget]: commands = { 11 = 64 }"),
        "{ 11 = 64 }",
    ),
    Key(
        ("budget", "writes"),
        "writes",
        values.numbered(MAX_BUDGETS, 0xFFFF_FFFF, _COMMITS, _written, f"write under [budget]: {_WRITES}"),
        _WRITES.partition("= ")[2],
    ),
    Key(
        ("budget", "reads"),
        "reads",
        values.numbered(MAX_BUDGETS, 0xFFFF_FFFF, _KINDS, _read, f"write under [budget]: {_READS}"),
        _READS.partition("= ")[2],
    ),
)


def refuse_twins(manifests: Sequence[Manifest], files: Sequence[tuple[str, str]] = ()) -> None:
    """Refuse manifests of one identity: keys and objects would be shared, and only one of them be reached.

    Args:
        files: the name and the text of each, in the same order, if they were files.

    Raises:
        ManifestError: two have the same uuid.
    """
    sources = files or [(manifest.name, "") for manifest in manifests]
    for ((first, _), one), ((second, text), other) in combinations(zip(sources, manifests, strict=True), 2):
        if one.uuid == other.uuid:
            why = f"{one.ta_uuid} is also that of {first}"
            line = line_of(text, "uuid")
            hint = f"give one of them, or {NEW_UUID}"
            raise ManifestError(Misfit.TWICE, why, key="uuid", file=second, line=line, hint=hint)
