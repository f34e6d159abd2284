"""Attacks on any trusted application, known only by its manifest: bytes and parameters to every command number.

What they can judge is what no application may do: die of a message, give away a key, or not come back after a restart.
"""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from bioguard.evidence.attack.kit import Attack, Stage
from bioguard.evidence.attack.memory import Disk
from bioguard.evidence.attack.target import Target
from tee_sim.shared.codec import encode
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Param, Params, ParamType

HEIST = "The Biometric AuthToken Heist (DARKNAVY, 2026), path 4"
GP = "GlobalPlatform TEE Internal Core API, panics"
COMMANDS = range(256)
RANDOM_MESSAGES = 4
MOST_WRITES = 4
LENGTHS = (0, 64, 4096, 0x7FFF_FFFF, 0xFFFF_FFFF)
NONE = Param.none()


def _four(request: bytes, room_bytes: int = 65_536) -> Params:
    return (Param.memref(request), Param.output(room_bytes), NONE, NONE)


def _messages(rng: np.random.Generator) -> Iterator[bytes]:
    """Nothing, garbage, half and foreign encodings, numbers as lengths, and noise."""
    yield from (b"", b"\0", b"\xff" * 40, b"\x81" * 200, b"A" * 69, encode([]), encode({}), encode([0]) + b"\0")
    yield from (encode([bytes(16)]), encode([b"x"] * 20), encode([[[[0]]]]), encode([-1, "", None, True]))
    yield from (rng.bytes(int(rng.integers(1, 300))) for _ in range(RANDOM_MESSAGES))


def _parameters() -> Iterator[Params]:
    """Every mixture of parameter kinds in the first two slots, and full hands."""
    made = {
        ParamType.NONE: NONE,
        ParamType.VALUE_INPUT: Param.value(0, 0xFFFF_FFFF),
        ParamType.VALUE_OUTPUT: Param(kind=ParamType.VALUE_OUTPUT),
        ParamType.VALUE_INOUT: Param(kind=ParamType.VALUE_INOUT, a=0xFFFF_FFFF),
        ParamType.MEMREF_INPUT: Param.memref(b"x"),
        ParamType.MEMREF_OUTPUT: Param.output(0),
        ParamType.MEMREF_INOUT: Param(kind=ParamType.MEMREF_INOUT, buffer=b"x", size_bytes=1),
    }
    yield from ((a, b, NONE, NONE) for a, b in product(made.values(), repeat=2))
    yield from ((kind,) * 4 for kind in made.values())


def _started(target: Target) -> Iterator[Manifest]:
    """The applications, each with a session. Raises TeeError for one that does not even start: nothing can be said."""
    for manifest in target.manifests:
        target.session(manifest.ta_uuid)
        yield manifest


def _dies(target: Target, tries: Callable[[], Iterator[Params]], of_what: str) -> str | None:
    for manifest in _started(target):
        for number in COMMANDS:
            for params in tries():
                result, _ = target.invoke(manifest.ta_uuid, number, params)
                if result is TeeResult.TARGET_DEAD:
                    return f"command {number} of {manifest.name} dies of {of_what}"
    return None


def malformed(target: Target) -> str | None:
    """Send what is no request to every command number."""
    rng = np.random.default_rng(1)
    return _dies(target, lambda: (_four(m) for m in _messages(rng)), "a malformed message")


def wrong_parameters(target: Target) -> str | None:
    """Send parameters of the wrong kinds to every command number."""
    return _dies(target, _parameters, "parameters of another kind")


def over_long(target: Target) -> str | None:
    """Send as many bytes as fit, and leave no room for the answer."""
    large = b"\0" * (MAX_PARAM_BYTES // 2)
    tries = (_four(large), _four(large, 0), _four(b"", 0), _four(encode([large[:65_536]]), 1))
    return _dies(target, lambda: iter(tries), "an over-long message")


def short_room(target: Target) -> str | None:
    """Leave no room for the answer, and see whether the command was carried out all the same."""
    messages = (b"", encode([]), encode([1]), encode([bytes(16)]))
    for manifest in _started(target):
        for number, message in product(COMMANDS, messages):
            before = len(target.disk.traffic)
            result, _ = target.invoke(manifest.ta_uuid, number, _four(message, 0))
            written = [what for what, _, _ in target.disk.traffic[before:] if what != "get"]
            if result is TeeResult.SHORT_BUFFER and written:
                return f"command {number} of {manifest.name} stores, then says that there is no room for its answer"
    return None


def believed_lengths(target: Target) -> str | None:
    """Send lengths and offsets beyond every buffer, and look for keys in what comes out."""
    for manifest in _started(target):
        for number in COMMANDS:
            for length in LENGTHS:
                target.raw(manifest.ta_uuid, number, encode([0, length]))
                value = Param.value(0, length)
                target.invoke(manifest.ta_uuid, number, (value, Param.output(65_536), NONE, NONE))
                target.invoke(manifest.ta_uuid, number, (Param.memref(b"x"), Param.output(65_536), value, NONE))
        where = target.leaked_key()
        if where:
            return f"{manifest.name} leaks a key into {where}"
    return None


def session_parameters(target: Target) -> str | None:
    """Open sessions with parameters that nobody declared."""
    for manifest in _started(target):
        for params in _parameters():
            try:
                target.session(manifest.ta_uuid, fresh=True, params=params).close()
            except TeeError as error:
                if error.result is TeeResult.TARGET_DEAD:
                    return f"{manifest.name} dies when a session is opened with parameters"
    return None


def _comes_back(target: Target, manifest: Manifest) -> bool:
    target.restart()
    try:
        target.session(manifest.ta_uuid, fresh=True)
    except TeeError:
        return False
    return True


def power_cut(target: Target) -> str | None:
    """Cut the power after each write that messages bring about: the application must start again."""
    for manifest in _started(target):
        for writes in range(MOST_WRITES):
            target.disk = Disk()
            target.restart()
            target.disk.cut_after = writes
            for number in COMMANDS:
                target.raw(manifest.ta_uuid, number, b"")
                target.raw(manifest.ta_uuid, number, encode([]))
            if not _comes_back(target, manifest):
                return f"{manifest.name} does not start after a power cut"
    return None


_TABLE: tuple[tuple[str, str, str, Callable[[Target], str | None]], ...] = (
    ("any.malformed", "end any application with messages that are no request", GP, malformed),
    ("any.wrong-parameters", "end any application with parameters of the wrong kind", GP, wrong_parameters),
    ("any.over-long", "end any application with as many bytes as fit", GP, over_long),
    ("any.short-room", "have a command carried out whose answer has no room", GP, short_room),
    ("any.believed-lengths", "read keys of any application with lengths beyond a buffer", HEIST, believed_lengths),
    ("any.session-parameters", "end any application with parameters of a session", GP, session_parameters),
    ("any.power-cut", "keep any application from starting again with a power cut", GP, power_cut),
)
ATTACKS = tuple(Attack(*row, stage=Stage.ANY) for row in _TABLE)
