"""What comes of each function that the core works on: how each of its results comes about."""

from collections.abc import Callable

import pytest

from tee_sim.gp_api.storage import MAX_ENUMERATORS
from tee_sim.gp_objects.constants import MAX_DATA_BYTES, MAX_HANDLES, MAX_POSITION, MAX_TRANSIENT_OBJECTS
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tests.native.api.native import META, OVERWRITE, PRIVATE, READ, TA, WRITE, App, Refused

F, R = Function, TeeResult
Run = Callable[[App], object]
AES, RSA_PAIR, SECRET, MODULUS, CURVE = 0xA0000010, 0xA1000030, 0xC0000000, 0xD0000130, 0xF0000441
ALL = READ | WRITE | META
TWO, THREE, MINUS = b"\0\x02", b"\0\x03", b"\1\x02"


def damaged(app: App) -> int:
    """A handle on an object that is no object any more."""
    handle = app.stored()
    app.store.result = R.CORRUPT_OBJECT
    return handle


def _many(function: Function, count: int, *words: object) -> Run:
    def run(app: App) -> None:
        for _ in range(count):
            app.ask(function, *words)
        app.ask(function, *words)

    return run


def _open_many(app: App) -> None:
    app.ask(F.CLOSE_OBJECT, app.stored())
    for _ in range(MAX_HANDLES):
        app.ask(F.OPEN_PERSISTENT_OBJECT, PRIVATE, b"id", 0x31)
    app.ask(F.OPEN_PERSISTENT_OBJECT, PRIVATE, b"id", 0x31)


def _create_many(app: App) -> None:
    for number in range(MAX_HANDLES):
        app.stored(b"%d" % number)
    with pytest.raises(Refused):
        app.stored(b"one more")
    for row in app.device.store.namespace(TA).headers():
        assert row.object_id != b"\0one more", "nothing is stored of what is refused"
    app.stored(b"one more")


def _far(app: App) -> int:
    handle = app.stored()
    app.ask(F.SEEK_OBJECT_DATA, handle, MAX_POSITION, 0)
    return handle


def enumerator(app: App) -> int:
    return int(app.one(F.ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR))


def started(app: App) -> int:
    app.stored()
    number = enumerator(app)
    app.ask(F.START_PERSISTENT_OBJECT_ENUMERATOR, number, PRIVATE)
    return number


def properties(app: App, *, started: bool = True) -> int:
    number = int(app.one(F.ALLOCATE_PROPERTY_ENUMERATOR))
    if started:
        app.ask(F.START_PROPERTY_ENUMERATOR, number, 0xFFFFFFFE)
    return number


def _old_time(app: App) -> App:
    app.ask(F.SET_TA_PERSISTENT_TIME, 5, 0)
    app.clock.set_wall_ms(1)
    return app


def _last_time(app: App) -> App:
    app.ask(F.SET_TA_PERSISTENT_TIME, 0xFFFFFFFF, 0)
    app.clock.advance(5000)
    return app


def key_of(app: App, kind: int, bits: int) -> int:
    return int(app.one(F.ALLOCATE_TRANSIENT_OBJECT, kind, bits))


def _get(function: Function) -> dict[TeeResult, Run]:
    """Refusals of what gets a property as a type."""
    return {
        R.ITEM_NOT_FOUND: lambda app: app.ask(function, 0xFFFFFFFF, b"no such"),
        R.BAD_FORMAT: lambda app: app.ask(function, 0xFFFFFFFF, b"gpd.ta.version"),
    }


ID = (PRIVATE, b"id")
REFUSALS: dict[Function, dict[TeeResult, Run]] = {
    F.GET_PROPERTY_AS_STRING: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.GET_PROPERTY_AS_STRING, 0xFFFFFFFF, b"no such", 9),
        R.SHORT_BUFFER: lambda app: app.ask(F.GET_PROPERTY_AS_STRING, 0xFFFFFFFF, b"own.u32", 2),
    },
    F.GET_PROPERTY_AS_BOOL: _get(F.GET_PROPERTY_AS_BOOL),
    F.GET_PROPERTY_AS_U32: _get(F.GET_PROPERTY_AS_U32),
    F.GET_PROPERTY_AS_U64: _get(F.GET_PROPERTY_AS_U64),
    F.GET_PROPERTY_AS_UUID: _get(F.GET_PROPERTY_AS_UUID),
    F.GET_PROPERTY_AS_IDENTITY: _get(F.GET_PROPERTY_AS_IDENTITY),
    F.GET_PROPERTY_AS_BINARY_BLOCK: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.GET_PROPERTY_AS_BINARY_BLOCK, 0xFFFFFFFF, b"no such", 9),
        R.BAD_FORMAT: lambda app: app.ask(F.GET_PROPERTY_AS_BINARY_BLOCK, 0xFFFFFFFF, b"own.u32", 9),
        R.SHORT_BUFFER: lambda app: app.ask(F.GET_PROPERTY_AS_BINARY_BLOCK, 0xFFFFFFFF, b"own.block", None),
    },
    F.ALLOCATE_PROPERTY_ENUMERATOR: {R.OUT_OF_MEMORY: _many(F.ALLOCATE_PROPERTY_ENUMERATOR, MAX_ENUMERATORS)},
    F.GET_PROPERTY_NAME: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.GET_PROPERTY_NAME, properties(app, started=False), 9),
        R.SHORT_BUFFER: lambda app: app.ask(F.GET_PROPERTY_NAME, properties(app), 9),
    },
    F.GET_NEXT_PROPERTY: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.GET_NEXT_PROPERTY, properties(app, started=False)),
    },
    F.GET_OBJECT_INFO1: {R.CORRUPT_OBJECT: lambda app: app.ask(F.GET_OBJECT_INFO1, damaged(app))},
    F.RESTRICT_OBJECT_USAGE1: {R.CORRUPT_OBJECT: lambda app: app.ask(F.RESTRICT_OBJECT_USAGE1, damaged(app), 0)},
    F.GET_OBJECT_BUFFER_ATTRIBUTE: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.GET_OBJECT_BUFFER_ATTRIBUTE, app.aes(), MODULUS, 99),
        R.SHORT_BUFFER: lambda app: app.ask(F.GET_OBJECT_BUFFER_ATTRIBUTE, app.aes(), SECRET, 15),
    },
    F.GET_OBJECT_VALUE_ATTRIBUTE: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.GET_OBJECT_VALUE_ATTRIBUTE, app.aes(), CURVE),
    },
    F.ALLOCATE_TRANSIENT_OBJECT: {
        R.NOT_SUPPORTED: lambda app: app.ask(F.ALLOCATE_TRANSIENT_OBJECT, 0xA0000045, 256),
        R.OUT_OF_MEMORY: _many(F.ALLOCATE_TRANSIENT_OBJECT, MAX_TRANSIENT_OBJECTS, AES, 128),
    },
    F.POPULATE_TRANSIENT_OBJECT: {
        R.BAD_PARAMETERS: lambda app: app.ask(F.POPULATE_TRANSIENT_OBJECT, app.aes(None), [[SECRET, bytes(15)]]),
    },
    F.GENERATE_KEY: {
        R.BAD_PARAMETERS: lambda app: app.ask(
            F.GENERATE_KEY, key_of(app, 0xA1000041, 256), 256, [[CURVE, 0x999, 0]]
        ),
    },
    F.OPEN_PERSISTENT_OBJECT: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.OPEN_PERSISTENT_OBJECT, *ID, READ),
        R.ACCESS_CONFLICT: lambda app: (app.stored(), app.ask(F.OPEN_PERSISTENT_OBJECT, *ID, READ)),
        R.OUT_OF_MEMORY: _open_many,
    },
    F.CREATE_PERSISTENT_OBJECT: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.CREATE_PERSISTENT_OBJECT, 2, b"id", ALL, 0, b"", 0),
        R.ACCESS_CONFLICT: lambda app: (app.stored(), app.stored(flags=ALL | OVERWRITE)),
        R.OUT_OF_MEMORY: _create_many,
        R.STORAGE_NO_SPACE: lambda app: app.ask(
            F.CREATE_PERSISTENT_OBJECT, *ID, ALL, 0, None, MAX_DATA_BYTES + 1
        ),
    },
    F.RENAME_PERSISTENT_OBJECT: {
        R.ACCESS_CONFLICT: lambda app: (app.stored(b"b"), app.ask(F.RENAME_PERSISTENT_OBJECT, app.stored(), b"b")),
    },
    F.ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR: {
        R.OUT_OF_MEMORY: _many(F.ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR, MAX_ENUMERATORS),
    },
    F.START_PERSISTENT_OBJECT_ENUMERATOR: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.START_PERSISTENT_OBJECT_ENUMERATOR, enumerator(app), PRIVATE),
    },
    F.GET_NEXT_PERSISTENT_OBJECT: {
        R.ITEM_NOT_FOUND: lambda app: app.ask(F.GET_NEXT_PERSISTENT_OBJECT, enumerator(app)),
    },
    F.WRITE_OBJECT_DATA: {
        R.OVERFLOW: lambda app: app.ask(F.WRITE_OBJECT_DATA, _far(app), b"x", 1),
        R.STORAGE_NO_SPACE: lambda app: app.ask(F.WRITE_OBJECT_DATA, app.stored(), b"", MAX_DATA_BYTES + 1),
    },
    F.TRUNCATE_OBJECT_DATA: {
        R.STORAGE_NO_SPACE: lambda app: app.ask(F.TRUNCATE_OBJECT_DATA, app.stored(), MAX_DATA_BYTES + 1),
    },
    F.SEEK_OBJECT_DATA: {R.OVERFLOW: lambda app: app.ask(F.SEEK_OBJECT_DATA, app.stored(), MAX_POSITION + 1, 0)},
    F.GET_TA_PERSISTENT_TIME: {
        R.TIME_NOT_SET: lambda app: app.ask(F.GET_TA_PERSISTENT_TIME),
        R.TIME_NEEDS_RESET: lambda app: _old_time(app).ask(F.GET_TA_PERSISTENT_TIME),
        R.OVERFLOW: lambda app: _last_time(app).ask(F.GET_TA_PERSISTENT_TIME),
    },
}  # fmt: skip
"""How each result comes about. Those of the store itself are in IN_THE_STORE."""

IN_THE_STORE: dict[Function, Run] = {
    F.GET_OBJECT_INFO1: lambda app: app.ask(F.GET_OBJECT_INFO1, 1),
    F.RESTRICT_OBJECT_USAGE1: lambda app: app.ask(F.RESTRICT_OBJECT_USAGE1, 1, 0),
    F.GET_OBJECT_BUFFER_ATTRIBUTE: lambda app: app.ask(F.GET_OBJECT_BUFFER_ATTRIBUTE, 1, SECRET, 99),
    F.GET_OBJECT_VALUE_ATTRIBUTE: lambda app: app.ask(F.GET_OBJECT_VALUE_ATTRIBUTE, 1, CURVE),
    F.COPY_OBJECT_ATTRIBUTES1: lambda app: app.ask(F.COPY_OBJECT_ATTRIBUTES1, app.aes(None), 1),
    F.OPEN_PERSISTENT_OBJECT: lambda app: app.ask(F.OPEN_PERSISTENT_OBJECT, PRIVATE, b"other", ALL),
    F.CREATE_PERSISTENT_OBJECT: lambda app: app.stored(b"other", ALL | OVERWRITE),
    F.CLOSE_AND_DELETE_PERSISTENT_OBJECT1: lambda app: app.ask(F.CLOSE_AND_DELETE_PERSISTENT_OBJECT1, 1),
    F.RENAME_PERSISTENT_OBJECT: lambda app: app.ask(F.RENAME_PERSISTENT_OBJECT, 1, b"other"),
    F.START_PERSISTENT_OBJECT_ENUMERATOR: lambda app: app.ask(
        F.START_PERSISTENT_OBJECT_ENUMERATOR, enumerator(app), PRIVATE
    ),
    F.READ_OBJECT_DATA: lambda app: app.ask(F.READ_OBJECT_DATA, 1, 4),
    F.WRITE_OBJECT_DATA: lambda app: app.ask(F.WRITE_OBJECT_DATA, 1, b"x", 1),
    F.TRUNCATE_OBJECT_DATA: lambda app: app.ask(F.TRUNCATE_OBJECT_DATA, 1, 1),
    F.SEEK_OBJECT_DATA: lambda app: app.ask(F.SEEK_OBJECT_DATA, 1, 0, 2),
    F.SET_TA_PERSISTENT_TIME: lambda app: app.ask(F.SET_TA_PERSISTENT_TIME, 1, 1),
    F.GET_TA_PERSISTENT_TIME: lambda app: app.ask(F.GET_TA_PERSISTENT_TIME),
}
"""Functions that ask the store: what it answers is returned if the row has it, and else a panic. Handle 1 is open."""
MADE_HERE = {
    **{
        (function, unwritable): R.STORAGE_NOT_AVAILABLE
        for function in IN_THE_STORE
        for unwritable in (R.STORAGE_READ_ONLY, R.STORAGE_COUNTER_SPENT)
        if function.may_return(R.STORAGE_NOT_AVAILABLE)
    },
    (F.GET_TA_PERSISTENT_TIME, R.CORRUPT_OBJECT): R.TIME_NEEDS_RESET,
    (F.RENAME_PERSISTENT_OBJECT, R.CORRUPT_OBJECT): R.ACCESS_CONFLICT,  # something is there under the new id
}
"""What the function makes of a result of the store that its row does not have, or means something else."""
