"""Times (section 7). The system time is that of the boot; the persistent one is kept against the wall clock."""

import struct
from typing import Final

from tee_sim.gp_api.instance import Instance
from tee_sim.gp_api.words import Handler, RefusalError, u32
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function

TIME_NAME: Final = b"\x02time"
"""In the application's store; no name of a GlobalPlatform object begins so (`tee_sim.gp_objects.names`)."""
TIME_KIND: Final = "gp-time"
_STORED = struct.Struct(">QQ")  # what was set, in milliseconds; the wall clock then
_SECONDS = 1 << 32


def _words(ms: int) -> list[object]:
    """TEE_Time: seconds, of which 32 bits are kept, and milliseconds."""
    return [ms // 1000 % _SECONDS, ms % 1000]


def handlers(instance: Instance) -> dict[Function, Handler]:
    """Of this section. TEE_Wait is a question of its own."""
    clock, store = instance.env.clock, instance.env.store

    def system_time() -> list[object]:
        return _words(clock.boot_ms())

    def wall_time() -> list[object]:
        return _words(clock.wall_ms())

    def persistent_time() -> list[object]:
        try:
            stored = store.find(TIME_NAME)
        except TeeError as error:
            if error.result is not TeeResult.CORRUPT_OBJECT:
                raise
            raise RefusalError(TeeResult.TIME_NEEDS_RESET, *_words(0)) from None
        if stored is None:
            raise TeeError(TeeResult.TIME_NOT_SET, "no persistent time is set")
        was_set_ms, at_ms = _STORED.unpack(stored.body)
        now_ms = clock.wall_ms()
        if now_ms < at_ms:  # the normal world's clock, on which the time rests, was set back
            raise RefusalError(TeeResult.TIME_NEEDS_RESET, *_words(was_set_ms))
        ms = was_set_ms + now_ms - at_ms
        if ms // 1000 >= _SECONDS:
            raise RefusalError(TeeResult.OVERFLOW, *_words(ms))
        return _words(ms)

    def set_persistent_time(seconds: int, millis: int) -> list[object]:
        if millis >= 1000:
            raise TeeError(TeeResult.BAD_PARAMETERS, "a thousand milliseconds are a second")
        with store.transaction() as transaction:
            transaction.put(TIME_NAME, _STORED.pack(seconds * 1000 + millis, clock.wall_ms()), kind=TIME_KIND)
        return []

    return {
        Function.GET_SYSTEM_TIME: Handler(system_time),
        Function.GET_REE_TIME: Handler(wall_time),
        Function.GET_TA_PERSISTENT_TIME: Handler(persistent_time),
        Function.SET_TA_PERSISTENT_TIME: Handler(set_persistent_time, (u32, u32)),
    }
