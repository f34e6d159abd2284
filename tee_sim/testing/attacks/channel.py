"""Attacks by what is sent: bytes, parameters, sizes and whole frames."""

from collections.abc import Iterator
from random import Random
from typing import cast

from tee_sim.shared.codec import decode, encode
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.params import Param, Params, ParamType
from tee_sim.shared.schema import Record
from tee_sim.shared.wire import HEAD_BYTES, Invoke, NoFrameError, pack
from tee_sim.testing.attacks.attack import GP, Attack, commands, converse, dies, started
from tee_sim.testing.attacks.messages import Requests, changed, garbage, parameters
from tee_sim.testing.attacks.shapes import extremes, found_by_trying, renewed
from tee_sim.testing.attacks.world import AttackedWorld, request_params


def malformed(world: AttackedWorld) -> str | None:
    """Send what is no request to every command number."""
    rng = Random(1)  # noqa: S311 - the same messages each time
    return dies(world, lambda _: (request_params(m) for m in garbage(rng)), "a malformed message")


def well_formed(world: AttackedWorld) -> str | None:
    """Send what fits the declared type of each command, and its extremes."""
    requests = Requests(Random(2))  # noqa: S311

    def tries(kind: type[Record] | None) -> Iterator[Params]:
        return (request_params(m) for m in requests.fitting(kind))

    found = dies(world, tries, "a well-formed message") or _native_extremes(world)
    if found is None:
        converse(world)
        found = f"a conversation ends an application ({world.panics[0]})" if world.panics else None
    return found


def _native_extremes(world: AttackedWorld) -> str | None:
    """What a native application was found to take, with everything about it changed."""
    for manifest in world.manifests:
        given: dict[int, bytes] = {}
        for known, taken in found_by_trying(world, manifest):
            story = known, renewed(taken, given)
            for number, params in (story, *extremes(story)):
                before = len(world.panics)
                answer = world.invoke(manifest.ta_uuid, number, params)
                given |= {len(param.buffer): param.buffer for param in answer.params if param.buffer}
                if len(world.panics) > before:
                    return f"command {number} of {manifest.name} dies of what it takes ({world.panics[before]})"
    return None


def wrong_parameters(world: AttackedWorld) -> str | None:
    """Send parameters of the wrong kinds to every command number."""
    return dies(world, lambda _: parameters(), "parameters of another kind")


def over_long(world: AttackedWorld) -> str | None:
    """Send as many bytes as fit, and leave no room for the answer, or all there is."""
    large = b"\0" * (MAX_PARAM_BYTES // 2)
    tries = (
        request_params(large),
        request_params(large, 0),
        request_params(b"", 0),
        request_params(b"", MAX_PARAM_BYTES),
        request_params(b"\xff" * MAX_PARAM_BYTES, 1),
        request_params(encode([large[:65_536]]), 1),
    )
    return dies(world, lambda _: iter(tries), "an over-long message")


def short_room(world: AttackedWorld) -> str | None:
    """Leave no room for the answer, and see whether the command was carried out all the same."""
    requests = Requests(Random(3))  # noqa: S311
    for manifest in started(world):
        for number, kind in list(commands(world, manifest)):
            for message in requests.fitting(kind):
                before = world.disk.writes
                answer = world.raw(manifest.ta_uuid, number, message, 0)
                if answer.result == TeeResult.SHORT_BUFFER and world.disk.writes > before:
                    return f"command {number} of {manifest.name} stores, then says that there is no room for its answer"
        for number, params in found_by_trying(world, manifest):
            before = world.disk.writes
            no_room = tuple(Param.output(0) if p.kind is ParamType.MEMREF_OUTPUT else p for p in params)
            answer = world.invoke(manifest.ta_uuid, number, cast("Params", no_room))
            if answer.result == TeeResult.SHORT_BUFFER and world.disk.writes > before:
                return f"command {number} of {manifest.name} stores, then says that there is no room for its answer"
    return None


def _replaced(value: object, old: bytes, new: bytes) -> object:
    """The same nested lists with other bytes in one place."""
    if isinstance(value, list):
        return [_replaced(item, old, new) for item in value]
    return new if value == old and isinstance(value, bytes) else value


def frames(world: AttackedWorld) -> str | None:
    """Change single bytes of the frames that carry requests, and put more bytes into one than a parameter may have."""
    rng = Random(4)  # noqa: S311
    requests = Requests(rng)
    for manifest in started(world):
        for number, kind in [*commands(world, manifest)][: len(world.declared(manifest)) or 8]:
            message = next(iter(requests.fitting(kind)))
            session = world.session(manifest.ta_uuid)
            frame = pack(Invoke(session=session, command=number, params=request_params(message)))
            over = encode(_replaced(decode(frame[HEAD_BYTES:]), message, bytes(MAX_PARAM_BYTES + 1)))
            for body in (over, *changed(frame[HEAD_BYTES:], rng)):
                before = len(world.panics)
                try:
                    world.deliver(body)
                except NoFrameError:
                    world.restart()
                    continue
                if len(world.panics) > before:
                    return f"command {number} of {manifest.name} dies of a changed frame ({world.panics[before]})"
                world.session(manifest.ta_uuid)
    return None


_TABLE = (
    ("any.malformed", "end any application with messages that are no request", malformed),
    ("any.well-formed", "end any application with extreme requests of the right type", well_formed),
    ("any.wrong-parameters", "end any application with parameters of the wrong kind", wrong_parameters),
    ("any.over-long", "end any application with as many bytes as fit", over_long),
    ("any.short-room", "have a command carried out whose answer has no room", short_room),
    ("any.frames", "end any application with a changed frame", frames),
)
ATTACKS = tuple(Attack(name, title, GP, play) for name, title, play in _TABLE)
