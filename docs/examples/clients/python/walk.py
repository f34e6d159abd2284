"""One walk through a device from a fresh one to its closed sessions: `python walk.py DIR [FRAMES]`.

Starts `bioguard --device DIR serve --stdio --protocol 2`. With FRAMES (`bioguard scenario frames`) first repeats a
recorded scenario and compares every frame. Prints what it does, and the callbacks as they come.
"""

import sys
from pathlib import Path

from bioguard2 import Client, Event, Malformed, Method, Refused, Value, field

NAME, PIN = b"user-10", b"4711"
FINGERPRINT, FACE = 1, 2
UNLOCK, KEY_USE = 1, 2
HMAC_SHA256, BIOMETRIC = 128, 2
CALLBACKS = (
    "", "onChallengeGenerated", "onChallengeRevoked", "onAcquired", "onEnrollmentFrame", "onEnrollmentProgress",
    "onAuthenticationSucceeded", "onAuthenticationFailed", "onLockoutTimed", "onLockoutPermanent", "onLockoutCleared",
    "onInteractionDetected", "onEnrollmentsEnumerated", "onEnrollmentsRemoved", "onAuthenticatorIdRetrieved",
    "onAuthenticatorIdInvalidated", "onFeaturesRetrieved", "onFeatureSet", "onError", "onSessionClosed", "restarted",
    "onAuthenticationFrame",
)  # fmt: skip
GENERATED, PROGRESS, SUCCEEDED, TIMED, PERMANENT = 1, 5, 6, 8, 9


def shown(value: Value) -> str:
    """A value of a callback; what is in a byte string is nobody's business."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


class Walk:
    """The steps, and the last fields of each callback."""

    def __init__(self, directory: str) -> None:
        self.seen: dict[int, list[Value]] = {}
        command = ["bioguard", "--device", directory, "serve", "--stdio", "--protocol", "2"]
        self.client = Client(command, self.on_event)
        self.session = 0

    def on_event(self, event: Event) -> None:
        """Print a callback and remember it."""
        self.seen[event.number] = event.fields
        print(f"  {CALLBACKS[event.number]}({', '.join(map(shown, event.fields))})")

    def came(self, callback: int, place: int) -> Value:
        """A field of a callback that must have come."""
        if callback not in self.seen:
            raise Malformed(f"{CALLBACKS[callback]} did not come")
        return self.seen[callback][place]

    def call(self, method: Method, *fields: Value) -> Value:
        """A call with one field in its answer."""
        return self.client.call(method, *fields, answer=1)[0]

    def begin(self, method: Method, *fields: Value) -> Value:
        """Start an operation of the session, after a line that names it; its number."""
        first, *words = method.name.lower().split("_")
        print(first + "".join(map(str.title, words)))
        return self.call(method, self.session, *fields)

    def present(self, person: int, position: int, impression: int) -> None:
        """Put a finger on the sensor, or hold a face (position 0) before it."""
        form, sample = self.client.call(Method.SIMULATED_SAMPLE, person, position, impression, answer=2)
        self.client.call(Method.PRESENT, self.session, form, sample, None)

    def pin_token(self, challenge: int) -> Value:
        """The token of a right PIN."""
        return self.call(Method.VERIFY_PIN, NAME, PIN, challenge)

    def open(self, sensor: int) -> None:
        """Open a session of this user on a sensor."""
        print(f"createSession {sensor}")
        self.session = field(self.call(Method.CREATE_SESSION, NAME, sensor), int)

    def cancel(self, operation: Value) -> None:
        """Cancel an operation of the session."""
        print("cancel")
        self.client.call(Method.CANCEL, self.session, operation)

    def enroll(self, position: int, options: Value) -> None:
        """Challenge, PIN, touches or views until none remains."""
        self.begin(Method.GENERATE_CHALLENGE)
        token = self.pin_token(field(self.came(GENERATED, 0), int))
        self.begin(Method.ENROLL, token, None, 0, None, options)
        self.seen[PROGRESS] = [0, 1]
        for impression in range(16):
            if self.seen[PROGRESS][1] != 0:
                self.present(1, position, impression)

    def authenticate(self, operation_id: int, position: int) -> Value:
        """Authenticate for an operation; the token, checked."""
        self.begin(Method.AUTHENTICATE, operation_id, None)
        self.present(1, position, 20)
        token = self.came(SUCCEEDED, 1)
        challenge, user, authenticator, kind, _ = self.client.call(Method.CHECK_TOKEN, token, answer=5)
        if (challenge, user, kind) != (operation_id, self.user, BIOMETRIC) or not authenticator:
            raise Malformed("another token")
        print("token is genuine")
        return token

    def lock_out(self) -> None:
        """Touch with a wrong finger until that is over for good: waiting out what is only for a time."""
        while PERMANENT not in self.seen:
            self.seen.pop(TIMED, None)
            operation = self.begin(Method.AUTHENTICATE, 0, None)
            for impression in range(5):
                self.present(2, 1, impression)
            self.cancel(operation)
            if TIMED in self.seen:
                print("clock advances")
                self.client.call(Method.CLOCK_ADVANCE, self.seen[TIMED][0], answer=3)

    def keys(self) -> None:
        """A key that each use needs a token for."""
        key = self.client.call(Method.KEY_CREATE, NAME, HMAC_SHA256, True, True, None, answer=3)[0]
        try:
            self.call(Method.KEY_FINISH, self.call(Method.KEY_BEGIN, key, b""), b"message", b"")
        except Refused as refusal:
            print(f"key without a token: {refusal.code}")
        operation = field(self.call(Method.KEY_BEGIN, key, b""), int)
        signature = self.call(Method.KEY_FINISH, operation, b"message", self.authenticate(operation, 1))
        print(f"signature: {shown(signature)}")

    def run(self, frames: Path | None) -> None:
        """All of it."""
        print(f"hello {shown(self.client.hello[0])}")
        if frames:
            print("replayed {} requests, {} frames as recorded".format(*self.client.replay(frames)))
        self.client.call(Method.ADD_USER, NAME)
        for modality in (FINGERPRINT, FACE):
            self.client.call(Method.CONSENT, NAME, modality, [UNLOCK, KEY_USE], 365, True, b"")
        self.user = self.call(Method.SET_PIN, NAME, PIN, None)
        self.open(0)
        self.enroll(1, None)
        self.authenticate(77, 1)
        self.lock_out()
        self.begin(Method.RESET_LOCKOUT, self.pin_token(0))
        self.keys()
        self.cancel(self.begin(Method.AUTHENTICATE, 0, None))
        self.client.call(Method.CLOSE, self.session)
        self.open(1)
        self.enroll(0, [0, [], False])
        self.authenticate(78, 0)
        self.client.call(Method.CLOSE, self.session)
        print(f"exit code {self.client.close()}")


if __name__ == "__main__":
    try:
        Walk(sys.argv[1]).run(Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    except Refused as refusal:
        sys.exit(f"client: refused: {refusal.code}: {refusal.message}")
    except Malformed as error:
        sys.exit(f"client: {error}")
