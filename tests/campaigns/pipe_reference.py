"""What a device answers and tells through `serve --protocol 2`, in plain numbers: sessions, sensors, lockout, time.

Written from docs/formats/serve-2.md and docs/android-contract.md; it knows no table, record or byte of the product. A
value that the device chooses (a challenge, an id) is taken from what was heard, if the page allows it, else it is -1.
A token is a user, a challenge and when it was made.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

TEN_MINUTES_MS, TIMED_MS, TIMED_EVERY, PERMANENT_AT, QUEUE, TOUCHES = 600_000, 30_000, 5, 20, 5, 3
UNABLE, NOT_ENROLLED, NO_SPACE, CANCELED = (2, 0, ""), (2, 0, "match.not_enrolled"), (4, 0, ""), (5, 0, "")
ANOTHER_FINGER, BROKEN, DUPLICATE = (7, 15), (8, 0, ""), (7, 1, "enroll.duplicate_finger")


class Refusal(Exception):
    """The code that a request is refused with."""


class Sensor(NamedTuple):
    number: int
    is_face: bool
    strength: int
    most: int
    under_display: bool


@dataclass
class Place:
    """One user at one sensor. ahead: the next attempt is stored as failed already."""

    fails: int = 0
    since: int = -1
    id: int = 0
    known: bool = False
    ahead: bool = False
    owned: bool = False
    features: set[int] = field(default_factory=set)
    enrolled: dict[int, int] = field(default_factory=dict)
    challenges: dict[int, int] = field(default_factory=dict)

    def wait(self, now: int) -> int:
        self.since = min(self.since, now)
        self.since = -1 if now - self.since >= TIMED_MS else self.since
        return self.since + TIMED_MS - now if self.since >= 0 else 0

    def ended(self, now: int, match: bool) -> None:
        self.fails = 0 if match else self.fails + 1
        is_locked = self.fails >= PERMANENT_AT or (self.fails > 0 and self.fails % TIMED_EVERY == 0)
        self.since = now if is_locked and self.fails < PERMANENT_AT else -1
        self.ahead = self.known and not is_locked and (self.fails + 1) % TIMED_EVERY != 0
        self.known = True


@dataclass
class Session:
    """A session that was opened, what runs in it, and what lies on its sensor."""

    number: int
    user: str
    place: Place
    sensor: Sensor
    told: bool = False
    doing: str = ""
    running: int = 0
    count: int = 0
    touches: int = 0
    person: int = 0
    born: int = -1
    lying: int | None = None
    down: bool = False
    lit: bool = False
    ignored: bool = False
    waiting: list[tuple[int, str, Any]] = field(default_factory=list)


class Device:
    """The device; `act` plays one request: the code of its refusal, or none, and the events before its answer."""

    def __init__(self, sensors: list[Sensor], users: list[str], now: int, cascade: bool) -> None:
        self.sensors, self.now, self.cascade, self.died, self.fault = sensors, now, cascade, False, ""
        self.places = {(user, sensor): Place() for user in users for sensor in sensors}
        self.sessions, self.over, self.used = dict[int, Session](), dict[int, str](), set[int]()

    def act(self, heard: list[Any], name: str, *arguments: Any) -> tuple[str, list[Any]]:
        self.heard, self.told = heard, list[Any]([(0, "RESTARTED", [1])] if self.died else [])
        code, self.died = "", False
        try:
            getattr(self, name)(*arguments)
        except Refusal as refusal:
            code = str(refusal)
        for s in sorted(self.sessions.values(), key=lambda s: s.sensor.is_face):
            if s.told and not self.lock(s):
                self.tell(s, "LOCKOUT_CLEARED")
        return code, self.told

    def tell(self, s: Session, name: str, *fields: Any) -> None:
        s.told = name != "LOCKOUT_CLEARED" and (s.told or name in ("LOCKOUT_TIMED", "LOCKOUT_PERMANENT"))
        self.told.append((s.number, name, list(fields)))

    def error(self, s: Session, error: tuple[int, int, str]) -> None:
        s.doing = ""
        self.tell(s, "ERROR", *error)

    def fields(self) -> list[Any]:
        """Of the event that was heard where the next is told."""
        return self.heard[len(self.told)][2] if len(self.told) < len(self.heard) else []

    def chosen(self) -> int:
        fields = self.fields()
        value = fields[0] if fields and isinstance(fields[0], int) and fields[0] not in self.used else 0
        self.used.add(value)
        return value or -1

    def lock(self, s: Session) -> list[Any]:
        strength = s.sensor.strength if self.cascade else 3
        own = [p for (u, o), p in self.places.items() if u == s.user and (o == s.sensor or o.strength >= strength)]
        wait = max([p.wait(self.now) for p in own])
        timed = [("LOCKOUT_TIMED", wait)] if wait else []
        return [("LOCKOUT_PERMANENT",)] if any(p.fails >= PERMANENT_AT for p in own) else timed

    def create(self, number: int, user: str, sensor: int) -> None:
        if any(s.sensor.is_face == self.sensors[sensor].is_face for s in self.sessions.values()):
            raise Refusal("session.in_use")
        place = self.places[user, self.sensors[sensor]]
        self.sessions[number] = Session(number, user, place, self.sensors[sensor])

    def session(self, number: int, kind: bool | None = None) -> Session:
        if number not in self.sessions:
            raise Refusal(self.over.get(number, "session.unknown"))
        if kind not in (None, self.sessions[number].sensor.is_face):
            raise Refusal("session.interface")
        return self.sessions[number]

    def close(self, number: int) -> None:
        s = self.session(number)
        if s.doing:
            raise Refusal("session.state")
        self.tell(s, "SESSION_CLOSED")
        self.over[number] = "session.state"
        del self.sessions[number]

    def operate(self, number: int, kind: str, *arguments: Any) -> None:
        s = self.session(number, True if "feature" in kind else None)
        if len(s.waiting) >= QUEUE:
            raise Refusal("session.queue_full")
        s.count += 1
        s.waiting.append((s.count, kind, arguments))
        self.pump(s)

    def pump(self, s: Session) -> None:
        while s.waiting and not s.doing:
            s.running, kind, arguments = s.waiting.pop(0)
            getattr(self, f"run_{kind}")(s, *arguments)

    def look(self, s: Session) -> None:
        """Capture what lies there, if an operation waits for it and the display does not keep it dark or unknown."""
        if s.doing and s.lying is not None and (not s.sensor.under_display or (s.down and s.lit and not s.ignored)):
            person, s.lying, s.down, s.lit = s.lying, None, False, False
            getattr(self, f"see_{s.doing}")(s, person)
        self.pump(s)

    def run_detect(self, s: Session) -> None:
        s.doing = "detect"

    def run_authenticate(self, s: Session) -> None:
        s.doing = "attempt"
        self.tell_lock(s)

    def tell_lock(self, s: Session) -> None:
        for lock in self.lock(s):
            self.tell(s, *lock)
            s.doing = "" if s.sensor.is_face else s.doing

    def run_enroll(self, s: Session, token: Any, person: int) -> None:
        s.born = s.place.challenges.get(token[1], -1) if token and token[0] == s.user else -1
        s.doing, s.touches, s.person = "enroll", TOUCHES, person
        if not self.is_live(s):
            self.error(s, UNABLE)
        elif len(s.place.enrolled) >= s.sensor.most:
            self.error(s, NO_SPACE)

    def is_live(self, s: Session) -> bool:
        return s.born >= 0 and 0 <= self.now - s.born < TEN_MINUTES_MS

    def run_challenge(self, s: Session) -> None:
        challenge = self.chosen()
        s.place.challenges[challenge] = self.now
        self.tell(s, "CHALLENGE_GENERATED", challenge)

    def run_revoke(self, s: Session, challenge: int) -> None:
        s.place.challenges.pop(challenge, None)
        self.tell(s, "CHALLENGE_REVOKED", challenge)

    def run_enumerate(self, s: Session) -> None:
        self.tell(s, "ENROLLMENTS_ENUMERATED", sorted(s.place.enrolled))

    def run_remove(self, s: Session, ids: list[int]) -> None:
        self.tell(s, "ENROLLMENTS_REMOVED", sorted(i for i in ids if s.place.enrolled.pop(i, None) is not None))

    def run_get_id(self, s: Session, name: str = "AUTHENTICATOR_ID_RETRIEVED") -> None:
        has_id = s.sensor.strength == 2 and s.place.enrolled
        s.place.id = s.place.id or (self.chosen() if has_id else 0)
        self.tell(s, name, s.place.id if has_id else 0)

    def run_invalidate(self, s: Session) -> None:
        s.place.id = 0 if s.place.enrolled else s.place.id
        self.run_get_id(s, "AUTHENTICATOR_ID_INVALIDATED")

    def is_fresh(self, s: Session, token: Any) -> bool:
        return bool(token and token[0] == s.user and 0 <= self.now - token[2] <= TEN_MINUTES_MS and s.place.owned)

    def run_reset(self, s: Session, token: Any) -> None:
        if not self.is_fresh(s, token):
            return self.error(s, UNABLE)
        most = s.sensor.strength if self.cascade else -1
        self.clear(p for (u, o), p in self.places.items() if u == s.user and (o == s.sensor or o.strength <= most))
        return self.tell(s, "LOCKOUT_CLEARED")

    def clear(self, places: Any) -> None:
        for place in places:
            if place.owned:
                place.fails, place.since, place.ahead = 0, -1, False

    def run_features(self, s: Session) -> None:
        if not s.place.enrolled:
            return self.error(s, NOT_ENROLLED)
        return self.tell(s, "FEATURES_RETRIEVED", sorted(s.place.features))

    def run_set_feature(self, s: Session, token: Any, feature: int, on: bool) -> None:
        if not s.place.enrolled or not self.is_fresh(s, token):
            return self.error(s, UNABLE if s.place.enrolled else NOT_ENROLLED)
        s.place.features = s.place.features - {feature} | ({feature} if on else set())
        return self.tell(s, "FEATURE_SET", feature)

    def cancel(self, number: int, operation: int | None) -> None:
        s = self.session(number)
        for waits in [w for w in s.waiting if w[0] == operation and w[1] in ("enroll", "authenticate", "detect")]:
            s.waiting.remove(waits)
            return self.tell(s, "ERROR", *CANCELED)
        if s.doing and operation in (None, s.running):
            self.error(s, CANCELED)
        return self.pump(s)

    def present(self, number: int, person: int) -> None:
        s = self.session(number)
        if not s.doing and not s.sensor.under_display:
            raise Refusal("session.state")
        s.lying = person
        self.look(s)

    def surface(self, number: int, what: str, holds: bool) -> None:
        s = self.session(number, False)
        setattr(s, what, holds)
        self.look(s)

    def lift(self, number: int, kind: bool | None, too_soon: bool) -> None:
        s = self.session(number, kind)
        if s.lying is not None and too_soon and s.doing:
            self.tell(s, "ACQUIRED", 13, 0)
        s.lying, s.down, s.lit = None, False, False

    def seen(self, s: Session) -> bool:
        """Tell what the sensor made of it; whether it is good enough."""
        is_poor, stage = self.fault == "quality_sequence", []
        if s.doing == "enroll":
            s.touches -= not is_poor
            stage = [3 if s.touches else 6, None]
        name, more = ("ENROLLMENT_FRAME" if stage else "AUTHENTICATION_FRAME"), [*stage, 1000, 1000]
        self.tell(s, name if s.sensor.is_face else "ACQUIRED", 1 + is_poor, 0, *(more if s.sensor.is_face else []))
        return not is_poor

    def see_detect(self, s: Session, _person: int) -> None:
        self.seen(s)
        s.doing = ""
        self.tell(s, "INTERACTION_DETECTED")

    def see_enroll(self, s: Session, person: int) -> None:
        s.person = person if s.touches == TOUCHES else s.person
        if person != s.person and not s.sensor.is_face and self.fault != "quality_sequence":
            return self.tell(s, "ACQUIRED", *ANOTHER_FINGER)
        if not self.seen(s):
            return None
        if s.touches:
            return self.tell(s, "ENROLLMENT_PROGRESS", 0, s.touches)
        if not self.is_live(s):
            return self.error(s, UNABLE)
        if s.person in s.place.enrolled.values() and not s.sensor.is_face:
            return self.error(s, DUPLICATE)
        s.place.id, s.place.owned, s.doing, new = 0, True, "", self.chosen()
        s.place.features = s.place.features if s.place.enrolled else set()
        s.place.enrolled[new] = s.person
        return self.tell(s, "ENROLLMENT_PROGRESS", new, 0)

    def see_attempt(self, s: Session, person: int) -> None:
        if self.fault == "ta_panic":
            self.gone(given_back=False)
            self.died = True
            raise Refusal("tee.dead")
        if self.fault == "operation_authenticate_error":
            return self.error(s, BROKEN)
        if not s.place.enrolled and self.fault != "quality_sequence":
            return self.error(s, NOT_ENROLLED)
        if not self.seen(s):
            return None
        if self.lock(s):
            return self.tell_lock(s)
        ids = [i for i, p in s.place.enrolled.items() if p == person and self.fault != "operation_authenticate_fails"]
        s.place.ended(self.now, bool(ids))
        if ids:
            s.doing = ""
            whose = next((i for i in ids if [i] == self.fields()[:1]), -1)
            return self.tell(s, "AUTHENTICATION_SUCCEEDED", whose, s.sensor.strength == 2)
        self.tell(s, "AUTHENTICATION_FAILED")
        if s.sensor.is_face:
            s.doing = ""
        else:
            self.tell_lock(s)
        return None

    def gone(self, *, given_back: bool) -> None:
        for place in self.places.values():
            place.fails += place.ahead and not given_back
            place.known, place.ahead, place.challenges = False, False, {}
        self.over.update(dict.fromkeys(self.sessions, "session.dead"))
        self.sessions = {}

    def reboot(self) -> None:
        self.gone(given_back=True)
        self.told.append((0, "RESTARTED", [2]))

    def advance(self, ms: int) -> None:
        self.now += ms

    def set_fault(self, name: str) -> None:
        self.fault = name

    def unlock(self, user: str) -> None:
        owned = [place for (owner, _), place in self.places.items() if owner == user and place.owned]
        self.clear(owned)
        if not owned:
            raise Refusal("match.not_enrolled")
