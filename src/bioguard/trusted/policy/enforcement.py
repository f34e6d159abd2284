"""Enforce the policy inside the biometric TA: may this operation go on, what does the person want, what is over.

Enforces: consent, restriction, objection and age before every operation (POL-05, POL-18, POL-20, POL-21, POL-26), the
person's authorization for what is theirs (POL-09, POL-13), retention (POL-10) and the pruning of the log (POL-11). The
facade could forget to ask; in here it cannot.

Does not promise: that a date is right (docs/policy.md section 6), that an age is true, or that consent was understood.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial
from typing import Protocol

from bioguard.commands import policy as commands
from bioguard.commands.biometric import EraseAuthorization
from bioguard.commands.configuration import Configuration, ProfileSummary
from bioguard.commands.policy import RIGHTS_TOKEN_AGE_MS
from bioguard.commands.status import ReplyStatus
from bioguard.records.audit_events import NOBODY, Cause, Event
from bioguard.records.consent import (
    DAY_MS,
    MAX_MS,
    ConsentState,
    Grant,
    Purpose,
    Refusal,
    allowed,
    purpose_ends_ms,
)
from bioguard.records.modality import Modality
from bioguard.records.rights_requests import RightsRequest
from bioguard.records.scores import Basis
from bioguard.records.tokens import TOKEN_KEY_NAME, TokenUnusable
from bioguard.trusted.policy.audit_log import AuditLog
from bioguard.trusted.policy.doubts import in_doubt, skipped
from bioguard.trusted.policy.signing import Signing
from bioguard.trusted.policy.stored_objects import PolicyObjects, PolicyState
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor.pins import GatekeeperPins, Pins, check_pin_token
from tee_sim.shared.errors import UNWRITABLE, TeeError, TeeResult
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.ta_api import TaEnv, Transaction

STATUS = {
    refusal: ReplyStatus[refusal.name if refusal is not Refusal.EXPIRED else "CONSENT_EXPIRED"] for refusal in Refusal
}


class RecordSearch(Protocol):
    """What is stored for searches beside the records."""

    def consent_changed(self, transaction: Transaction, user: bytes, before: ConsentState, after: ConsentState) -> None:
        """Keep it true to a user's consent, together with the change of that."""
        ...

    def mend(self) -> None:
        """Make it anew where it does not fit the records."""
        ...


class RecordKeeper(Protocol):
    """What the rules ask of the vault."""

    @property
    def index(self) -> RecordSearch: ...

    @property
    def configuration(self) -> Configuration: ...
    @property
    def profiles(self) -> tuple[ProfileSummary, ...]: ...
    def users(self) -> Iterable[bytes]: ...
    def require_user(self, user: bytes) -> None:
        """Raises Refused UNKNOWN_USER."""
        ...

    def ages(self, user: bytes) -> Iterable[tuple[bytes, Modality, int]]:
        """A user's records: id, modality, when enrolled (seconds since 1970)."""
        ...

    def erase(self, user: bytes, record_id: bytes, cause: Cause) -> bytes:
        """Erase and log one record of a user; return its digest."""
        ...

    def erase_records(
        self, transaction: Transaction, user: bytes, record_ids: Collection[bytes], cause: Cause
    ) -> tuple[bytes, ...]:
        """Erase and log records of a user, together with other changes; return their digests."""
        ...

    def digests(self) -> Iterable[bytes]:
        """Salted digests of all records."""
        ...

    def drop_galleries(self) -> None:
        """Forget whatever was built from who may be searched for."""
        ...


class PolicyEnforcer:
    """Rules of the policy for one TA.

    Args:
        env: its store writes the log's entries with every transaction.
        vault: whose records the rules are about; it erases what they say is over.
        owner: secure user id of the PIN that a user's enrollments were authorized with; 0 if none was.
    """

    def __init__(self, env: TaEnv, log: AuditLog, vault: RecordKeeper, owner: Callable[[bytes], int]) -> None:
        self.env = env
        self.log = log
        self.vault = vault
        self.objects = PolicyObjects(env.store)
        self.signing = Signing(env)
        self._owner = owner
        self._pins: Pins = GatekeeperPins(env.peers)
        self._state: PolicyState | None = self.objects.policy()
        self._started = False
        self._unwritten = TeeResult.STORAGE_NO_SPACE
        self.at_start = commands.Purged(status=ReplyStatus.OK)
        """What the start erased and kept."""

    @property
    def state(self) -> PolicyState:
        """The device's policy and counters."""
        if self._state is None:
            self._state = self.objects.policy()
        return self._state

    def doubt(self) -> None:
        """A transaction failed: what is held in memory may not be what is stored."""
        self._state = None

    def start(self) -> None:
        """At the start of the secure world, once: count it, erase what is over, prune the log.

        Where that cannot be written, what is stored can be read and erased; nothing is decided (`check_started`) until
        this was done again: after an erasure, a purge, or when the device asks for what is due.
        """
        if self._started:
            return
        try:
            moved_days = self._count_start()
            self.at_start = replace(self.purge(), moved_days=moved_days)
            self._started = True
        except TeeError as error:
            if error.result not in UNWRITABLE:
                raise
            self._unwritten = error.result

    def check_started(self) -> None:
        """Before anything is decided: records that are over are gone. Raises TeeError, one of UNWRITABLE.

        It is not made up for here: a decision may tell little, and what a start does is much (docs/formats/budget.md).
        """
        if not self._started:
            raise TeeError(self._unwritten, "what is due at a start could not be written")

    def _count_start(self) -> int:
        """Note the start and its time; return how many days the clock skipped since the last one, 0 if it did not."""
        looked, moved_days = self._look(self.log.now_ms())
        started = replace(looked, boots=looked.boots + 1)
        self.save(started, Event.STARTED, number=started.boots)
        return moved_days

    def _look(self, now_ms: int) -> tuple[PolicyState, int]:
        """The state after a look at the clock, and how many days it skipped since the last one, which is logged."""
        state, last_ms = self.state, self.state.looked_ms or now_ms
        doubts = skipped(state.doubts, last_ms, now_ms)
        moved_days = (now_ms - last_ms) // DAY_MS if doubts != state.doubts else 0
        if moved_days:
            self.log.note(Event.CLOCK_MOVED, number=moved_days)
        return replace(state, looked_ms=now_ms, doubts=doubts), moved_days

    def save(self, state: PolicyState, event: Event | None = None, *, number: int = 0) -> None:
        """Store the device's policy, with an entry if there is something to report."""
        if event is not None:
            self.log.note(event, number=number)
        self.store(state=state)

    def store(
        self,
        *,
        consent: tuple[bytes, ConsentState] | None = None,
        state: PolicyState | None = None,
        request: RightsRequest | None = None,
        reserve: Reserve = Reserve.NONE,
    ) -> None:
        """Store what belongs together in one transaction, with the entries that were noted."""
        with self.env.store.transaction(reserve) as transaction:
            if request is not None:
                self.objects.put_request(transaction, request)
            if state is not None:
                self.objects.put_policy(transaction, state)
            if consent is not None:
                self._put_consent(transaction, *consent)
        if state is not None:
            self._state = state

    def _put_consent(self, transaction: Transaction, user: bytes, consent: ConsentState) -> None:
        """Store what a user consents to, here and nowhere else: the search index is changed with it."""
        self.vault.index.consent_changed(transaction, user, self.objects.consent(user), consent)
        self.objects.put_consent(transaction, user, consent)

    def refusal(self, user: bytes, modality: Modality, purpose: Purpose | None) -> Refusal | None:
        """Why an operation is not allowed now, or None."""
        consent, now_ms = self.objects.consent(user), self.log.now_ms()
        return allowed(consent, modality, purpose, policy_version=self.state.version, now_ms=now_ms)

    def searchable_under(self, modality: Modality, version: int) -> bool:
        """Whether a consent to be searched for that was given under this version of the policy holds now."""
        grant = Grant(
            modality=modality,
            purpose=Purpose.IDENTIFY,
            policy_version=version,
            granted_ms=0,
            expires_ms=MAX_MS,
        )
        return self._until(ConsentState(grants=(grant,), of_age=True), modality) is not None

    def searchable_until(self, user: bytes, modality: Modality) -> int | None:
        """Until when one user may be searched for; None: not now."""
        return self._until(self.objects.consent(user), modality)

    def comparable_until(self, user: bytes, modality: Modality) -> int | None:
        """Until when decisions about others may be held against what a user has enrolled; None: not now.

        As long as the user could enroll it. The notice says so before anybody consents (POL-14).
        """
        consent = self.objects.consent(user)
        return max(filter(None, (self._until(consent, modality, purpose) for purpose in Purpose)), default=None)

    def _until(self, consent: ConsentState, modality: Modality, purpose: Purpose = Purpose.IDENTIFY) -> int | None:
        now_ms, version = self.log.now_ms(), self.state.version
        if allowed(consent, modality, purpose, policy_version=version, now_ms=now_ms) is not None:
            return None
        return max(g.expires_ms for g in consent.grants if (g.modality, g.purpose) == (modality, purpose))

    def require(self, user: bytes, modality: Modality, purpose: Purpose | None) -> None:
        """Raises Refused, and logs it, unless the user consents to this now. purpose None: an enrollment."""
        self.check_started()
        refusal = self.refusal(user, modality, purpose)
        if refusal is None:
            return
        cause = Cause[refusal.name]
        if purpose is None:
            self.log.note(Event.ENROLL_REFUSED, subject=user, modality=modality, cause=cause)
        else:
            self.log.note(Event.MATCH_REFUSED, subject=user, modality=modality, purpose=purpose, cause=cause)
        raise Refused(STATUS[refusal])

    def expires_ms(self, enrolled_s: int) -> int:
        """When the retention of a record ends. From then on it is refused for use, whether it was erased or not."""
        return min(enrolled_s * 1000 + self.state.retention_days * DAY_MS, MAX_MS)

    def is_over(self, enrolled_s: int) -> bool:
        """Whether the retention of a record has ended."""
        return self.log.now_ms() >= self.expires_ms(enrolled_s)

    def log_expired(self, user: bytes, modality: Modality, purpose: Purpose) -> None:
        """Log an attempt that is refused because all that could be compared is over, and still here."""
        self.log.note(Event.MATCH_REFUSED, subject=user, modality=modality, purpose=purpose, cause=Cause.RETENTION)

    def with_expiry(self, ends_ms: int) -> PolicyState | None:
        """Return the state that knows when something ends first, if it does not yet; to be stored with what ends.

        Stored later, a power cut between the two would keep the record for ever: a start looks at the records only
        when the first one is due (POL-10).
        """
        return replace(self.state, next_expiry_ms=ends_ms) if ends_ms < self.state.next_expiry_ms else None

    def enrolled(self, transaction: Transaction, enrolled_s: int) -> None:
        """A record is stored in this transaction: know when it is over."""
        state = self.with_expiry(self.expires_ms(enrolled_s))
        if state is not None:
            self.objects.put_policy(transaction, state)
            self._state = state  # `doubt` takes it back

    def log_locked(self, user: bytes, modality: Modality, purpose: Purpose) -> None:
        """Log an attempt that the lockout refuses."""
        self.log.note(Event.MATCH_REFUSED, subject=user, modality=modality, purpose=purpose, cause=Cause.LOCKED)

    def log_decision(
        self, user: bytes | None, modality: Modality, purpose: Purpose, *, accepted: bool, basis: Basis | None
    ) -> None:
        """Log how a comparison ended. user None: a search that found no one. basis None: there was nobody to search."""
        cause = Cause.ACCEPTED if accepted else Cause.NOT_SIMILAR
        who = user or NOBODY
        self.log.note(Event.DECIDED, subject=who, modality=modality, purpose=purpose, cause=cause, number=basis)

    def forget(self, transaction: Transaction, user: bytes) -> None:
        """A user is removed, and the consents with them."""
        self.objects.forget(transaction, user)
        self.log.note(Event.USER_REMOVED, subject=user)

    def identified(self, user: bytes, token: bytes, *, required: bool = False) -> ConsentState:
        """Return the consents of a user who has shown the PIN, or who never showed one to consent or to enroll.

        The secure user id in them is that of their owner from now on; 0: no owner yet.

        Args:
            required: whether a token is needed even while they belong to no PIN.

        Raises:
            Refused: UNKNOWN_USER; TOKEN_REFUSED, one answer for all that is wrong with a token (`erase.without-pin`);
                NOT_OWNER to the user who has shown the PIN, when what is here belongs to an earlier one.
        """
        # 1. A known user.
        self.vault.require_user(user)
        consent = self.objects.consent(user)
        # 2. Whose they are: of the PIN shown to consent, else of the one shown to enroll (`consent.without-pin`).
        bound = consent.secure_user_id or self._owner(user)
        # 3. Of none yet: whoever holds the device decides for the user, except where a person has to be named.
        if not token and not required and not bound:
            return consent
        # 4. The PIN, before it matters whose they are: only its holder may learn that it was reset since.
        try:
            seen = check_pin_token(
                token,
                user=user,
                check=partial(self.env.keys.check, TOKEN_KEY_NAME),
                now_ms=self.env.clock.boot_ms(),
                pins=self._pins,
                max_age_ms=RIGHTS_TOKEN_AGE_MS,
            )
        except TokenUnusable:
            raise Refused(ReplyStatus.TOKEN_REFUSED) from None
        # 5. Of the PIN they belong to: one that was set anew decides about nothing of before.
        if bound not in (0, seen.user_id):
            raise Refused(ReplyStatus.NOT_OWNER)
        return replace(consent, secure_user_id=seen.user_id)

    def authorize_erasure(self, user: bytes, authorization: EraseAuthorization) -> Cause:
        """Check that an erasure is the person's own or the operator's; return which, for the log.

        The two must not be confused afterwards (docs/policy.md section 3). Raises as `identified`.
        """
        if authorization.by_operator:
            return Cause.BY_OPERATOR
        self.identified(user, authorization.token)
        return Cause.REQUESTED

    def end_purposes(self, user: bytes, consent: ConsentState, cause: Cause) -> tuple[bytes, ...]:
        """Store what a user still consents to, and erase the records that have no purpose left; return their digests.

        One transaction: after a power cut between the two the records would stay until something else of the device
        ends, which may be a year (POL-21).
        """
        due = self._due(self.log.now_ms())
        gone = [record_id for record_id, ends in self._ends(user, consent).items() if due(ends[Cause.EXPIRED])]
        with self.env.store.transaction(Reserve.ALL) as transaction:
            digests = self.vault.erase_records(transaction, user, gone, cause)
            self._put_consent(transaction, user, consent)
        self.vault.drop_galleries()
        return digests

    def _erase(self, user: bytes, to_erase: Iterable[tuple[bytes, Cause]]) -> tuple[bytes, ...]:
        digests = []
        for record_id, cause in to_erase:
            digests.append(self.vault.erase(user, record_id, cause))
        return tuple(digests)

    def _due(self, now_ms: int) -> Callable[[int], bool]:
        """Whether what ends at a time is over, and surely so that it may be erased.

        What was skipped since the last look at the clock counts as well: it may be set while the device runs.
        """
        doubts = skipped(self.state.doubts, self.state.looked_ms or now_ms, now_ms)
        return lambda end_ms: end_ms <= now_ms and not in_doubt(doubts, end_ms)

    def purge(self, *, confirmed: bool = False) -> commands.Purged:
        """Erase records past their retention or without a live grant, prune the log.

        Args:
            confirmed: erase as well what became old within spans in doubt; these are settled then.
        """
        now_ms, digests, moved_days = self.log.now_ms(), list[bytes](), 0
        if confirmed:
            self.save(replace(self.state, looked_ms=now_ms, doubts=()))
        elif now_ms - self.state.looked_ms >= DAY_MS:
            looked, moved_days = self._look(now_ms)
            self.save(looked)
        due = self._due(now_ms)
        if confirmed or self.state.held or now_ms >= self.state.next_expiry_ms:
            held, next_ms = 0, MAX_MS
            for user in self.vault.users():
                to_erase = list[tuple[bytes, Cause]]()
                for record_id, ends in self._ends(user, self._readable_consent(user)).items():
                    causes = [cause for cause, end_ms in ends.items() if due(end_ms)]
                    if causes:
                        to_erase.append((record_id, causes[0]))
                    elif min(ends.values()) <= now_ms:
                        held += 1
                    else:
                        next_ms = min(next_ms, *ends.values())
                digests += self._erase(user, to_erase)
            self.save(replace(self.state, next_expiry_ms=next_ms, held=held))
        pruned = self.log.prune(due)
        return commands.Purged(
            status=ReplyStatus.OK,
            erased=len(digests),
            digests=tuple(digests[: commands.MAX_ERASED]),
            pruned=pruned,
            held=self.state.held,
            log_held=self.log.overdue(),
            moved_days=moved_days,
        )

    def _readable_consent(self, user: bytes) -> ConsentState | None:
        """What a user consents to; None where the row is damaged."""
        try:
            return self.objects.consent(user)
        except TeeError as error:
            if error.result is not TeeResult.CORRUPT_OBJECT:
                raise
            return None

    def _ends(self, user: bytes, consent: ConsentState | None) -> dict[bytes, dict[Cause, int]]:
        """For each record of a user who consents to this, why it ends and when.

        Where the consents cannot be read, the retention alone: one damaged row must not keep a start from erasing.
        """

        def until_ms(modality: Modality) -> int:
            return MAX_MS if consent is None else purpose_ends_ms(consent, modality)

        return {
            record_id: {Cause.RETENTION: self.expires_ms(enrolled_s), Cause.EXPIRED: until_ms(modality)}
            for record_id, modality, enrolled_s in self.vault.ages(user)
        }
