"""What an application does wrong with each function that the core works on."""

from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tests.native.api.native import OVERWRITE, PRIVATE, READ, WRITE, App
from tests.native.api.refusals import (
    AES,
    ALL,
    CURVE,
    ID,
    MINUS,
    MODULUS,
    RSA_PAIR,
    SECRET,
    THREE,
    TWO,
    F,
    R,
    Run,
    key_of,
    properties,
    started,
)  # fmt: skip


def next_fails(result: TeeResult) -> Run:
    def run(app: App) -> None:
        number = started(app)
        app.store.result = result
        app.ask(F.GET_NEXT_PERSISTENT_OBJECT, number)

    return run


def _number(function: Function, *numbers: bytes) -> list[Run]:
    return [lambda app: app.ask(function, *numbers)]


def _bad(function: Function, *rest: object) -> list[Run]:
    """Of a handle that is none."""
    return [lambda app: app.ask(function, 77, *rest)]


def restricted(app: App) -> int:
    handle = app.aes()
    app.ask(F.RESTRICT_OBJECT_USAGE1, handle, 0xFFFFFFFE)
    return handle


PANICS: dict[Function, list[Run]] = {
    **{
        get: [
            lambda app, get=get: app.ask(get, 0xFFFFFFFC, b"gpd.ta.appID"),  # no set
            lambda app, get=get: app.ask(get, 77, None),  # no enumerator
        ]
        for get in (
            F.GET_PROPERTY_AS_BOOL, F.GET_PROPERTY_AS_U32, F.GET_PROPERTY_AS_U64, F.GET_PROPERTY_AS_UUID,
            F.GET_PROPERTY_AS_IDENTITY,
        )
    },
    F.GET_PROPERTY_AS_STRING: _bad(F.GET_PROPERTY_AS_STRING, None, 9),
    F.GET_PROPERTY_AS_BINARY_BLOCK: _bad(F.GET_PROPERTY_AS_BINARY_BLOCK, None, 9),
    F.FREE_PROPERTY_ENUMERATOR: _bad(F.FREE_PROPERTY_ENUMERATOR),
    F.START_PROPERTY_ENUMERATOR: [
        lambda app: app.ask(F.START_PROPERTY_ENUMERATOR, 77, 0xFFFFFFFE),
        lambda app: app.ask(F.START_PROPERTY_ENUMERATOR, properties(app), 1),
    ],
    F.RESET_PROPERTY_ENUMERATOR: _bad(F.RESET_PROPERTY_ENUMERATOR),
    F.GET_PROPERTY_NAME: _bad(F.GET_PROPERTY_NAME, 9),
    F.GET_NEXT_PROPERTY: _bad(F.GET_NEXT_PROPERTY),
    F.GET_OBJECT_INFO1: _bad(F.GET_OBJECT_INFO1),
    F.GET_OBJECT_INFO: _bad(F.GET_OBJECT_INFO),
    F.RESTRICT_OBJECT_USAGE1: _bad(F.RESTRICT_OBJECT_USAGE1, 0),
    F.RESTRICT_OBJECT_USAGE: _bad(F.RESTRICT_OBJECT_USAGE, 0),
    F.GET_OBJECT_BUFFER_ATTRIBUTE: [
        *_bad(F.GET_OBJECT_BUFFER_ATTRIBUTE, SECRET, 99),
        lambda app: app.ask(F.GET_OBJECT_BUFFER_ATTRIBUTE, app.aes(None), SECRET, 99),
        lambda app: app.ask(F.GET_OBJECT_BUFFER_ATTRIBUTE, app.aes(), CURVE, 99),
        lambda app: app.ask(F.GET_OBJECT_BUFFER_ATTRIBUTE, restricted(app), SECRET, 99),
    ],
    F.GET_OBJECT_VALUE_ATTRIBUTE: [
        *_bad(F.GET_OBJECT_VALUE_ATTRIBUTE, CURVE),
        lambda app: app.ask(F.GET_OBJECT_VALUE_ATTRIBUTE, app.aes(None), CURVE),
        lambda app: app.ask(F.GET_OBJECT_VALUE_ATTRIBUTE, app.aes(), SECRET),
    ],
    F.CLOSE_OBJECT: _bad(F.CLOSE_OBJECT),
    F.FREE_TRANSIENT_OBJECT: [
        *_bad(F.FREE_TRANSIENT_OBJECT), lambda app: app.ask(F.FREE_TRANSIENT_OBJECT, app.stored()),
    ],
    F.RESET_TRANSIENT_OBJECT: [
        *_bad(F.RESET_TRANSIENT_OBJECT), lambda app: app.ask(F.RESET_TRANSIENT_OBJECT, app.stored()),
    ],
    F.POPULATE_TRANSIENT_OBJECT: [
        *_bad(F.POPULATE_TRANSIENT_OBJECT, [[SECRET, bytes(16)]]),
        lambda app: app.ask(F.POPULATE_TRANSIENT_OBJECT, app.aes(), [[SECRET, bytes(16)]]),
        lambda app: app.ask(F.POPULATE_TRANSIENT_OBJECT, app.aes(None), []),
        lambda app: app.ask(F.POPULATE_TRANSIENT_OBJECT, app.aes(None), [[SECRET, bytes(16)], [SECRET, bytes(16)]]),
        lambda app: app.ask(F.POPULATE_TRANSIENT_OBJECT, app.aes(None), [[0xC0FFEE, bytes(16)]]),
        lambda app: app.ask(F.POPULATE_TRANSIENT_OBJECT, app.aes(None), [[SECRET, 1, 2]]),
        lambda app: app.ask(F.POPULATE_TRANSIENT_OBJECT, app.aes(None), [[SECRET, bytes(600)]]),
        lambda app: app.ask(F.POPULATE_TRANSIENT_OBJECT, app.aes(None), [[CURVE, b"x"]]),
    ],
    F.COPY_OBJECT_ATTRIBUTES1: [
        *_bad(F.COPY_OBJECT_ATTRIBUTES1, 1),
        lambda app: app.ask(F.COPY_OBJECT_ATTRIBUTES1, app.aes(), app.aes()),
        lambda app: app.ask(F.COPY_OBJECT_ATTRIBUTES1, app.aes(None), app.aes(None)),
        lambda app: app.ask(F.COPY_OBJECT_ATTRIBUTES1, key_of(app, RSA_PAIR, 1024), app.aes()),
        lambda app: app.ask(F.COPY_OBJECT_ATTRIBUTES1, key_of(app, AES, 128), app.aes(bytes(32))),
        lambda app: app.ask(F.COPY_OBJECT_ATTRIBUTES1, app.aes(None), app.stored()),
    ],
    F.COPY_OBJECT_ATTRIBUTES: _bad(F.COPY_OBJECT_ATTRIBUTES, 1),
    F.GENERATE_KEY: [
        *_bad(F.GENERATE_KEY, 128, []),
        lambda app: app.ask(F.GENERATE_KEY, app.aes(), 128, []),
        lambda app: app.ask(F.GENERATE_KEY, app.aes(None), 129, []),
        lambda app: app.ask(F.GENERATE_KEY, key_of(app, AES, 128), 256, []),
        lambda app: app.ask(F.GENERATE_KEY, key_of(app, 0xA0000030, 1024), 1024, []),
        lambda app: app.ask(F.GENERATE_KEY, app.aes(None), 128, [[MODULUS, b"\1"]]),
        lambda app: app.ask(F.GENERATE_KEY, key_of(app, 0xA1000041, 256), 256, []),
    ],
    F.OPEN_PERSISTENT_OBJECT: [
        lambda app: app.ask(F.OPEN_PERSISTENT_OBJECT, PRIVATE, bytes(65), READ),
        lambda app: (app.stored(), app.ask(F.OPEN_PERSISTENT_OBJECT, *ID, 0x80)),
        lambda app: (app.stored(), app.ask(F.OPEN_PERSISTENT_OBJECT, *ID, READ | OVERWRITE)),
    ],
    F.CREATE_PERSISTENT_OBJECT: [
        lambda app: app.stored(bytes(65)),
        lambda app: app.stored(flags=0x1000),
        lambda app: app.ask(F.CREATE_PERSISTENT_OBJECT, *ID, ALL, 77, b"", 0),
        lambda app: app.ask(F.CREATE_PERSISTENT_OBJECT, *ID, ALL, app.aes(None), b"", 0),
    ],
    F.CLOSE_AND_DELETE_PERSISTENT_OBJECT1: [
        *_bad(F.CLOSE_AND_DELETE_PERSISTENT_OBJECT1),
        lambda app: app.ask(F.CLOSE_AND_DELETE_PERSISTENT_OBJECT1, app.stored(flags=READ)),
        lambda app: app.ask(F.CLOSE_AND_DELETE_PERSISTENT_OBJECT1, app.aes()),
    ],
    F.CLOSE_AND_DELETE_PERSISTENT_OBJECT: _bad(F.CLOSE_AND_DELETE_PERSISTENT_OBJECT),
    F.RENAME_PERSISTENT_OBJECT: [
        *_bad(F.RENAME_PERSISTENT_OBJECT, b"new"),
        lambda app: app.ask(F.RENAME_PERSISTENT_OBJECT, app.stored(flags=READ | WRITE), b"new"),
        lambda app: app.ask(F.RENAME_PERSISTENT_OBJECT, app.stored(), bytes(65)),
    ],
    F.FREE_PERSISTENT_OBJECT_ENUMERATOR: _bad(F.FREE_PERSISTENT_OBJECT_ENUMERATOR),
    F.RESET_PERSISTENT_OBJECT_ENUMERATOR: _bad(F.RESET_PERSISTENT_OBJECT_ENUMERATOR),
    F.START_PERSISTENT_OBJECT_ENUMERATOR: _bad(F.START_PERSISTENT_OBJECT_ENUMERATOR, PRIVATE),
    F.GET_NEXT_PERSISTENT_OBJECT: [*_bad(F.GET_NEXT_PERSISTENT_OBJECT), next_fails(R.SECURITY)],
    F.READ_OBJECT_DATA: [
        *_bad(F.READ_OBJECT_DATA, 1),
        lambda app: app.ask(F.READ_OBJECT_DATA, app.stored(flags=WRITE), 1),
        lambda app: app.ask(F.READ_OBJECT_DATA, app.aes(), 1),
    ],
    F.WRITE_OBJECT_DATA: [
        *_bad(F.WRITE_OBJECT_DATA, b"x", 1), lambda app: app.ask(F.WRITE_OBJECT_DATA, app.stored(flags=READ), b"x", 1),
    ],
    F.TRUNCATE_OBJECT_DATA: [
        *_bad(F.TRUNCATE_OBJECT_DATA, 1), lambda app: app.ask(F.TRUNCATE_OBJECT_DATA, app.stored(flags=READ), 1),
    ],
    F.SEEK_OBJECT_DATA: [
        *_bad(F.SEEK_OBJECT_DATA, 0, 0), lambda app: app.ask(F.SEEK_OBJECT_DATA, app.stored(), 0, 3),
    ],
    F.SET_TA_PERSISTENT_TIME: [lambda app: app.ask(F.SET_TA_PERSISTENT_TIME, 1, 1000)],
    F.BIG_INT_DIV: _number(F.BIG_INT_DIV, TWO, b"\0"),
    F.BIG_INT_MOD: [*_number(F.BIG_INT_MOD, TWO, b"\0\x01"), *_number(F.BIG_INT_MOD, TWO, MINUS)],
    F.BIG_INT_ADD_MOD: _number(F.BIG_INT_ADD_MOD, TWO, TWO, b"\0\x01"),
    F.BIG_INT_SUB_MOD: _number(F.BIG_INT_SUB_MOD, TWO, TWO, b"\0"),
    F.BIG_INT_MUL_MOD: _number(F.BIG_INT_MUL_MOD, TWO, TWO, MINUS),
    F.BIG_INT_SQUARE_MOD: _number(F.BIG_INT_SQUARE_MOD, TWO, b"\0\x01"),
    F.BIG_INT_INV_MOD: [*_number(F.BIG_INT_INV_MOD, TWO, b"\0\x04"), *_number(F.BIG_INT_INV_MOD, THREE, b"\0\x01")],
    F.BIG_INT_EXP_MOD: [
        *_number(F.BIG_INT_EXP_MOD, TWO, MINUS, THREE), *_number(F.BIG_INT_EXP_MOD, TWO, TWO, b"\0\x01"),
    ],
    F.BIG_INT_CONVERT_TO_FMM: _number(F.BIG_INT_CONVERT_TO_FMM, TWO, b"\0\x01"),
    F.BIG_INT_CONVERT_FROM_FMM: _number(F.BIG_INT_CONVERT_FROM_FMM, TWO, b"\0\x01"),
    F.BIG_INT_COMPUTE_FMM: _number(F.BIG_INT_COMPUTE_FMM, TWO, TWO, b"\0\x01"),
}  # fmt: skip
"""What an application does wrong; those of IN_THE_STORE come on top."""

NOTHING_TO_GET_WRONG = frozenset(
    {
        F.ALLOCATE_PROPERTY_ENUMERATOR, F.ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR, F.ALLOCATE_TRANSIENT_OBJECT,
        F.GET_SYSTEM_TIME, F.GET_REE_TIME, F.GET_TA_PERSISTENT_TIME,
        F.BIG_INT_SHIFT_RIGHT, F.BIG_INT_ADD, F.BIG_INT_SUB, F.BIG_INT_MUL, F.BIG_INT_SQUARE,
        F.BIG_INT_RELATIVE_PRIME, F.BIG_INT_COMPUTE_EXTENDED_GCD, F.BIG_INT_IS_PROBABLE_PRIME,
    }
)  # fmt: skip
"""In the core: every pointer, and whether a result fits, is judged in the process of the application."""
