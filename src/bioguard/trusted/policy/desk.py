"""The policy inside the biometric TA: may this operation go on, what does the person want, what is over.

The application asks at three points (before an enrollment, before a comparison, when a search is built) and tells how a
comparison ended. Everything it changes through `env` is logged.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bioguard.commands import policy as commands
from bioguard.commands.biometric import Leave, Modality, Status
from bioguard.records.events import NOBODY, Cause, Event
from bioguard.records.grants import DAY_MS, MAX_MS, ConsentBook, Purpose, Refusal, allowed, has_purpose_left
from bioguard.records.tokens import TOKEN_KEY_NAME
from bioguard.trusted.biometric.refusal import Refused
from bioguard.trusted.contract.pins import GatekeeperPins
from bioguard.trusted.policy.book import Books, PolicyState
from bioguard.trusted.policy.identity import Identity
from bioguard.trusted.policy.journal import LOG_DAYS, Journal, JournaledStore
from bioguard.trusted.policy.signing import Signing
from tee_sim.errors import UNWRITABLE, TeeError
from tee_sim.ta_api import Reserve, TaEnv, Transaction

__all__ = ["PolicyDesk", "Records"]

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
    """

    users: Callable[[], Iterable[bytes]]
    digests: Callable[[], Iterable[bytes]]
    knows: Callable[[bytes], bool]
    owner: Callable[[bytes], int]
    of: Callable[[bytes], Iterable[tuple[bytes, Modality, int]]]
    erase: Callable[[bytes, bytes], bytes]
    consent_changed: Callable[[], None]


class PolicyDesk:
    """Rules of the policy for one TA. Use `env` instead of the one it was made from."""

    records: Records

    def __init__(self, env: TaEnv) -> None:
        self.journal = Journal(env.store, env.clock, env.rng)
        self.env = replace(env, store=JournaledStore(env.store, self.journal))
        self.books = Books(self.env.store)
        self.identity = Identity(
            env.clock, token_key=lambda: env.keys.shared(TOKEN_KEY_NAME), pins=GatekeeperPins(env.peers)
        )
        self.signing = Signing(env)
        self.state = self.books.policy()
        self._started = False

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
        self.save(replace(self.state, boots=self.state.boots + 1), Event.STARTED, number=self.state.boots + 1)
        self.purge()
        self._started = True

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

    def _until(self, book: ConsentBook, modality: Modality) -> int | None:
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

    def enrolled(self, enrolled_s: int) -> None:
        """A record was stored: know when it will expire."""
        expires_ms = min(enrolled_s * 1000 + self.state.retention_days * DAY_MS, MAX_MS)
        if expires_ms < self.state.next_expiry_ms:
            self.save(replace(self.state, next_expiry_ms=expires_ms))

    def locked(self, user: bytes, modality: Modality, purpose: Purpose) -> None:
        """An attempt was refused by the lockout."""
        self.journal.note(Event.MATCH_REFUSED, subject=user, modality=modality, purpose=purpose, cause=Cause.LOCKED)

    def decided(self, user: bytes | None, modality: Modality, purpose: Purpose, *, accepted: bool) -> None:
        """A comparison ended. user None: a search that found nobody."""
        cause = Cause.ACCEPTED if accepted else Cause.NOT_SIMILAR
        self.journal.note(Event.DECIDED, subject=user or NOBODY, modality=modality, purpose=purpose, cause=cause)

    def change(self, user: bytes, book: ConsentBook, reserve: Reserve) -> None:
        """Store a user's book; whoever may be searched for is looked at anew."""
        with self.env.store.transaction(reserve) as transaction:
            self.books.put_consent(transaction, user, book)
        self.records.consent_changed()

    def forget(self, transaction: Transaction, user: bytes) -> None:
        """A user is removed: so is the book."""
        self.books.forget(transaction, user)
        self.journal.note(Event.USER_REMOVED, subject=user)

    def identified(self, user: bytes, token: bytes, *, required: bool = False) -> ConsentBook:
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
    def authorized_erasure(self, user: bytes, leave: Leave) -> Iterator[None]:
        """Erasures inside the block are the person's own or the operator's. Raises as `identified`."""
        if not leave.by_operator:
            self.identified(user, leave.token)
        with self.journal.because(Cause.BY_OPERATOR if leave.by_operator else Cause.REQUESTED):
            yield

    def erase_where(self, user: bytes, cause: Cause, wanted: Callable[[Modality, int], bool]) -> tuple[bytes, ...]:
        """Erase a user's records for which `wanted(modality, enrolled_s)` holds; give their digests."""
        with self.journal.because(cause):
            doomed = [record_id for record_id, modality, at_s in self.records.of(user) if wanted(modality, at_s)]
            return tuple(self.records.erase(user, record_id) for record_id in doomed)

    def erase_purposeless(self, user: bytes, cause: Cause) -> tuple[bytes, ...]:
        """Erase a user's records of every modality that has no purpose left."""
        book, now_ms = self.books.consent(user), self.journal.now_ms()
        return self.erase_where(user, cause, lambda modality, _: not has_purpose_left(book, modality, now_ms))

    def purge(self) -> commands.Purged:
        """Erase records past their retention or without a live grant, prune the log."""
        now_ms, erased = self.journal.now_ms(), 0
        if now_ms >= self.state.next_expiry_ms:
            keep_ms, left_ms = self.state.retention_days * DAY_MS, MAX_MS
            for user in list(self.records.users()):
                book = self.books.consent(user)
                expired = self.erase_where(user, Cause.RETENTION, lambda _, at_s: at_s * 1000 + keep_ms <= now_ms)
                erased += len(expired) + len(self.erase_purposeless(user, Cause.EXPIRED))
                ends = [at_s * 1000 + keep_ms for _, _, at_s in self.records.of(user)]
                left_ms = min([left_ms, *ends, *(g.expires_ms for g in book.grants if g.expires_ms > now_ms)])
            self.save(replace(self.state, next_expiry_ms=left_ms))
        return commands.Purged(status=Status.OK, erased=erased, pruned=self.journal.prune())

    @property
    def log_days(self) -> int:
        """How long log bodies stay."""
        return LOG_DAYS
