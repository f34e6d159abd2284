"""The policy inside the biometric TA: may this operation go on, what does the person want, what is over.

The application asks at three points (before an enrollment, before a comparison, when a search is built) and tells how a
comparison ended. Everything it changes through `env` is logged.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bioguard.commands import policy as commands
from bioguard.commands.biometric import EraseAuthorization, Status
from bioguard.records.audit_events import NOBODY, Cause, Event
from bioguard.records.consent import DAY_MS, MAX_MS, ConsentState, Purpose, Refusal, allowed, purpose_ends_ms
from bioguard.records.modality import Modality
from bioguard.records.tokens import TOKEN_KEY_NAME
from bioguard.trusted.policy.audit_log import LOG_DAYS, AuditedStore, AuditLog, JournalClock
from bioguard.trusted.policy.doubts import in_doubt, skipped
from bioguard.trusted.policy.pin_token_check import Identity
from bioguard.trusted.policy.signing import Signing
from bioguard.trusted.policy.stored_objects import PolicyObjects, PolicyState
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor.pins import GatekeeperPins
from tee_sim.shared.errors import UNWRITABLE, TeeError
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.ta_api import TaEnv, Transaction

STATUS = {refusal: Status[refusal.name if refusal is not Refusal.EXPIRED else "CONSENT_EXPIRED"] for refusal in Refusal}


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the desk needs of the vault.

    Attributes:
        users: all users.
        knows: whether a user exists.
        owner: secure user id of the PIN that a user's enrollments were authorized with; 0 if none was.
        digests: salted digests of all records.
        of: a user's records as (record id, modality, enrolled at, seconds since 1970).
        erase: erase one record of a user, give its digest.
        consent_changed: forget whatever was built from who may be searched for.
        for_testing: whether the device was made with rates that callers choose.
    """

    users: Callable[[], Iterable[bytes]]
    digests: Callable[[], Iterable[bytes]]
    knows: Callable[[bytes], bool]
    owner: Callable[[bytes], int]
    of: Callable[[bytes], Iterable[tuple[bytes, Modality, int]]]
    erase: Callable[[bytes, bytes], bytes]
    consent_changed: Callable[[], None]
    for_testing: Callable[[], bool]


class PolicyEnforcer:
    """Rules of the policy for one TA. Use `env` instead of the one it was made from."""

    records: Records

    def __init__(self, env: TaEnv) -> None:
        self.journal = AuditLog(env.store, env.clock, env.system_rng)
        self.env = replace(
            env, store=AuditedStore(env.store, self.journal), clock=JournalClock(env.clock, self.journal)
        )
        self.books = PolicyObjects(self.env.store)
        self.identity = Identity(
            env.clock, token_key=lambda: env.keys.shared(TOKEN_KEY_NAME), pins=GatekeeperPins(env.peers)
        )
        self.signing = Signing(env)
        self.state = self.books.policy()
        self._started = False
        self.at_start = commands.Purged(status=Status.OK)
        """What the start erased and kept."""

    def start(self, records: Records) -> None:
        """At the start of the secure world: count it, erase what is over, prune the log.

        Where that cannot be written, what is stored can be read and erased; nothing is decided (`ensure_started`).
        """
        self.records = records
        try:
            self.ensure_started()
        except TeeError as error:
            if error.result not in UNWRITABLE:
                raise

    def ensure_started(self) -> None:
        """Before anything is decided: records that are over are gone. Raises TeeError if that cannot be written."""
        if self._started:
            return
        moved_days = self._count_start()
        self.at_start = replace(self.purge(), moved_days=moved_days)
        self._started = True

    def _count_start(self) -> int:
        """Note the start and its time; return how many days the clock skipped since the last one, 0 if it did not."""
        looked, moved_days = self._look(self.journal.now_ms())
        started = replace(looked, boots=looked.boots + 1)
        self.save(started, Event.STARTED, number=started.boots)
        return moved_days

    def _look(self, now_ms: int) -> tuple[PolicyState, int]:
        """The state after a look at the clock, and how many days it skipped since the last one, which is logged."""
        state, last_ms = self.state, self.state.looked_ms or now_ms
        doubts = skipped(state.doubts, last_ms, now_ms)
        moved_days = (now_ms - last_ms) // DAY_MS if doubts != state.doubts else 0
        if moved_days:
            self.journal.note(Event.CLOCK_MOVED, number=moved_days)
        return replace(state, looked_ms=now_ms, doubts=doubts), moved_days

    def save(self, state: PolicyState, event: Event | None = None, *, number: int = 0) -> None:
        """Store the device's policy, with an entry if there is something to tell."""
        if event is not None:
            self.journal.note(event, number=number)
        with self.env.store.transaction() as transaction:
            self.books.put_policy(transaction, state)
        self.state = state

    def refusal(self, user: bytes, modality: Modality, purpose: Purpose | None) -> Refusal | None:
        """Why an operation is not allowed now, or None."""
        book, now_ms = self.books.consent(user), self.journal.now_ms()
        return allowed(book, modality, purpose, policy_version=self.state.version, now_ms=now_ms)

    def searchable(self, modality: Modality) -> dict[bytes, int]:
        """Everybody who may be searched for now, and until which wall time if nothing is changed."""
        found = ((user, self._until(book, modality)) for user, book in self.books.consents())
        return {user: until_ms for user, until_ms in found if until_ms is not None}

    def searchable_until(self, user: bytes, modality: Modality) -> int | None:
        """Until when one user may be searched for; None: not now."""
        return self._until(self.books.consent(user), modality)

    def _until(self, book: ConsentState, modality: Modality) -> int | None:
        now_ms, version = self.journal.now_ms(), self.state.version
        if allowed(book, modality, Purpose.IDENTIFY, policy_version=version, now_ms=now_ms) is not None:
            return None
        return max(g.expires_ms for g in book.grants if (g.modality, g.purpose) == (modality, Purpose.IDENTIFY))

    def require(self, user: bytes, modality: Modality, purpose: Purpose | None) -> None:
        """Raises Refused, and logs it, unless the user consents to this now. purpose None: an enrollment."""
        self.ensure_started()
        refusal = self.refusal(user, modality, purpose)
        if refusal is None:
            return
        cause = Cause[refusal.name]
        if purpose is None:
            self.journal.note(Event.ENROLL_REFUSED, subject=user, modality=modality, cause=cause)
        else:
            self.journal.note(Event.MATCH_REFUSED, subject=user, modality=modality, purpose=purpose, cause=cause)
        raise Refused(STATUS[refusal])

    def expires_ms(self, enrolled_s: int) -> int:
        """When the retention of a record ends. From then on it is refused for use, whether it was erased or not."""
        return min(enrolled_s * 1000 + self.state.retention_days * DAY_MS, MAX_MS)

    def is_over(self, enrolled_s: int) -> bool:
        """Whether the retention of a record has ended."""
        return self.journal.now_ms() >= self.expires_ms(enrolled_s)

    def over(self, user: bytes, modality: Modality, purpose: Purpose) -> None:
        """All that could be compared is over, and still here: the attempt is refused."""
        self.journal.note(Event.MATCH_REFUSED, subject=user, modality=modality, purpose=purpose, cause=Cause.RETENTION)

    def enrolling(self) -> None:
        """A record is about to be stored: know when it will expire first, or a power cut would leave it for ever."""
        expires_ms = self.expires_ms(self.journal.now_ms() // 1000)
        if expires_ms < self.state.next_expiry_ms:
            self.save(replace(self.state, next_expiry_ms=expires_ms))

    def locked(self, user: bytes, modality: Modality, purpose: Purpose) -> None:
        """An attempt was refused by the lockout."""
        self.journal.note(Event.MATCH_REFUSED, subject=user, modality=modality, purpose=purpose, cause=Cause.LOCKED)

    def decided(self, user: bytes | None, modality: Modality, purpose: Purpose, *, accepted: bool) -> None:
        """A comparison ended. user None: a search that found nobody."""
        cause = Cause.ACCEPTED if accepted else Cause.NOT_SIMILAR
        self.journal.note(Event.DECIDED, subject=user or NOBODY, modality=modality, purpose=purpose, cause=cause)

    def change(self, user: bytes, book: ConsentState, reserve: Reserve) -> None:
        """Store a user's book; whoever may be searched for is looked at anew."""
        with self.env.store.transaction(reserve) as transaction:
            self.books.put_consent(transaction, user, book)
        self.records.consent_changed()

    def forget(self, transaction: Transaction, user: bytes) -> None:
        """A user is removed: so is the book."""
        self.books.forget(transaction, user)
        self.journal.note(Event.USER_REMOVED, subject=user)

    def identified(self, user: bytes, token: bytes, *, required: bool = False) -> ConsentState:
        """The book of the user, who has shown the PIN, or never presented one, to consent or to enroll.

        Args:
            required: whether a token is needed in any case.

        Raises:
            Refused: UNKNOWN_USER, or as `Identity.owner`.
        """
        if not self.records.knows(user):
            raise Refused(Status.UNKNOWN_USER)
        book = self.books.consent(user)
        bound = book.secure_user_id or self.records.owner(user)
        return replace(book, secure_user_id=self.identity.owner(user, bound, token, required=required))

    @contextmanager
    def authorized_erasure(self, user: bytes, leave: EraseAuthorization) -> Iterator[None]:
        """Erasures inside the block are the person's own or the operator's. Raises as `identified`."""
        if not leave.by_operator:
            self.identified(user, leave.token)
        with self.journal.because(Cause.BY_OPERATOR if leave.by_operator else Cause.REQUESTED):
            yield

    def erase_purposeless(self, user: bytes, cause: Cause) -> tuple[bytes, ...]:
        """Erase a user's records of every modality that has no purpose left; give their digests."""
        due = self._due(self.journal.now_ms())
        return self._erase(
            user, [(record, cause) for record, ends in self._ends(user).items() if due(ends[Cause.EXPIRED])]
        )

    def _erase(self, user: bytes, doomed: Iterable[tuple[bytes, Cause]]) -> tuple[bytes, ...]:
        digests = []
        for record_id, cause in doomed:
            with self.journal.because(cause):
                digests.append(self.records.erase(user, record_id))
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
        now_ms, digests, moved_days = self.journal.now_ms(), list[bytes](), 0
        if confirmed:
            self.save(replace(self.state, looked_ms=now_ms, doubts=()))
        elif now_ms - self.state.looked_ms >= DAY_MS:
            looked, moved_days = self._look(now_ms)
            self.save(looked)
        due = self._due(now_ms)
        if confirmed or self.state.held or now_ms >= self.state.next_expiry_ms:
            held, next_ms = 0, MAX_MS
            for user in list(self.records.users()):
                doomed = list[tuple[bytes, Cause]]()
                for record_id, ends in self._ends(user).items():
                    causes = [cause for cause, end_ms in ends.items() if due(end_ms)]
                    if causes:
                        doomed.append((record_id, causes[0]))
                    elif min(ends.values()) <= now_ms:
                        held += 1
                    else:
                        next_ms = min(next_ms, *ends.values())
                digests += self._erase(user, doomed)
            self.save(replace(self.state, next_expiry_ms=next_ms, held=held))
        pruned = self.journal.prune(due)
        return commands.Purged(
            status=Status.OK,
            erased=len(digests),
            digests=tuple(digests[: commands.MAX_ERASED]),
            pruned=pruned,
            held=self.state.held,
            log_held=self.journal.overdue(),
            moved_days=moved_days,
        )

    def _ends(self, user: bytes) -> dict[bytes, dict[Cause, int]]:
        """For each record of a user, why it ends and when."""
        book = self.books.consent(user)
        return {
            record_id: {Cause.RETENTION: self.expires_ms(enrolled_s), Cause.EXPIRED: purpose_ends_ms(book, modality)}
            for record_id, modality, enrolled_s in self.records.of(user)
        }

    @property
    def log_days(self) -> int:
        """How long log bodies stay."""
        return LOG_DAYS
