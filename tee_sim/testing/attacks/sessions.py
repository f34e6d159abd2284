"""Attacks by sessions: parameters that nobody declared, too many of them, and what is left of a closed one."""

from tee_sim.shared.errors import TeeResult
from tee_sim.shared.limits import MAX_SESSIONS
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.wire import Invoke
from tee_sim.testing.attacks.attack import GP, Attack, commands, started
from tee_sim.testing.attacks.messages import parameters
from tee_sim.testing.attacks.world import AttackedWorld, request_params


def session_parameters(world: AttackedWorld) -> str | None:
    """Open sessions with parameters that nobody declared."""
    for manifest in started(world):
        for params in parameters():
            before = len(world.panics)
            answer = world.open(manifest.ta_uuid, params)
            if len(world.panics) > before:
                return f"{manifest.name} dies when a session is opened with parameters ({world.panics[before]})"
            if answer.result == TeeResult.SUCCESS:
                world.close(answer.session)
    return None


def _opened(world: AttackedWorld, manifest: Manifest) -> list[int]:
    """As many sessions as there are. An application may refuse, but not die."""
    numbers = []
    for _ in range(MAX_SESSIONS):
        answer = world.open(manifest.ta_uuid)
        if answer.result != TeeResult.SUCCESS:
            break
        numbers.append(answer.session)
    return numbers


def many_sessions(world: AttackedWorld) -> str | None:
    """Open sessions until they are refused, close them all, and see whether the next one is taken."""
    for manifest in started(world):
        world.close(world.session(manifest.ta_uuid))
        for _ in range(3):
            numbers = _opened(world, manifest)
            for number in (*numbers[1::2], *numbers[0::2]):
                world.close(number)
            if world.panics:
                return f"{manifest.name} dies of {len(numbers)} sessions ({world.panics[0]})"
            if not numbers:
                return f"{manifest.name} takes no session any more after many were opened and closed"
    return None


def closed_session(world: AttackedWorld) -> str | None:
    """Close one of two sessions, and use both."""
    for manifest in started(world):
        kept = world.session(manifest.ta_uuid)
        for number, _ in list(commands(world, manifest))[:16]:
            other = world.open(manifest.ta_uuid)
            if other.result != TeeResult.SUCCESS:  # it takes one at a time
                break
            world.close(other.session)
            params = request_params(b"")
            closed = world.exchange(Invoke(session=other.session, command=number, params=params))
            if closed.result == TeeResult.SUCCESS:
                return f"{manifest.name} answers in a session that is closed"
            world.exchange(Invoke(session=kept, command=number, params=params))
            if world.panics:
                return f"{manifest.name} dies in one session when another is closed ({world.panics[0]})"
    return None


_TABLE = (
    ("any.session-parameters", "end any application with parameters of a session", session_parameters),
    ("any.many-sessions", "keep others out with sessions that are opened and closed", many_sessions),
    ("any.closed-session", "end the session of others by closing an own one", closed_session),
)
ATTACKS = tuple(Attack(name, title, GP, play) for name, title, play in _TABLE)
