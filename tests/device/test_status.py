"""No refusal of the secure world is dropped: every status of every command becomes its error, for every caller.

The commands, the vocabularies and the callers are found by looking, so that a new one cannot be forgotten.
"""

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from enum import IntEnum
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import pytest

import bioguard
from bioguard import commands
from bioguard.commands import biometric, policy
from bioguard.commands.configuration import Configuration, Configured
from bioguard.commands.status import Done, GatekeeperStatus, KeystoreError, ReplyStatus, SensorStatus
from bioguard.device import Device, consent, keys, pins, rectify
from bioguard.device.calibration import RateBases
from bioguard.device.errors import promised, raise_for_status, status_of
from bioguard.device.hooks import Direct
from bioguard.device.keys import BoundKey
from bioguard.device.refusals import VOCABULARIES
from bioguard.device.world import World
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure
from bioguard.exit_codes import ExitCode
from bioguard.records.audit_events import Cause
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.serve.methods import METHODS, DeviceService
from bioguard.serve.protocol import SampleForm
from bioguard.simulate.people import face_views
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

MODULES = [import_module(f"bioguard.commands.{m.name}") for m in pkgutil.iter_modules(commands.__path__)]
COMMANDS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in sorted(vars(module).items())
    if isinstance(value, Command)
}
FACE = face_views(1, person=0, count=1)[0]


REFUSALS = (ExitCode.NO, ExitCode.INPUT_REFUSED, ExitCode.NOT_PERMITTED, ExitCode.INTEGRITY)


def status_field(reply: type[Record]) -> tuple[str, type[IntEnum]]:
    """The one field of a reply that says yes or no, and its vocabulary."""
    found = [(f.name, t) for f in fields(reply) if (t := get_type_hints(reply)[f.name]) in VOCABULARIES]  # type: ignore[arg-type]
    assert len(found) == 1, reply
    return found[0]


def answering(reply: Record) -> Device:
    """A device whose secure world always gives this reply."""
    device = Device.__new__(Device)
    device.directory = Path("/nonexistent")
    device._bases = RateBases()
    session = SimpleNamespace(call=lambda _command, _request, grid=None: reply)
    alive = SimpleNamespace(alive=True)
    running: Any = SimpleNamespace(grid=None, session=lambda _uuid: session, process=alive, hooks=Direct())
    device._world = World(device.directory, running, lambda: running)
    device._world._heard = session  # what its start did was told already
    device._configured = Configured(status=ReplyStatus.OK, configuration=Configuration())  # asked before
    return device


def test_the_commands_are_found() -> None:
    assert len(COMMANDS) >= 40
    assert {name.partition(".")[0] for name in COMMANDS} >= {"biometric", "gatekeeper", "keystore", "policy", "sensor"}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_each_refusal_of_each_command_raises(command: Command[Any, Any]) -> None:
    field, vocabulary = status_field(command.reply)
    for status in (s for s in vocabulary if s != 0):
        kind, code, _, _ = VOCABULARIES[vocabulary][status]
        with pytest.raises(kind) as caught:
            answering(command.reply(**{field: status})).ask(command, object())
        assert caught.value.code == code
        assert caught.value.hint
        assert "{" not in caught.value.hint
        assert caught.value.exit_code in REFUSALS


def test_each_status_has_one_row() -> None:
    for vocabulary, rows in VOCABULARIES.items():
        assert set(rows) == {status for status in vocabulary if status != 0}, vocabulary
        assert all(type(status) is vocabulary for status in rows)


def test_the_numbers_on_the_wire_stay() -> None:
    assert [status.value for status in ReplyStatus] == list(range(46))
    assert (ReplyStatus.TOKEN_REFUSED, ReplyStatus.RECORD_EXPIRED) == (17, 36)
    assert (ReplyStatus.OTHER_EXTRACTOR, ReplyStatus.SENSOR_ONLY, ReplyStatus.NO_SENSOR) == (39, 40, 43)
    assert (ReplyStatus.UNKNOWN_SENSOR, ReplyStatus.NO_FEATURE) == (44, 45)
    assert [(s.name, s.value) for s in SensorStatus] == [
        ("OK", 0), ("UNKNOWN_USER", 1), ("TOKEN_REFUSED", 2), ("UNKNOWN_SENSOR", 3),
    ]  # fmt: skip
    assert [s.value for s in GatekeeperStatus] == [0, 1, -1, -2, -3]
    assert [s.value for s in KeystoreError] == [0, -2, -3, -16, -26, -28, -30, -31, -33, -38]


def test_a_yes_is_returned_and_an_expected_refusal_too() -> None:
    command = biometric.ADD_USER
    for status in (ReplyStatus.OK, ReplyStatus.USER_EXISTS):
        reply = Done(status=status)
        assert answering(reply).ask(command, object(), expected=(ReplyStatus.USER_EXISTS,)) is reply  # type: ignore[type-var]
    with pytest.raises(BioguardError):  # the same number in another vocabulary is another refusal
        raise_for_status(Done(status=ReplyStatus.UNKNOWN_USER), expected=(KeystoreError.OK, *consent.Cause))


def test_a_start_that_tells_nothing_of_what_it_erased_is_asked_again() -> None:
    device = answering(policy.Purged(status=ReplyStatus.BAD_REQUEST))
    device._world._heard = None
    for _ in range(2):
        with pytest.raises(InputRefused, match=r"^the secure world refused the request"):
            device.ask(biometric.ADD_USER, object())  # type: ignore[type-var]
    assert device._world._heard is None


def test_a_reply_without_a_status_cannot_be_asked_for() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Mute(Record):
        match: bool

    with pytest.raises(TypeError, match=r"^Mute has no status$"):
        status_of(Mute(match=True))


def test_a_yes_without_what_it_promises_is_no_yes() -> None:
    with pytest.raises(IntegrityFailure, match=r"^the secure world says yes without a digest$"):
        promised(None, "a digest")
    with pytest.raises(IntegrityFailure) as caught:
        answering(biometric.Shown(status=ReplyStatus.OK)).show("00" * 16)
    assert caught.value.code == "tee.incomplete"


def test_nobody_else_speaks_to_the_secure_world() -> None:
    root = Path(bioguard.__file__).parent
    sends = re.compile(r"(?<!hal)(?<!_hal)\.(?:call|invoke|exchange)\(")  # a session of the HAL is none of the TA
    found = {str(p.relative_to(root)): len(sends.findall(p.read_text("utf-8"))) for p in sorted(root.rglob("*.py"))}
    # The attacks send what a product would not and look at each reply; the scenario forwards.
    # `world` asks what a start erased before anything else is asked, also after a death by the budget, and for an
    # incident while faults are played (both reported).
    # `budgets` plays a secure world of its own; the call of `filter` is one of the system.
    # `pins` is in the secure world: the reply of another application, whose status is always a yes.
    assert {p: n for p, n in found.items() if n and not p.startswith("evidence/attack/")} == {
        "device/world.py": 5,
        "evidence/budgets.py": 2,
        "evidence/outside_watch/filter.py": 1,
        "simulate/faults/faulty_transport.py": 2,
        "trusted/sensor/pins.py": 1,
    }


VALUES: dict[str, Any] = {
    "modality": Modality.FACE,
    "purpose": Purpose.UNLOCK,
    "modalities": (Modality.FACE,),
    "purposes": (Purpose.UNLOCK,),
    "of_age": True,
    "on": True,
    "kind": Cause.ACCESS,
    "token": b"",
    "pin": b"2580",
    "new": "alicia",
    "record_id": "00" * 16,
    "finger": "right-index",
    "samples": [FACE],
    "sample": FACE,
    "key": BoundKey(key_id=bytes(16), secure_ids=(), public_key=None),
    "form": SampleForm.CANONICAL,
    "position": 0,
    "days": 30,
    "by_operator": False,
    "challenge": 0,
    "operation_id": 0,
    "fmr_inverse": 0,
}
"""What to give for each parameter that has no default. A function with another one makes the test fail: add it here."""

NOT_ABOUT_A_KNOWN_USER = {"add_user", "remove_user"}
"""Adding takes a name that is free; removing finishes what was interrupted."""


def arguments(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = list(inspect.signature(function).parameters.values())[2:]
    return {p.name: VALUES[p.name] for p in parameters if p.default is p.empty}


def about_users() -> Iterator[Any]:
    """Every public function that takes a user by name."""
    modules = (pins, keys, consent, rectify)
    functions = [f for m in modules for f in vars(m).values() if getattr(f, "__module__", "") == m.__name__]
    functions = [f for f in functions if not f.__name__.startswith("_")]
    functions += [f for name, f in vars(Device).items() if not name.startswith("_")]
    for function in filter(inspect.isfunction, functions):
        named = "name" in list(inspect.signature(function).parameters)[:2]
        if named and function.__name__ not in NOT_ABOUT_A_KNOWN_USER:
            yield pytest.param(function, id=f"{function.__module__.rpartition('.')[2]}.{function.__name__}")


@pytest.fixture(scope="module")
def half_removed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device after a removal of alice that was cut: the secure world does not know her, names.json does."""
    with Device.init(tmp_path_factory.mktemp("status") / "device") as device:
        device.add_user("alice")
        pins.set_pin(device, "alice", b"2580")
        user = device.user_handle("alice")
        device.ask(biometric.REMOVE_USER, biometric.RemoveUser(user=user, leave=biometric.EraseAuthorization()))
        assert device.users() == ["alice"]
        yield device


@pytest.mark.parametrize("function", list(about_users()))
def test_a_user_whom_the_secure_world_does_not_know(half_removed: Device, function: Callable[..., Any]) -> None:
    def run() -> None:
        answer = function(half_removed, "alice", **arguments(function))
        if inspect.isgenerator(answer):
            list(answer)

    with pytest.raises(InputRefused) as caught:
        run()
    assert caught.value.code == "user.unknown"
    assert "'alice'" in caught.value.message


def test_the_same_over_serve(half_removed: Device) -> None:
    service = DeviceService(half_removed)
    asked = 0
    for number, method in METHODS.items():
        given = [f for f in fields(method.request) if f.default is MISSING]  # type: ignore[arg-type]
        if "name" in {f.name for f in given} and method.name not in NOT_ABOUT_A_KNOWN_USER:
            more = VALUES | {"sample": FACE.to_bytes(), "samples": (FACE.to_bytes(),), "record_id": bytes(16)}
            request = method.request(**{f.name: {**more, "name": b"alice"}[f.name] for f in given})
            with pytest.raises(InputRefused) as caught:
                service(number, request)
            assert caught.value.code == "user.unknown", method.name
            asked += 1
    assert asked >= 10


def test_the_interrupted_removal_is_finished(half_removed: Device) -> None:
    assert half_removed.remove_user("alice") == ()
    assert half_removed.users() == []
    half_removed.add_user("alice")
    assert not pins.has_pin(half_removed, "alice")
