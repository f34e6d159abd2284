"""Enroll and verify PINs. Storage, clock, randomness, keys and the slow hash are arguments.

Departures from AOSP (docs/android-contract.md section 5): Argon2id instead of scrypt; the stored record also names the
current handle, so an old handle with an old PIN does not verify again after a PIN change.
"""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Protocol

from bioguard.commands.gatekeeper import EnrollPin, HasPin, PinEnrolled, PinHeld, PinVerified, VerifyPin
from bioguard.commands.status import GatekeeperStatus
from bioguard.errors import InputRefused
from bioguard.records.password_handle import PasswordHandle
from bioguard.trusted.gatekeeper.throttle import FailureRecord, charged, remaining_ms, retry_timeout_ms
from tee_sim.shared.clock import Clock
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.rng import Rng, nonzero_u64
from tee_sim.shared.schema import Fixed, Record

Stretch = Callable[[bytes, bytes], bytes]
"""(PIN, 16-byte salt) -> 32 bytes, slow on purpose."""


MakeToken = Callable[[bytes, int], bytes]
"""(user, challenge) -> the token of this user's stored PIN, 69 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRecord(Record):
    """What secure storage keeps of one user.

    Attributes:
        failure: the 20-byte failure record.
        handle_digest: SHA-256 of the current 58-byte handle.
    """

    failure: Annotated[bytes, Fixed(FailureRecord.SIZE_BYTES)]
    handle_digest: Annotated[bytes, Fixed(32)]

    @property
    def ids(self) -> bytes:
        """The secure user id, as a token has it."""
        return FailureRecord.from_bytes(self.failure).secure_user_id.to_bytes(8, "little")


class PinRecords(Protocol):
    """Secure storage of one `PinRecord` per user."""

    def load(self, user: bytes) -> PinRecord | None: ...

    def save(self, user: bytes, record: PinRecord) -> None: ...

    def delete(self, user: bytes) -> None: ...


class _RefusedError(Exception):
    def __init__(self, status: GatekeeperStatus, timeout_ms: int = 0) -> None:
        super().__init__(status.name)
        self.status = status
        self.timeout_ms = timeout_ms


class Gatekeeper:
    """PINs of all users.

    Args:
        password_key: 32 bytes, the same after every boot; never the token key.
        make_token: makes the token of the stored PIN of a user, over a challenge.
        rng: makes secure user ids.
        salts: makes salts; the system's on a seeded device too.
        stretch: the slow hash.
    """

    def __init__(
        self,
        *,
        records: PinRecords,
        clock: Clock,
        rng: Rng,
        salts: Rng,
        password_key: bytes,
        make_token: MakeToken,
        stretch: Stretch,
    ) -> None:
        self._records = records
        self._clock = clock
        self._rng = rng
        self._salts = salts
        self._password_key = password_key
        self._make_token = make_token
        self._stretch = stretch

    def enroll(self, request: EnrollPin) -> PinEnrolled:
        """Set a PIN: trusted with the current one (the secure user id stays), untrusted without (a new one)."""
        if not request.desired:
            return PinEnrolled(status=GatekeeperStatus.GENERAL_FAILURE)
        try:
            user_id = self._secure_user_id(request)
        except _RefusedError as refused:
            return PinEnrolled(status=refused.status, timeout_ms=refused.timeout_ms)
        unsigned = PasswordHandle(
            user_id=user_id, salt=int.from_bytes(self._salts.bytes(8), "little"), signature=bytes(32)
        )
        handle = PasswordHandle(
            user_id=user_id, salt=unsigned.salt, signature=self._sign(unsigned, request.desired)
        ).to_bytes()
        failure = FailureRecord(secure_user_id=user_id, last_checked_ms=self._clock.boot_ms())
        self._records.save(request.user, PinRecord(failure=failure.to_bytes(), handle_digest=sha256(handle).digest()))
        return PinEnrolled(status=GatekeeperStatus.OK, secure_user_id=user_id, handle=handle)

    def verify(self, request: VerifyPin) -> PinVerified:
        """Check a PIN; the token's challenge is the caller's, its user id Gatekeeper's."""
        now_ms = self._clock.boot_ms()
        try:
            self._check(request.user, request.handle, request.pin, now_ms)
        except _RefusedError as refused:
            return PinVerified(status=refused.status, timeout_ms=refused.timeout_ms)
        return PinVerified(status=GatekeeperStatus.OK, token=self._make_token(request.user, request.challenge))

    def has_pin(self, request: HasPin) -> PinHeld:
        """Whether a user has a PIN, and of which secure user id. No PIN is looked at, nothing is counted."""
        record = self._records.load(request.user)
        if record is None:
            return PinHeld(status=GatekeeperStatus.OK)
        current = FailureRecord.from_bytes(record.failure).secure_user_id
        return PinHeld(status=GatekeeperStatus.OK, has_pin=True, is_current=current == request.secure_user_id)

    def delete_user(self, user: bytes) -> None:
        """Forget a user. An absent one is no error."""
        self._records.delete(user)

    def _secure_user_id(self, request: EnrollPin) -> int:
        if request.current_handle is not None:
            return self._check(request.user, request.current_handle, request.current, self._clock.boot_ms())
        return nonzero_u64(self._rng)

    def _check(self, user: bytes, handle_bytes: bytes, pin: bytes, now_ms: int) -> int:
        """Return the secure user id of a right PIN, in the order of `throttle`. Raises _RefusedError."""
        # 1. What is stored. A handle that is not this user's is no guess at a PIN, so it is not counted.
        record = self._records.load(user)
        handle = _parsed(handle_bytes)
        if record is None or handle is None or not pin:
            raise _RefusedError(GatekeeperStatus.GENERAL_FAILURE)
        failure = FailureRecord.from_bytes(record.failure)
        if failure.secure_user_id != handle.user_id:
            raise _RefusedError(GatekeeperStatus.GENERAL_FAILURE)
        # 2. In a wait nothing is compared and nothing is counted.
        seen, wait_ms = remaining_ms(failure, now_ms)
        if wait_ms:
            if seen != failure:
                self._save(user, record, seen)
            raise _RefusedError(GatekeeperStatus.RETRY_TIMEOUT, wait_ms)
        # 3. Counted, durably, before the PIN is compared.
        counted = charged(seen, now_ms)
        self._save(user, record, counted)
        # 4. Compared: both in constant time, and both always, so that an old handle looks like a wrong PIN.
        current = hmac.compare_digest(record.handle_digest, sha256(handle_bytes).digest())
        right = hmac.compare_digest(handle.signature, self._sign(handle, pin))
        if not (current and right):
            wait_ms = retry_timeout_ms(counted.failures)
            status = GatekeeperStatus.RETRY_TIMEOUT if wait_ms else GatekeeperStatus.GENERAL_FAILURE
            raise _RefusedError(status, wait_ms)
        # 5. Right: the count begins anew.
        self._save(user, record, FailureRecord(secure_user_id=handle.user_id, last_checked_ms=now_ms))
        return handle.user_id

    def _save(self, user: bytes, record: PinRecord, failure: FailureRecord) -> None:
        self._records.save(user, PinRecord(failure=failure.to_bytes(), handle_digest=record.handle_digest))

    def _sign(self, handle: PasswordHandle, pin: bytes) -> bytes:
        """Bind PIN, salt and the handle's first 17 bytes to this device; the slow hash fixes the PIN's length."""
        salt = handle.salt.to_bytes(8, "little")
        device_salt = hmac.digest(self._password_key, b"pin salt" + handle.signed_head() + salt, "sha256")[:16]
        stretched = self._stretch(pin, device_salt)
        return hmac.digest(self._password_key, b"pin" + handle.signed_head() + salt + stretched, "sha256")


def _parsed(data: bytes) -> PasswordHandle | None:
    try:
        return PasswordHandle.from_bytes(data)
    except InputRefused:
        return None
