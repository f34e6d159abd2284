"""The commands of `bioguard.commands.policy`, answered by the desk."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bioguard.commands import policy as commands
from bioguard.commands.biometric import Status
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.psa_token import Profile
from bioguard.records import rights_requests
from bioguard.records.audit_events import Cause, Event
from bioguard.records.consent import DAY_MS, MAX_MS, ConsentState, Grant, Purpose, granted, withdrawn
from bioguard.trusted.policy.enforcement import PolicyEnforcer
from bioguard.trusted.policy.signing import nonce_digest
from bioguard.trusted.refusal import Refused
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

INCIDENT_CAUSES = frozenset({Cause.TAMPERED, Cause.ROLLED_BACK, Cause.CLOCK_MOVED})


def handlers(desk: PolicyEnforcer) -> Iterator[tuple[Command[Any, Any], Callable[[Any], Record]]]:
    """The commands to bind."""
    people, office, evidence = _People(desk), _Office(desk), _Evidence(desk)
    yield commands.GRANT, people.grant
    yield commands.WITHDRAW, people.withdraw
    yield commands.OBJECT, people.object_to
    yield commands.CONFIRM, people.confirm
    yield commands.RESTRICT, people.restrict
    yield commands.MARK_UNDERAGE, people.mark_underage
    yield commands.CONSENTS, people.consents
    yield commands.SET_POLICY, office.set_policy
    yield commands.POLICY_STATE, office.policy_state
    yield commands.PURGE, office.purge
    yield commands.AT_START, office.at_start
    yield commands.OPEN_REQUEST, office.open_request
    yield commands.EXTEND, office.extend
    yield commands.ANSWER, office.answer
    yield commands.REQUESTS, office.requests
    yield commands.LOG_HEAD, evidence.log_head
    yield commands.LOG_READ, evidence.log_read
    yield commands.ATTEST, evidence.attest
    yield commands.INCIDENT, evidence.incident
    yield commands.ACKNOWLEDGE, evidence.acknowledge
    yield commands.RECORDS_HEAD, evidence.records_head


class _People:
    """What a person decides; what ends or limits the use of their data may use what the store keeps for erasures.

    A user without a PIN may decide, but not restrict or ask (docs/policy.md section 3).
    """

    def __init__(self, desk: PolicyEnforcer) -> None:
        self._desk = desk

    def _done(
        self, user: bytes, book: ConsentState, event: Event, *, reserve: Reserve = Reserve.NONE, **fields: Any
    ) -> commands.PolicyDone:
        self._desk.journal.note(event, subject=user, **fields)
        self._desk.change(user, book, reserve)
        return commands.PolicyDone(status=Status.OK)

    def grant(self, request: commands.GrantConsent) -> commands.PolicyDone:
        desk = self._desk
        book = desk.identified(request.user, request.token)
        if not request.of_age:
            raise Refused(Status.UNDERAGE)
        if not request.days:
            raise Refused(Status.BAD_REQUEST)
        now_ms, version = desk.journal.now_ms(), desk.state.version
        grant = Grant(
            modality=request.modality,
            purpose=request.purpose,
            policy_version=version,
            granted_ms=now_ms,
            expires_ms=min(now_ms + request.days * DAY_MS, MAX_MS),
        )
        done = self._done(
            request.user,
            granted(book, grant),
            Event.CONSENT_GRANTED,
            modality=request.modality,
            purpose=request.purpose,
            number=version,
        )
        if grant.expires_ms < desk.state.next_expiry_ms:
            desk.save(replace(desk.state, next_expiry_ms=grant.expires_ms))
        return done

    def withdraw(self, request: commands.Withdraw) -> commands.Withdrawn:
        book = self._desk.identified(request.user, request.token)
        left = withdrawn(book, request.modality, request.purpose)
        self._done(
            request.user,
            left,
            Event.CONSENT_WITHDRAWN,
            reserve=Reserve.ALL,
            modality=request.modality,
            purpose=request.purpose,
        )
        return _erased(self._desk.erase_purposeless(request.user, Cause.WITHDRAWN))

    def object_to(self, request: commands.ObjectTo) -> commands.PolicyDone:
        book = self._desk.identified(request.user, request.token)
        objections = tuple(sorted({*book.objections, int(request.purpose)}))
        book = replace(book, objections=objections)
        return self._done(request.user, book, Event.OBJECTED, reserve=Reserve.ALL, purpose=request.purpose)

    def confirm(self, request: commands.Confirm) -> commands.PolicyDone:
        book = self._desk.identified(request.user, request.token)
        version = self._desk.state.version
        grants = tuple(replace(g, policy_version=version) for g in book.grants)
        return self._done(request.user, replace(book, grants=grants), Event.CONSENT_CONFIRMED, number=version)

    def restrict(self, request: commands.Restrict) -> commands.PolicyDone:
        book = self._desk.identified(request.user, request.token, required=True)
        event = Event.RESTRICTED if request.on else Event.UNRESTRICTED
        reserve = Reserve.ALL if request.on else Reserve.NONE
        return self._done(request.user, replace(book, restricted=request.on), event, reserve=reserve)

    def mark_underage(self, request: commands.MarkUnderage) -> commands.Withdrawn:
        if not self._desk.records.knows(request.user):
            raise Refused(Status.UNKNOWN_USER)
        book = replace(self._desk.books.consent(request.user), grants=(), of_age=False)
        self._done(request.user, book, Event.MARKED_UNDERAGE, reserve=Reserve.ALL)
        return _erased(self._desk.erase_purposeless(request.user, Cause.UNDERAGE))

    def consents(self, request: commands.Consents) -> commands.ConsentsReply:
        if not self._desk.records.knows(request.user):
            raise Refused(Status.UNKNOWN_USER)
        book = self._desk.books.consent(request.user)
        return commands.ConsentsReply(
            status=Status.OK,
            grants=book.grants,
            objections=book.objections,
            restricted=book.restricted,
            of_age=book.of_age,
        )


class _Office:
    """The operator's part: policy version, retention, the register of requests."""

    def __init__(self, desk: PolicyEnforcer) -> None:
        self._desk = desk

    def set_policy(self, request: commands.SetPolicy) -> commands.PolicyReply:
        state = self._desk.state
        if request.version < state.version or not request.retention_days or not request.minimum_age:
            raise Refused(Status.BAD_REQUEST)
        changed = replace(
            state,
            version=request.version,
            minimum_age=request.minimum_age,
            retention_days=request.retention_days,
            next_expiry_ms=0,
        )
        self._desk.save(changed, Event.POLICY_CHANGED, number=request.version)
        self._desk.records.consent_changed()
        return self.policy_state(commands.Nothing())

    def policy_state(self, _request: commands.Nothing) -> commands.PolicyReply:
        state = self._desk.state
        return commands.PolicyReply(
            status=Status.OK,
            version=state.version,
            minimum_age=state.minimum_age,
            retention_days=state.retention_days,
            log_days=self._desk.log_days,
        )

    def purge(self, request: commands.Purge) -> commands.Purged:
        return self._desk.purge(confirmed=request.confirmed)

    def at_start(self, _request: commands.Nothing) -> commands.Purged:
        return self._desk.at_start

    def open_request(self, request: commands.OpenRequest) -> commands.RequestReply:
        desk = self._desk
        book = desk.identified(request.user, request.token, required=True)
        number = desk.state.requests + 1
        try:
            opened = rights_requests.opened(number, request.user, request.kind, desk.journal.now_ms())
        except ValueError:
            raise Refused(Status.BAD_REQUEST) from None
        desk.journal.note(Event.REQUEST_OPENED, subject=request.user, cause=request.kind, number=number)
        state = replace(desk.state, requests=number)
        with desk.env.store.transaction(Reserve.ALL) as transaction:
            desk.books.put_request(transaction, opened)
            desk.books.put_policy(transaction, state)
            desk.books.put_consent(transaction, request.user, book)
        desk.state = state
        return commands.RequestReply(status=Status.OK, request=opened)

    def extend(self, request: commands.Extend) -> commands.RequestReply:
        return self._step(request.number, Event.REQUEST_EXTENDED, request.reason, rights_requests.extended)

    def answer(self, request: commands.Answer) -> commands.RequestReply:
        return self._step(request.number, Event.REQUEST_ANSWERED, request.answer, rights_requests.answered)

    def _step(
        self,
        number: int,
        event: Event,
        cause: Cause,
        step: Callable[[rights_requests.RightsRequest, Cause], rights_requests.RightsRequest],
    ) -> commands.RequestReply:
        desk = self._desk
        old = desk.books.request(number)
        if old is None:
            raise Refused(Status.UNKNOWN_REQUEST)
        try:
            new = step(old, cause)
        except ValueError:
            raise Refused(Status.BAD_REQUEST) from None
        desk.journal.note(event, subject=new.subject, cause=cause, number=number)
        with desk.env.store.transaction(Reserve.ALL) as transaction:
            desk.books.put_request(transaction, new)
        return commands.RequestReply(status=Status.OK, request=new)

    def requests(self, request: commands.Requests) -> commands.RequestPage:
        last = min(self._desk.state.requests, max(request.first, 1) + commands.REQUESTS_ITEMS - 1)
        found = (self._desk.books.request(number) for number in range(max(request.first, 1), last + 1))
        return commands.RequestPage(status=Status.OK, requests=tuple(r for r in found if r is not None))


class _Evidence:
    """The log, the attestation token and incidents."""

    def __init__(self, desk: PolicyEnforcer) -> None:
        self._desk = desk

    def log_head(self, _request: commands.Nothing) -> commands.LogHead:
        head, signing = self._desk.journal.head, self._desk.signing
        return commands.LogHead(
            status=Status.OK,
            size=head.size,
            root=head.frontier.root(),
            first_body=head.first_body,
            signature=signing.checkpoint(head),
            log_key=signing.log_key,
            attestation_key=signing.attestation_key,
        )

    def log_read(self, request: commands.LogRead) -> commands.LogPage:
        items = self._desk.journal.read(request.first, commands.LOG_READ_ITEMS)
        return commands.LogPage(status=Status.OK, items=items)

    def records_head(self, _request: commands.Nothing) -> commands.RecordsHeadReply:
        desk = self._desk
        epoch, store_root = desk.env.store.state()
        head, signature = desk.signing.records(
            desk.records.digests(), log_size=desk.journal.head.size, epoch=epoch, store_root=store_root
        )
        return commands.RecordsHeadReply(
            status=Status.OK,
            size=head.size,
            root=head.root,
            log_size=head.log_size,
            epoch=epoch,
            store_root=store_root,
            signature=signature,
        )

    def attest(self, request: commands.Attest) -> commands.Attested:
        head, signing = self._desk.journal.head, self._desk.signing
        try:
            signature = signing.attest(
                head,
                nonce=request.nonce,
                profile=Profile.TFM if request.tfm_profile else Profile.RFC9783,
                platform=self._desk.env.platform,
                for_testing=self._desk.records.for_testing(),
            )
        except ProofInvalid:
            raise Refused(Status.BAD_REQUEST) from None
        self._desk.journal.note(Event.ATTESTED, digest=nonce_digest(request.nonce))
        return commands.Attested(
            status=Status.OK,
            signature=signature,
            boot_seed=signing.boot_seed,
            log_size=head.size,
            log_root=head.frontier.root(),
        )

    def incident(self, request: commands.Incident) -> commands.PolicyDone:
        if request.cause not in INCIDENT_CAUSES:
            raise Refused(Status.BAD_REQUEST)
        self._desk.journal.note(Event.INCIDENT, cause=request.cause, number=request.number)
        return commands.PolicyDone(status=Status.OK)

    def acknowledge(self, request: commands.Acknowledge) -> commands.PolicyDone:
        self._desk.journal.note(Event.INCIDENT_ACKNOWLEDGED, number=request.number)
        return commands.PolicyDone(status=Status.OK)


def _erased(digests: tuple[bytes, ...]) -> commands.Withdrawn:
    return commands.Withdrawn(status=Status.OK, count=len(digests), erased=digests[: commands.MAX_ERASED])


def purpose_of(operation_id: int) -> Purpose:
    """What a 1:1 comparison is for: a key operation, if it names one."""
    return Purpose.KEY_USE if operation_id else Purpose.UNLOCK
