"""What a device answers and tells through `serve --protocol 2`, in plain numbers: sessions, sensors, lockout, time.

Written from docs/formats/serve-2.md and docs/android-contract.md; it knows no table, record or byte of the product. An
expected event is a session, a name and fields, of which one may be a function that says whether a value will do. A
sensor is whether it sees faces, whether it is strong, and how many enrollments it takes; a token is a user, a challenge
and when it was made.
"""

from typing import Any

TEN_MINUTES_MS, TIMED_MS, TIMED_EVERY, PERMANENT_AT, QUEUE, TOUCHES = 600_000, 30_000, 5, 20, 5, 3
UNABLE, NO_SPACE, CANCELED = ("ERROR", [2, 0, ""]), ("ERROR", [4, 0, ""]), ("ERROR", [5, 0, ""])


class Refusal(Exception):
    """The code that a request is refused with."""


class Place:
    """One user at one sensor. ahead: the next attempt is stored as failed already."""

    def __init__(self) -> None:
        self.fails, self.since, self.id, self.old_ids = 0, -1, 0, {0}
        self.known, self.ahead, self.owned = False, False, False
        self.enrolled, self.challenges = dict[int, int](), dict[int, int]()

    def lock(self, now: int) -> str:
        self.since = min(self.since, now)
        self.since = -1 if now - self.since >= TIMED_MS else self.since
        return "LOCKOUT_PERMANENT" if self.fails >= PERMANENT_AT else "LOCKOUT_TIMED" if self.since >= 0 else ""

    def ended(self, now: int, match: bool) -> None:
        self.fails = 0 if match else self.fails + 1
        self.since = now if self.fails and self.fails % TIMED_EVERY == 0 and self.fails < PERMANENT_AT else -1
        self.ahead = self.known and not self.lock(now) and (self.fails + 1) % TIMED_EVERY != 0
        self.known = True

    def clear(self) -> None:
        self.fails, self.since, self.ahead = 0, -1, False

    def is_id(self, value: int, strong: bool) -> bool:
        if strong and self.enrolled and self.id < 0 and value not in self.old_ids:
            self.id, self.old_ids = value, {*self.old_ids, value}
        return value == (self.id if strong and self.enrolled else 0)


class Session:
    """A session that was opened, and what runs in it."""

    def __init__(self, number: int, user: str, place: Place, sensor: tuple[bool, bool, int]) -> None:
        self.number, self.user, self.place, (self.is_face, self.strong, self.most) = number, user, place, sensor
        self.open, self.told, self.doing, self.left, self.person, self.born = True, False, "", 0, 0, -1
        self.waiting = list[tuple[str, Any]]()


class Device:
    """The device; `act` plays one request: the code of its refusal, or none, and the events before its answer."""

    def __init__(self, sensors: dict[int, tuple[bool, bool, int]], users: list[str], now: int) -> None:
        self.sensors, self.now, self.died, self.fault = sensors, now, False, ""
        self.places = {(user, sensor): Place() for user in users for sensor in sensors}
        self.sessions, self.dead = dict[int, Session](), set[int]()

    def act(self, name: str, *arguments: Any) -> tuple[str, list[Any]]:
        told: list[Any] = [(0, "RESTARTED", [1])] if self.died else []
        code, self.died = "", False
        try:
            told += getattr(self, name)(*arguments) or []
        except Refusal as refusal:
            code = str(refusal)
        over = [s for s in self.sessions.values() if s.open and s.told and not s.place.lock(self.now)]
        for s in sorted(over, key=lambda s: s.is_face):
            s.told = False
            told.append((s.number, "LOCKOUT_CLEARED", []))
        return code, told

    def create(self, number: int, user: str, sensor: int) -> None:
        if any(s.open and s.is_face == self.sensors[sensor][0] for s in self.sessions.values()):
            raise Refusal("session.in_use")
        self.sessions[number] = Session(number, user, self.places[user, sensor], self.sensors[sensor])

    def session(self, number: int, *, idle: bool = False, busy: bool = False) -> Session:
        s = self.sessions.get(number)
        if s is None:
            raise Refusal("session.dead" if number in self.dead else "session.unknown")
        if not s.open or (idle and s.doing) or (busy and not s.doing):
            raise Refusal("session.state")
        return s

    def close(self, number: int) -> list[Any]:
        self.session(number, idle=True).open = False
        return [(number, "SESSION_CLOSED", [])]

    def operate(self, number: int, kind: str, *arguments: Any) -> list[Any]:
        s = self.session(number)
        if len(s.waiting) >= QUEUE:
            raise Refusal("session.queue_full")
        s.waiting.append((kind, arguments))
        return self.pump(s, [])

    def pump(self, s: Session, told: list[Any]) -> list[Any]:
        while s.waiting and not s.doing:
            kind, arguments = s.waiting.pop(0)
            told = told + getattr(self, f"run_{kind}")(s, *arguments)
        return [(s.number, *event) for event in told]

    def run_detect(self, s: Session) -> list[Any]:
        s.doing = "detect"
        return []

    def run_authenticate(self, s: Session) -> list[Any]:
        locks = self.locks(s)
        s.doing = "" if s.is_face and locks else "attempt"
        return locks

    def run_enroll(self, s: Session, token: Any, person: int) -> list[Any]:
        s.born = s.place.challenges.get(token[1], -1) if token and token[0] == s.user else -1
        if not self.is_live(s):
            return [UNABLE]
        room = len(s.place.enrolled) < s.most
        s.doing, s.left, s.person = "enroll" if room else "", TOUCHES, person
        return [] if room else [NO_SPACE]

    def is_live(self, s: Session) -> bool:
        return s.born >= 0 and 0 <= self.now - s.born < TEN_MINUTES_MS

    def run_challenge(self, s: Session) -> list[Any]:
        return [("CHALLENGE_GENERATED", [lambda v: v > 0 and s.place.challenges.setdefault(v, self.now) == self.now])]

    def run_revoke(self, s: Session, challenge: int) -> list[Any]:
        s.place.challenges.pop(challenge, None)
        return [("CHALLENGE_REVOKED", [challenge])]

    def run_enumerate(self, s: Session) -> list[Any]:
        known = sorted(s.place.enrolled)
        return [("ENROLLMENTS_ENUMERATED", [lambda v: sorted(v) == known])]

    def run_remove(self, s: Session, ids: list[int]) -> list[Any]:
        gone = sorted(i for i in s.place.enrolled if i in ids)
        s.place.enrolled = {i: p for i, p in s.place.enrolled.items() if i not in gone}
        return [("ENROLLMENTS_REMOVED", [lambda v: sorted(v) == gone])]

    def run_get_id(self, s: Session, name: str = "AUTHENTICATOR_ID_RETRIEVED") -> list[Any]:
        return [(name, [lambda v: s.place.is_id(v, s.strong)])]

    def run_invalidate(self, s: Session) -> list[Any]:
        s.place.id = -1
        return self.run_get_id(s, "AUTHENTICATOR_ID_INVALIDATED")

    def run_reset(self, s: Session, token: Any) -> list[Any]:
        if not token or token[0] != s.user or not 0 <= self.now - token[2] <= TEN_MINUTES_MS or not s.place.owned:
            return [UNABLE]
        s.place.clear()
        s.told = False
        return [("LOCKOUT_CLEARED", [])]

    def locks(self, s: Session) -> list[Any]:
        lock = s.place.lock(self.now)
        s.told = s.told or bool(lock)
        return [(lock, [s.place.since + TIMED_MS - self.now] if lock == "LOCKOUT_TIMED" else [])] if lock else []

    def cancel(self, number: int) -> list[Any]:
        s = self.session(number)
        told, s.doing = [CANCELED] if s.doing else [], ""
        return self.pump(s, told)

    def present(self, number: int, person: int) -> list[Any]:
        s = self.session(number, busy=True)
        if self.fault == "ta_panic" and s.doing == "attempt":
            self.gone(given_back=False)
            self.died = True
            raise Refusal("tee.dead")
        return self.pump(s, getattr(self, f"seen_{s.doing}")(s, person))

    @property
    def is_poor(self) -> bool:
        return self.fault == "quality_sequence"

    def seen(self, s: Session) -> Any:
        stage = [3 if s.left else 6, None] if s.doing == "enroll" else []
        name = "ENROLLMENT_FRAME" if stage else "AUTHENTICATION_FRAME"
        return (name, [1 + self.is_poor, 0, *stage, 1000, 1000]) if s.is_face else ("ACQUIRED", [1 + self.is_poor, 0])

    def seen_detect(self, s: Session, _person: int) -> list[Any]:
        seen, s.doing = self.seen(s), ""
        return [seen, ("INTERACTION_DETECTED", [])]

    def seen_enroll(self, s: Session, _person: int) -> list[Any]:
        s.left -= not self.is_poor
        seen, place, person = self.seen(s), s.place, s.person
        if self.is_poor:
            return [seen]
        if s.left:
            return [seen, ("ENROLLMENT_PROGRESS", [0, s.left])]
        s.doing = ""
        if not self.is_live(s):
            return [seen, UNABLE]
        if person in place.enrolled.values() and not s.is_face:
            return [seen, ("ERROR", [7, 1, "enroll.duplicate_finger"])]
        place.id, place.owned = -1, True
        new = lambda v: v > 0 and v not in place.enrolled and not place.enrolled.update({v: person})  # noqa: E731
        return [seen, ("ENROLLMENT_PROGRESS", [new, 0])]

    def seen_attempt(self, s: Session, person: int) -> list[Any]:
        seen, place, s.doing = self.seen(s), s.place, "" if s.is_face and not self.is_poor else s.doing
        if self.is_poor:
            return [seen]
        if self.fault == "operation_authenticate_error" or (not place.enrolled and not place.lock(self.now)):
            s.doing = ""
            return [("ERROR", [8, 0, ""] if self.fault.endswith("error") else [2, 0, "match.not_enrolled"])]
        if place.lock(self.now):
            return [seen, *self.locks(s)]
        ids = [i for i, p in place.enrolled.items() if p == person and self.fault != "operation_authenticate_fails"]
        place.ended(self.now, bool(ids))
        if not ids:
            return [seen, ("AUTHENTICATION_FAILED", []), *([] if s.is_face else self.locks(s))]
        s.doing = ""
        return [seen, ("AUTHENTICATION_SUCCEEDED", [ids.__contains__, lambda token: (token is not None) == s.strong])]

    def gone(self, *, given_back: bool) -> None:
        for place in self.places.values():
            place.fails += place.ahead and not given_back
            place.known, place.ahead, place.challenges = False, False, {}
        self.dead |= {number for number, s in self.sessions.items() if s.open}
        self.sessions = {number: s for number, s in self.sessions.items() if not s.open}

    def reboot(self) -> list[Any]:
        self.gone(given_back=True)
        return [(0, "RESTARTED", [2])]

    def advance(self, ms: int) -> None:
        self.now += ms

    def set_fault(self, name: str) -> None:
        self.fault = name

    def unlock(self, user: str) -> None:
        owned = [place for (owner, _), place in self.places.items() if owner == user and place.owned]
        for place in owned:
            place.clear()
        if not owned:
            raise Refusal("match.not_enrolled")
