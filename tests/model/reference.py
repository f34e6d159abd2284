"""What must be true, written from docs/android-contract.md in plain numbers. Knows no table, record or token bytes.

Each method is one step and returns what a caller must see. Ids, tokens and challenges are counted, not drawn.
"""

from dataclasses import dataclass, field

from tests.model.lock import Lock
from tests.model.steps import DELAY_MS, FACE, FINGER, asked_of

CHALLENGE_MS = RESET_TOKEN_MS = 600_000
RIGHTS_TOKEN_MS = 300_000
BIOMETRIC = 0
"""Applications by number: biometric, Gatekeeper, Keystore."""
MAX_RECORDS = {FACE: 2, FINGER: 2}
NEAR_BUDGET, NEAR_CLOSED = 10, 50
BOOT_MS = 60_000


def pin_wait_ms(failures: int) -> int:
    """After so many wrong PINs in a row."""
    if failures < 30:
        return 30_000 if failures in (5, 10) or failures > 10 else 0
    return 86_400_000 if failures >= 140 else 30_000 * 2 ** ((failures - 30) // 10)


@dataclass
class Record:
    """An enrollment. name: counts up; near: decisions in which it came near since a strong match."""

    name: int
    identity: tuple[int, int]
    slot: int
    near: int = 0


@dataclass
class Sensor:
    """One sensor for one user."""

    lock: Lock = field(default_factory=Lock)
    records: list[Record] = field(default_factory=list)
    owner: int = 0
    authenticator_id: int = 0


@dataclass
class Pin:
    """A user's PIN. owner: the secure user id."""

    owner: int
    failures: int = 0
    checked_ms: int = 0


@dataclass(frozen=True)
class Token:
    """What a token says."""

    owner: int
    from_pin: bool
    challenge: tuple[int, ...]
    boot: int
    made_ms: int


class Reference:
    """A device. require_pin: as it was made."""

    def __init__(self, *, require_pin: bool) -> None:
        self.require_pin = require_pin
        self.now_ms, self.boot = BOOT_MS, 0
        self.users: dict[int, dict[int, Sensor]] = {}
        self.pins: dict[int, Pin] = {}
        self.handles: dict[int, list[int]] = {}
        self.search = {FACE: Lock(), FINGER: Lock()}
        self.challenges: list[tuple[int, int, int, int]] = []
        self.dead: set[int] = set()
        self.tokens: list[Token] = []
        self.sessions: list[tuple[int, str]] = []
        self._ids = 0
        self._enrolled = 0

    def fresh(self) -> int:
        """A number nobody had before."""
        self._ids += 1
        return self._ids

    @staticmethod
    def latest(things: list, back: int):
        """The one so far back from the latest; None if there is none."""
        return things[-1 - back] if 0 <= back < len(things) else None

    # -- people and PINs ---------------------------------------------------------------------------------------------

    def add_user(self, u: int) -> object:
        if u in self.users:
            return "USER_EXISTS"
        self.users[u] = {FACE: Sensor(), FINGER: Sensor()}
        return "OK"

    def _leave(self, u: int, by: str, back: int) -> str:
        """Whether the person's own leave is shown."""
        if by == "operator":
            return "OK"
        bound = next((s.owner for s in (self.users[u][FINGER], self.users[u][FACE]) if s.records and s.owner), 0)
        token = self.latest(self.tokens, back)
        if token is None:
            return "TOKEN_REFUSED" if bound else "OK"
        if not self._current(u, token) or self.now_ms - token.made_ms > RIGHTS_TOKEN_MS:
            return "TOKEN_REFUSED"
        return "NOT_OWNER" if bound not in (0, token.owner) else "OK"

    def remove_user(self, u: int, by: str, back: int) -> object:
        if u not in self.users:
            return "UNKNOWN_USER"
        leave = self._leave(u, by, back)
        if leave == "OK":
            del self.users[u]
            self.pins.pop(u, None)
        return leave

    def set_pin(self, u: int) -> object:
        self._pin(u, self.fresh())
        return "OK", 0

    def _pin(self, u: int, owner: int) -> None:
        self.pins[u] = Pin(owner, 0, self.now_ms)
        self.handles.setdefault(u, []).append(owner)

    def change_pin(self, u: int, right: bool) -> object:
        if u not in self.handles:
            return "no handle"
        answer = self._check_pin(u, right=right)
        if answer == ("OK", 0):
            self._pin(u, self.pins[u].owner)
        return answer

    def delete_pin(self, u: int) -> object:
        self.pins.pop(u, None)
        return "OK"

    def _check_pin(self, u: int, *, right: bool, old: int | None = None) -> tuple[str, int]:
        pin = self.pins.get(u)
        if pin is None or old not in (None, pin.owner):
            return "GENERAL_FAILURE", 0
        wait = pin_wait_ms(pin.failures)
        if wait and self.now_ms <= pin.checked_ms:
            pin.checked_ms = self.now_ms
            return "RETRY_TIMEOUT", wait
        if wait and self.now_ms < pin.checked_ms + wait:
            return "RETRY_TIMEOUT", pin.checked_ms + wait - self.now_ms
        pin.checked_ms = self.now_ms
        if right and old is None:
            pin.failures = 0
            return "OK", 0
        pin.failures += 1
        wait = pin_wait_ms(pin.failures)
        return ("RETRY_TIMEOUT", wait) if wait else ("GENERAL_FAILURE", 0)

    def verify_pin(self, u: int, what: str, back: int) -> object:
        handle = self.latest(self.handles.get(u, []), what == "old handle")
        if handle is None:
            return "no handle"
        answer = self._check_pin(u, right=what != "wrong", old=handle if what == "old handle" else None)
        if answer[0] == "OK":
            challenge = self.latest(self.challenges, back)
            self.tokens.append(Token(self.pins[u].owner, True, challenge or (), self.boot, self.now_ms))
        return answer

    # -- challenges and tokens ---------------------------------------------------------------------------------------

    def challenge(self, u: int, m: int) -> object:
        if u not in self.users:
            return "UNKNOWN_USER"
        self.challenges.append((u, m, self.fresh(), self.now_ms))
        return "OK"

    def revoke(self, u: int, m: int, back: int) -> object:
        challenge = self.latest(self.challenges, back)
        if u not in self.users:
            return "UNKNOWN_USER"
        if challenge is not None and challenge[:2] == (u, m):
            self.dead.add(challenge[2])
        return "OK"

    def _lives(self, u: int, m: int, challenge: tuple[int, ...]) -> bool:
        return challenge[:2] == (u, m) and challenge[2] not in self.dead and self.now_ms - challenge[3] < CHALLENGE_MS

    def _genuine(self, token: Token) -> bool:
        return token.boot == self.boot and token.made_ms <= self.now_ms

    def _current(self, u: int, token: Token) -> bool:
        """A PIN token of this boot, of the PIN that this user has now."""
        pin = self.pins.get(u)
        return self._genuine(token) and token.from_pin and pin is not None and pin.owner == token.owner

    def check_token(self, back: int) -> object:
        token = self.latest(self.tokens, back)
        return "no token" if token is None else ("OK" if self._genuine(token) else "refused")

    # -- enrollment --------------------------------------------------------------------------------------------------

    def visit(self, u: int, m: int, slot: int, identity: int, twist: str) -> object:
        """A visit to the settings: challenge, PIN, perhaps something in between, enrollment."""
        if u not in self.users or u not in self.pins:
            return "not possible"
        self.challenge(*asked_of(u, m, twist))
        answer = self.verify_pin(u, "right", 0)
        if answer != ("OK", 0):
            return answer
        if twist == "revoke":
            self.revoke(u, m, 0)
        self.wait(DELAY_MS.get(twist, 0))
        return self.enroll(u, m, slot, identity, 0, False)

    def enroll(self, u: int, m: int, slot: int, identity: int, back: int, replace: bool) -> object:
        if u not in self.users:
            return "UNKNOWN_USER"
        sensor, token = self.users[u][m], self.latest(self.tokens, back)
        refusal = self._may_enroll(u, m, token)
        if refusal:
            return refusal
        at = next((r for r in sensor.records if m == FACE or r.slot == slot), None)
        if m == FINGER and at and not replace:
            return "ALREADY_ENROLLED"
        replaced = at if replace else None
        if replaced is None and len(sensor.records) >= MAX_RECORDS[m]:
            return "USER_FULL"
        who = self.identity(u, m, identity)
        if m == FINGER and any(r.identity == who for r in sensor.records if r is not replaced):
            return "DUPLICATE_FINGER"
        if replaced:
            sensor.records.remove(replaced)
        sensor.records.append(Record(self._enrolled, who, slot))
        self._enrolled += 1
        sensor.owner = token.owner if token else 0
        sensor.authenticator_id = self.fresh()
        sensor.lock.stored()
        return "OK"

    def identity(self, u: int, m: int, wanted: int) -> tuple[int, int]:
        """Whose face or finger: of faces one that the user has not enrolled, so that it is clear which one matches."""
        taken = {r.identity for r in self.users[u][m].records} if m == FACE and u in self.users else set()
        return next((u, i) for i in (wanted, *range(4)) if (u, i) not in taken)

    def _may_enroll(self, u: int, m: int, token: Token | None) -> str | None:
        sensor = self.users[u][m]
        if token is None:
            if u in self.pins:
                return "TOKEN_REFUSED"
            owned = any(s.owner for s in self.users[u].values())
            return "PIN_REQUIRED" if owned or self.require_pin else None
        if not self._current(u, token) or not token.challenge or not self._lives(u, m, token.challenge):
            return "TOKEN_REFUSED"
        if sensor.records and sensor.owner != token.owner:
            return "ENROLLED_WITH_OTHER_PIN" if sensor.owner else "ENROLLED_WITHOUT_PIN"
        return None

    def _records(self, u: int) -> list[tuple[int, Record]]:
        return [(m, r) for m, sensor in self.users.get(u, {}).items() for r in sensor.records]

    def record_name(self, u: int, which: int) -> int | None:
        """Of a user's records, by age within a sensor."""
        records = self._records(u)
        return records[which][1].name if which < len(records) else None

    def erase(self, u: int, which: int, by: str, back: int) -> object:
        records = self._records(u)
        if which >= len(records):
            return "no record"
        leave = self._leave(u, by, back)
        if leave == "OK":
            m, record = records[which]
            self.users[u][m].records.remove(record)
        return leave

    # -- decisions ---------------------------------------------------------------------------------------------------

    def _look(self, u: int, m: int) -> tuple[str, int]:
        """The sensor's own lock: without the cascade none locks another."""
        return self.users[u][m].lock.look(self.now_ms)

    @staticmethod
    def _decide(records: list[tuple[int, Record]], who: tuple[int, int], level: str) -> tuple[int, Record] | None:
        """The answer; what came near is counted."""
        hit = next(((u, r) for u, r in records if r.identity == who), None)
        if hit is None or level == "far":
            return None
        record = hit[1]
        if level == "strong":
            record.near = 0
            return hit
        spent, record.near = record.near >= NEAR_BUDGET, min(record.near + 1, NEAR_CLOSED)
        return hit if level == "weak" and not spent else None

    def authenticate(self, u: int, m: int, whose: int, identity: int, level: str) -> object:
        if u not in self.users:
            return "UNKNOWN_USER"
        sensor = self.users[u][m]
        if not sensor.records:
            return "NOT_ENROLLED"
        if level == "other-size":
            return "PROBE_DIMENSION"
        kind, _ = self._look(u, m)
        if kind != "NONE":
            return f"LOCKED_{kind}"
        hit = self._decide([(u, r) for r in sensor.records], (whose, identity), level)
        if hit is None:
            sensor.lock.fail(self.now_ms)
            sensor.lock.settled()
            return "no match"
        sensor.lock.clear()
        sensor.lock.settled()
        if sensor.owner:
            self.tokens.append(Token(sensor.owner, False, (), self.boot, self.now_ms))
        return ("match", hit[1].name, bool(sensor.owner))

    def identify(self, m: int, whose: int, identity: int, level: str) -> object:
        if level == "other-size" and self.faces_seen():
            return "PROBE_DIMENSION"
        sensors = {u: sensors[m] for u, sensors in self.users.items()}
        open_to = [u for u, sensor in sensors.items() if not sensor.lock.glance(self.now_ms) and sensor.records]
        if not open_to:
            return "no match"
        kind, _ = self.search[m].look(self.now_ms)
        if kind != "NONE":
            return f"LOCKED_{kind}"
        seen = [(u, r) for u in open_to for r in self.users[u][m].records if r.near < NEAR_CLOSED]
        hit = self._decide(seen, (whose, identity), level)
        if hit is None:
            self.search[m].fail(self.now_ms)
        self.search[m].settled()
        if hit is None:
            return "no match"
        return ("match", hit[0], hit[1].name)

    def faces_seen(self) -> bool:
        """Whether a dimension is fixed."""
        return any(s[FACE].records for s in self.users.values())

    def lock_status(self, u: int, m: int) -> object:
        return self._look(u, m) if u in self.users else "UNKNOWN_USER"

    def search_status(self, m: int) -> object:
        return self.search[m].look(self.now_ms)

    def reset_lockout(self, u: int, m: int, back: int) -> object:
        token = self.latest(self.tokens, back)
        if u not in self.users:
            return "UNKNOWN_USER"
        if token is None or not self._current(u, token) or self.now_ms - token.made_ms > RESET_TOKEN_MS:
            return "TOKEN_REFUSED"
        if self.users[u][m].owner != token.owner:
            return "TOKEN_REFUSED"
        self.users[u][m].lock.clear()
        if self.users[u][m].records:
            self.search[m].clear()
        return "OK"

    def unlock(self, u: int, m: int, delay_ms: int) -> object:
        """The PIN, and some time later what it opens."""
        answer = self.verify_pin(u, "right", -1)
        if answer != ("OK", 0):
            return answer
        self.wait(delay_ms)
        return self.reset_lockout(u, m, 0)

    def authenticator_id(self, u: int, m: int) -> object:
        if u not in self.users:
            return "UNKNOWN_USER"
        sensor = self.users[u][m]
        return sensor.authenticator_id if sensor.records else 0

    def invalidate(self, u: int, m: int) -> object:
        if u in self.users and self.users[u][m].records:
            self.users[u][m].authenticator_id = self.fresh()
            self.users[u][m].lock.stored()
        return self.authenticator_id(u, m)

    # -- sessions and time -------------------------------------------------------------------------------------------

    def open(self, application: int) -> object:
        self.sessions.append((application, "OK"))
        return "OK"

    def use(self, back: int) -> object:
        if back >= len(self.sessions):
            return "no session"
        return self.sessions[-1 - back][1]

    def close(self, back: int) -> object:
        answer = self.use(back)
        if answer in ("no session", "BAD_PARAMETERS"):
            return answer
        application = self.sessions[-1 - back][0]
        self.sessions[-1 - back] = application, "BAD_PARAMETERS"
        for lock in self._locks() if application == BIOMETRIC and answer == "OK" else ():
            lock.ahead = False
        return "OK"

    def _locks(self) -> list[Lock]:
        return [*self.search.values(), *(sensor.lock for user in self.users.values() for sensor in user.values())]

    def _forget_charges(self) -> None:
        for lock in self._locks():
            lock.die()

    def wait(self, ms: int) -> object:
        self.now_ms += ms
        return "OK"

    def die(self, application: int) -> object:
        """What an application had in memory is gone: challenges, and its sessions; TEE_ERROR_TARGET_DEAD in them."""
        if application == BIOMETRIC:
            self.dead |= {challenge[2] for challenge in self.challenges}
            self._forget_charges()
        self.sessions = [
            (of, "TARGET_DEAD" if of == application and state == "OK" else state) for of, state in self.sessions
        ]
        return "OK"

    def restart(self) -> object:
        self._forget_charges()
        self.dead |= {challenge[2] for challenge in self.challenges}
        self.sessions.clear()
        return "OK"

    def reboot(self) -> object:
        self.boot += 1
        self.now_ms = BOOT_MS
        return self.restart()
