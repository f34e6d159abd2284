"""Random steps through the pipe of `serve --protocol 2`, each answer and callback compared with a model, one by one.

    python -m tests.campaigns.pipe --steps 20000 --seed 1

The client is the one that is shipped for Python programs without bioguard (docs/examples/clients/python); the model is
`tests.campaigns.pipe_reference`. The first difference ends the run and shows the steps before it.
"""

import argparse
import importlib.util
import itertools
import random
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

from bioguard.device import Device, DeviceOptions
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import FaceSensorType, FingerprintSensorType, SensorProps
from bioguard.records.strength import SensorStrength
from bioguard.serve.v2.events import EventKind
from bioguard.serve.v2.table import BY_NAME
from tests.campaigns import pipe_reference as reference

Event = tuple[int, str, list[Any]]
Token = tuple[str, int, int]
"""Whose, for which challenge, made when."""
ROOT = Path(__file__).parents[2]
START_MS = 1_790_000_000_000
USERS, PIN = ("ann", "bob"), b"4711"
FAULTS = (
    ("operation_authenticate_error", "8"),
    ("operation_authenticate_fails", "true"),
    ("quality_sequence", "2,2,2,2,2,2"),
    ("ta_panic", "11"),
)
SENSORS = (
    SensorProps(sensor_id=0, kind=Modality.FINGERPRINT, max_enrollments=3),
    SensorProps(
        sensor_id=1,
        kind=Modality.FINGERPRINT,
        sensor_type=FingerprintSensorType.UNDER_DISPLAY_OPTICAL,
        max_enrollments=2,
    ),
    SensorProps(
        sensor_id=2, kind=Modality.FACE, strength=SensorStrength.WEAK, sensor_type=FaceSensorType.RGB, max_enrollments=2
    ),
)
"""A fingerprint sensor at the back, one under the display that needs pointers and light, and a weak face sensor."""
PEOPLE, POSITION = (2, 6, 8, 9), 2
"""People whose first view and touch match the next three strongly, others beside them or not: the rest
spend the budget of near decisions, a rule with a model of its own (docs/android-contract.md, departure 20)."""
POINTER = [1, 500, 1500, 10, 10, 0, False, 0, 0]
DISPLAY: dict[str, tuple[list[Any], str, tuple[Any, ...]]] = {
    "on_pointer_down": ([POINTER], "surface", ("down", True)),
    "on_ui_ready": ([], "surface", ("lit", True)),
    "on_pointer_up": ([POINTER], "lift", (False, True)),
    "on_pointer_cancel": ([POINTER], "lift", (False, False)),
    "lift": ([], "lift", (None, True)),
    "set_ignore_display_touches": ([False], "surface", ("ignored", False)),
}
"""Fields of the request, and the model's words for it."""
WAITS_MS = (1, 5_000, 29_999, 30_000, 60_000, 299_000, 600_000)


def client_module() -> ModuleType:
    """The shipped client, which is no package."""
    path = ROOT / "docs/examples/clients/python/bioguard2.py"
    spec = importlib.util.spec_from_file_location("bioguard2", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bioguard2"] = module
    spec.loader.exec_module(module)
    return module


class Difference(AssertionError):
    """The device did not do what the model says.

    Attributes:
        step: how many steps were compared, this one among them.
    """

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message)
        self.step = step


class Walk:
    """One device, one server, one model."""

    def __init__(self, directory: Path, seed: int, python: str) -> None:
        self._bioguard2 = client_module()
        self._random = random.Random(seed)
        self._heard: list[Event] = []
        self._tokens: deque[tuple[Token, bytes]] = deque(maxlen=6)
        self._sessions: list[int] = [99]
        self._challenges: list[int] = [123]
        self._samples: dict[tuple[int, int, int], tuple[int, bytes]] = {}
        self.last: deque[str] = deque(maxlen=40)
        self.played: Counter[str] = Counter()
        command = [python, "-m", "bioguard.cli", "--device", str(directory), "serve", "--stdio"]
        self.client = self._bioguard2.Client([*command, "--protocol", "2"], self._hear)
        sensors = self.client.hello[13]
        self._sensors = [reference.Sensor(s[0], s[1] == 2, s[2], s[3], s[1] == 1 and s[4] in (2, 3)) for s in sensors]

    def prepare(self) -> None:
        """Users with PINs who consent, and the model of them; samples now, since any request is told of a restart."""
        for key in itertools.product(PEOPLE, (0, POSITION), range(reference.TOUCHES + 1)):
            form, sample = self._ask("simulated_sample", *key)
            self._samples[key] = form, sample
        for user in USERS:
            self._ask("add_user", user.encode())
            self._ask("set_pin", user.encode(), PIN, None)
            for modality in (1, 2):
                self._ask("consent", user.encode(), modality, [1, 2], 365, True, b"")
        self.model = reference.Device(
            self._sensors, list(USERS), self._ask("clock_show")[2], cascade=self.client.hello[8]
        )

    def _hear(self, event: Any) -> None:
        name, fields = EventKind(event.number).name, event.fields
        if name == "AUTHENTICATION_SUCCEEDED":
            fields = [fields[0], fields[1] is not None]
        elif name.startswith("ENROLLMENTS_"):
            fields = [sorted(fields[0])]
        self._heard.append((event.session, name, fields))

    def _ask(self, name: str, *fields: Any) -> list[Any]:
        """Any answer; what came before it is in `_heard`."""
        self._heard = []
        method = BY_NAME[name]
        self.played[name] += 1
        wanted = {"clock_show": 3, "clock_advance": 3, "create_session": 1, "verify_pin": 1, "simulated_sample": 2}
        wanted |= {"set_pin": 1, "clock": 3}
        answers = wanted.get(name, 1 if method.reply.__name__ == "OperationAnswer" else 0)
        fields_of: list[Any] = self.client.call(method.number, *fields, answer=answers)
        return fields_of

    def _compare(self, name: str, told: tuple[Any, ...], call: Callable[[], Any]) -> Any:
        self.played["step"] += 1
        self.last.append(f"{name}{told}")
        answer, code = None, ""
        try:
            answer = call()
        except self._bioguard2.Refused as refused:
            code = refused.code
        heard = list(self._heard)
        told = (answer[0], *told) if name == "create" and answer else (-1, *told) if name == "create" else told
        wanted_code, wanted = self.model.act(heard, name, *told)
        self.played.update(met(heard, code))
        if code != wanted_code or heard != wanted:
            steps = "\n".join(self.last)
            message = f"after\n{steps}\nthe device: {code!r} {heard}\nthe model: {wanted_code!r} {wanted}"
            raise Difference(message, self.played["step"])
        return answer

    def step(self) -> None:
        """One random request."""
        getattr(self, f"_{self._random.choice(STEPS)}")()

    def _operate(
        self, method: str, kind: str, *fields: Any, told: tuple[Any, ...] | None = None, on: int | None = None
    ) -> None:
        session = self._session() if on is None else on
        self._compare(
            "operate", (session, kind, *(fields if told is None else told)), lambda: self._ask(method, session, *fields)
        )
        self._challenges += [fields[0] for _, name, fields in self._heard if name == "CHALLENGE_GENERATED"]

    def _session(self) -> int:
        """Mostly one that is open."""
        number: int = self._random.choice([*list(self.model.sessions) * 3, *self._sessions[-2:]])
        return number

    def _create(self) -> None:
        user, sensor = self._random.choice(USERS), self._random.choice(range(len(self._sensors)))
        made = self._compare("create", (user, sensor), lambda: self._ask("create_session", user.encode(), sensor))
        if made is not None:
            self._sessions.append(made[0])

    def _close(self) -> None:
        session = self._session()
        self._compare("close", (session,), lambda: self._ask("close", session))

    def _challenge(self, on: int | None = None) -> None:
        self._operate("generate_challenge", "challenge", on=on)

    def _revoke(self) -> None:
        self._operate("revoke_challenge", "revoke", self._random.choice([5, *self._challenges[-6:]]))

    def _enumerate(self) -> None:
        self._operate("enumerate_enrollments", "enumerate")

    def _remove(self) -> None:
        known = [i for place in self.model.places.values() for i in place.enrolled]
        ids = self._random.sample(known, k=min(len(known), self._random.randint(0, 2)))
        self._operate("remove_enrollments", "remove", sorted({*ids, 77}))

    def _get_id(self) -> None:
        self._operate("get_authenticator_id", "get_id")

    def _invalidate(self) -> None:
        self._operate("invalidate_authenticator_id", "invalidate")

    def _token(self) -> tuple[Token | None, bytes]:
        return self._random.choice([(None, b""), *self._tokens, *self._tokens, *self._tokens])

    def _reset(self) -> None:
        token, data = self._token()
        self._operate("reset_lockout", "reset", data, told=(token,))

    def _pin(self, user: str = "", challenge: int = 0) -> None:
        user, challenge = user or self._random.choice(USERS), challenge or self._random.choice(self._challenges[-4:])
        made = self._ask("verify_pin", user.encode(), PIN, challenge)
        self._tokens.append(((user, challenge, self.model.now), made[0]))

    def _enroll(self) -> None:
        """Every other time as a client does that wants it to succeed."""
        session, person, (token, data) = self._session(), self._random.choice(PEOPLE), self._token()
        known = self.model.sessions.get(session)
        if known is not None and self._random.random() < 0.5:
            self._challenge(session)
            self._pin(known.user, self._challenges[-1])
            token, data = self._tokens[-1]
            if self._random.random() < 0.2:
                gone = self._challenges[-1]
                self._operate("revoke_challenge", "revoke", gone, on=session)
        if known is not None and known.lying is not None:
            self._display("lift", session)
        self._operate("enroll", "enroll", data, None, 0, None, None, told=(token, person), on=session)
        for _ in range(self._random.choice([1, 3, 3, 3])):
            self._present(person, session)

    def _authenticate(self) -> None:
        self._operate("authenticate", "authenticate", self._random.choice([0, 7, 1 << 63]), None, told=())

    def _detect(self) -> None:
        self._operate("detect_interaction", "detect", None, told=())

    def _cancel(self) -> None:
        session, operation = self._session(), self._random.choice([None, None, self._random.randint(1, 9)])
        known = self.model.sessions.get(session)
        if known is not None and operation is not None:
            operation = max(1, known.count - self._random.randrange(6))
        self._compare("cancel", (session, operation), lambda: self._ask("cancel", session, operation))
        if known is not None and known.lying is not None:  # or the next enrollment sees the same touch twice
            self._display("lift", session)

    def _present(self, person: int | None = None, on: int | None = None) -> None:
        session = self._session() if on is None else on
        known = self.model.sessions.get(session)
        if known is not None and known.sensor.under_display and self._random.random() < 0.8:
            for name in self._random.sample(["on_pointer_down", "on_ui_ready"], self._random.choice([1, 2, 2, 2])):
                self._display(name, session)
        whom = person if person is not None else self._random.choice(PEOPLE)
        if known is not None and known.doing == "enroll":
            whom = known.person
        position = 0 if known is not None and known.sensor.is_face else POSITION
        impression = known.touches if known is not None and known.doing == "enroll" else 0
        form, sample = self._samples[whom, position, impression]
        self._compare("present", (session, whom), lambda: self._ask("present", session, form, sample, None))

    def _wait(self) -> None:
        ms = self._random.choice(WAITS_MS)
        self._compare("advance", (ms,), lambda: self._ask("clock_advance", ms))

    def _reboot(self) -> None:
        if self._random.random() < 0.1:
            self._compare("reboot", (), lambda: self._ask("reboot"))
            self.model.now = self._ask("clock_show")[2]
            self._tokens.clear()

    def _fault(self) -> None:
        name, value = self._random.choice(FAULTS)
        self._compare("set_fault", (name,), lambda: self._ask("fault_set", name, value))
        for _ in range(self._random.randint(1, 4)):
            self._random.choice([self._authenticate, self._present, self._present])()
        self._compare("set_fault", ("",), lambda: self._ask("fault_clear", ""))

    def _features(self) -> None:
        self._operate("get_features", "features")

    def _set_feature(self) -> None:
        """Of a face that is open, mostly with a token of its user's."""
        faces = [s for s in self.model.sessions.values() if s.sensor.is_face]
        if faces and self._random.random() < 0.7:
            self._pin(faces[0].user)
        token, data = self._tokens[-1] if self._tokens and faces else self._token()
        feature, on = self._random.randrange(3), self._random.random() < 0.7
        where = faces[0].number if faces and self._random.random() < 0.8 else None
        self._operate("set_feature", "set_feature", data, feature, on, told=(token, feature, on), on=where)

    def _display(self, name: str = "", session: int | None = None) -> None:
        """What the display tells of a finger on it, or the finger's end."""
        name, number = name or self._random.choice(list(DISPLAY)), session if session is not None else self._session()
        fields, call, told = DISPLAY[name]
        self._compare(call, (number, *told), lambda: self._ask(name, number, *fields))

    def _unlock(self) -> None:
        user = self._random.choice(USERS)
        self._compare("unlock", (user,), lambda: self._ask("unlock", user.encode(), PIN))


def met(heard: list[Event], code: str) -> list[str]:
    """The rows of the table of coverage that a request has met."""
    errors = [f"ERROR {fields[0]} {fields[2]}".rstrip() for _, name, fields in heard if name == "ERROR"]
    restarts = [f"RESTARTED {fields[0]}" for _, name, fields in heard if name == "RESTARTED"]
    return [*(name for _, name, _ in heard if name not in ("ERROR", "RESTARTED")), *errors, *restarts, code or "answer"]


STEPS = [
    *["create"] * 6, "close", *["challenge"] * 4, "revoke", "enumerate", "remove", "get_id", "invalidate", "reset",
    "features", "features", "set_feature", "set_feature", *["display"] * 3, *["pin"] * 4, *["enroll"] * 5,
    *["authenticate"] * 10,
    "detect", "cancel", "cancel", *["present"] * 30, *["wait"] * 3, "reboot", "fault", "fault", "unlock",
]  # fmt: skip


def run(steps: int, seed: int, *, cascade: bool = False, python: str = sys.executable) -> Counter[str]:
    """Play steps on a new device: how often each method, event, error and refusal code came.

    Args:
        python: the interpreter of the product, which may be a broken one.

    Raises:
        Difference: with the steps before it.
    """
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "device"
        options = DeviceOptions(seed=f"pipe {seed}", clock=START_MS, release_grid_ms=0)
        Device.init(directory, options, sensor_table=SENSORS, lockout_cascade=cascade).close()
        walk = Walk(directory, seed, python)
        with closing(walk.client):
            walk.prepare()
            while walk.played["step"] < steps:
                walk.step()
        return walk.played


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cascade", action="store_true")
    options = parser.parse_args()
    for name, count in sorted(run(options.steps, options.seed, cascade=options.cascade).items()):
        print(f"{name:44}{count:7}")  # noqa: T201
