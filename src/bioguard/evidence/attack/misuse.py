"""Attacks by callers who get it wrong on purpose: messages that end others, dropped refusals, names that mislead.

What is gained is somebody else's service, an answer that no one gave, or a person's trust in what a terminal shows.
"""

from collections.abc import Callable
from typing import Any, cast

from bioguard.commands import biometric
from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import pins
from bioguard.device.consent import policy_state
from bioguard.errors import BioguardError
from bioguard.evidence.attack.device_kit import DeviceKit
from bioguard.evidence.attack.kit import Attack, Stage
from bioguard.evidence.attack.world import InProcess
from bioguard.records.modality import Modality
from tee_sim.shared.codec import encode
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import NO_PARAMS, Param, Params
from tee_sim.shared.wire import Return, unpack

GP = "GlobalPlatform TEE Client API, what a caller may get wrong"
HOSTILE = "face\x1b]0;pwned\x07\u202e\u2028\x9b.npy"
LOOKALIKES = ("Alice", "a1ice", "аlice", "аӏісе", "ａｌｉｃｅ")  # noqa: RUF001  # that they are confusable is the point
_NONE = [0, 0, 0, b"", 0]
MISFITS: tuple[Any, ...] = (
    [7],
    [7, 1, 1],
    [7, -1, 1, []],
    [7, 1, 1 << 40, []],
    [7, "1", 1, []],
    [7, 1, 1, [_NONE] * 3],
    [7, 1, 1, [_NONE] * 5],
    [7, 1, 1, [[99, 0, 0, b"", 0]] * 4],
    [7, 1, 1, [[0, 1, 0, b"", 0]] * 4],
    [7, 1, 1, [[5, 0, 0, bytes(600 << 10), 0], _NONE, _NONE, _NONE]],
    [6, b"nobody", []],
    [8, None],
    [8, 1, 2],
)
"""Messages of the protocol that do not fit their types."""
_BIG = Param.memref(bytes(512 << 10))
MISTAKES: tuple[tuple[int, Params], ...] = (
    (-1, NO_PARAMS),
    (1 << 40, NO_PARAMS),
    (1, (Param.memref(bytes(600 << 10)), *NO_PARAMS[1:])),
    (1, (Param.output(1 << 20), *NO_PARAMS[1:])),
    (1, (_BIG, _BIG, *NO_PARAMS[2:])),
    (1, cast("Params", NO_PARAMS[:2])),
)
"""Commands and parameters that cannot be sent."""


def _others_go_on(kit: DeviceKit) -> bool:
    """Whether the secure world that was there still answers somebody who did nothing wrong."""
    return kit.device().running.process.alive and policy_state(kit.device()).version > 0


def misfit(kit: DeviceKit) -> str | None:
    """Send messages past the client that decode and do not fit their types."""
    kit.person("alice")
    world = cast("InProcess", kit.device().running.process)
    for message in MISFITS:
        try:
            answer = unpack(world.deliver(encode(message)))
        except TeeError:
            return f"the secure world ends for everybody with {str(message)[:40]}"
        kit.need(isinstance(answer, Return), "an answer that is none")
        if cast("Return", answer).result is TeeResult.SUCCESS:
            return f"{str(message)[:40]} is taken for a request"
    return None if _others_go_on(kit) else "nobody is answered any more"


def mistake(kit: DeviceKit) -> str | None:
    """Call with arguments that cannot be sent."""
    kit.person("alice")
    session = kit.device().running.session(biometric.BIOMETRIC_UUID)
    for command, params in MISTAKES:
        try:
            session.invoke(command, params)
        except TeeError as error:
            if error.origin is not Origin.API:
                return f"a caller's mistake is told as one of {error.origin.name}, after it was sent"
        else:
            return f"command {command} with {len(params)} parameters is accepted"
    return None if _others_go_on(kit) else "one caller's mistake ends the service of all"


def death(kit: DeviceKit) -> str | None:
    """End the secure world once, and see whether it is ended for good."""
    kit.person("alice")
    kit.device().running.process.kill()
    kit.refused(lambda: kit.match("alice", "alice"))
    again: list[bool] = []
    refusal = kit.refused(lambda: again.append(kit.match("alice", "alice")))
    return None if any(again) else f"after one death every later call is refused ({refusal and refusal.code})"


def half_removed(kit: DeviceKit) -> str | None:
    """Cut a removal between the secure world and the names, and ask about the user that only the names know."""
    device = kit.init()
    kit.person("alice", enrolled=False)
    leave = EraseAuthorization(by_operator=True)
    device.ask(biometric.REMOVE_USER, biometric.RemoveUser(user=device.user_handle("alice"), leave=leave))
    questions: dict[str, Callable[[], object]] = {
        "whether she is locked out": lambda: pins.lock_info(device, "alice", Modality.FACE),
        "her authenticator id": lambda: pins.authenticator_id(device, "alice", Modality.FACE),
        "for a challenge": lambda: pins.generate_challenge(device, "alice", Modality.FACE),
        "whether she has a PIN": lambda: pins.has_pin(device, "alice"),
        "to set her PIN": lambda: pins.set_pin(device, "alice", b"0000"),
    }
    for what, question in questions.items():
        error: BioguardError | None = kit.refused(question)
        if error is None or error.code != "user.unknown":
            return f"asked {what}, the device answers for a user whom the secure world does not know"
    return None


def control_characters(kit: DeviceKit) -> str | None:
    """Give a file and a user names that a terminal would obey."""
    kit.person("alice")
    kit.file(HOSTILE, kit.views("alice")[0]).write_bytes(b"no face")
    hostile = str(kit.folder / HOSTILE)
    for words in (
        ("authenticate", "alice", hostile),
        ("user", "add", HOSTILE),
        ("--clock", HOSTILE, "list"),
        ("token", "show", hostile),
        ("--json", "authenticate", "alice", hostile),
    ):
        told = kit.cli(*words)
        kit.need(told.code not in (0, 1), f"{words[0]} takes what is no input")
        if not told.text.replace("\n", "").isprintable():
            return f"`{words[0]}` prints what a terminal obeys"
    return None


def lookalike(kit: DeviceKit) -> str | None:
    """Become a second user whose name looks like another's."""
    kit.person("alice", enrolled=False)
    for name in LOOKALIKES:
        if kit.refused(lambda name=name: kit.device().add_user(name)) is None:  # type: ignore[misc]
            return f"{name!r} is a user next to 'alice'"
    return None


_TABLE: tuple[tuple[str, str, str, Callable[[DeviceKit], str | None]], ...] = (
    ("message.misfit", "end the secure world for others with a message that does not fit its type", GP, misfit),
    ("message.mistake", "end the secure world for others with arguments that cannot be sent", GP, mistake),
    ("message.death", "end the secure world for good by ending it once", "CWE-400", death),
    ("status.half-removed", "get answers about a user whose removal was cut", "CWE-252", half_removed),
    ("output.control-characters", "have the command line print what a terminal obeys", "CWE-150", control_characters),
    ("names.lookalike", "be taken for another user by a name that looks the same", "UTS #39", lookalike),
)
ATTACKS = tuple(Attack(*row, stage=Stage.DEVICE) for row in _TABLE)
