"""Answer the commands of `bioguard.commands.policy`: the person's, the operator's, and those of the log.

Enforces who may ask for what (docs/policy.md section 3). What a person does to end or limit the use of their data may
use what the store keeps for erasures; a user without a PIN may decide, but not restrict or ask.

Does not promise: that the operator is one. Whoever holds the device can give these commands; the log says that it was
done so.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from bioguard.commands import policy as commands
from bioguard.commands.status import Done, Nothing, ReplyStatus
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.psa_token import EatProfile
from bioguard.records import rights_requests
from bioguard.records.audit_events import Cause, Event
from bioguard.records.consent import DAY_MS, MAX_MS, ConsentState, Grant, Purpose, granted, withdrawn
from bioguard.trusted.policy.audit_log import LOG_DAYS
from bioguard.trusted.policy.enforcement import PolicyEnforcer
from bioguard.trusted.policy.signing import nonce_digest
from bioguard.trusted.policy.stored_objects import PolicyState
from bioguard.trusted.refusal import Refused
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

INCIDENT_CAUSES = frozenset({Cause.TAMPERED, Cause.ROLLED_BACK, Cause.CLOCK_MOVED, Cause.OVER_BUDGET, Cause.SCRIPTED})


# What a person decides


def _done(
    policy: PolicyEnforcer,
    user: bytes,
    consent: ConsentState,
    event: Event,
    *,
    reserve: Reserve = Reserve.NONE,
    **fields: Any,
) -> Done:
    policy.log.note(event, subject=user, **fields)
    return _stored(policy, user, consent, reserve=reserve)


def _stored(
    policy: PolicyEnforcer,
    user: bytes,
    consent: ConsentState,
    *,
    reserve: Reserve = Reserve.NONE,
    state: PolicyState | None = None,
) -> Done:
    """Store what a user consents to, and drop the galleries: who may be searched for may have changed."""
    policy.store(consent=(user, consent), state=state, reserve=reserve)
    policy.vault.drop_galleries()
    return Done(status=ReplyStatus.OK)


def grant(policy: PolicyEnforcer, request: commands.GrantConsent) -> Done:
    consent = policy.identified(request.user, request.token)
    if not request.of_age:
        raise Refused(ReplyStatus.UNDERAGE)
    wanted = list(product(request.modalities, request.purposes))
    if not request.days or not wanted or len(set(wanted)) < len(wanted):
        raise Refused(ReplyStatus.BAD_REQUEST)
    now_ms, version = policy.log.now_ms(), policy.state.version
    expires_ms = min(now_ms + request.days * DAY_MS, MAX_MS)
    for modality, purpose in wanted:
        about: dict[str, Any] = {"modality": modality, "purpose": purpose}
        new = Grant(policy_version=version, granted_ms=now_ms, expires_ms=expires_ms, **about)
        consent = granted(consent, new)
        policy.log.note(Event.CONSENT_GRANTED, subject=request.user, number=version, **about)
    return _stored(policy, request.user, consent, state=policy.with_expiry(expires_ms))


def withdraw(policy: PolicyEnforcer, request: commands.Withdraw) -> commands.Withdrawn:
    consent = policy.identified(request.user, request.token)
    left = withdrawn(consent, request.modality, request.purpose)
    policy.log.note(Event.CONSENT_WITHDRAWN, subject=request.user, modality=request.modality, purpose=request.purpose)
    return _erased(policy.end_purposes(request.user, left, Cause.WITHDRAWN))


def object_to(policy: PolicyEnforcer, request: commands.ObjectTo) -> Done:
    consent = policy.identified(request.user, request.token)
    objections = tuple(sorted({*consent.objections, int(request.purpose)}))
    consent = replace(consent, objections=objections)
    return _done(policy, request.user, consent, Event.OBJECTED, reserve=Reserve.ALL, purpose=request.purpose)


def confirm(policy: PolicyEnforcer, request: commands.Confirm) -> Done:
    consent = policy.identified(request.user, request.token)
    version = policy.state.version
    grants = tuple(replace(g, policy_version=version) for g in consent.grants)
    return _done(policy, request.user, replace(consent, grants=grants), Event.CONSENT_CONFIRMED, number=version)


def restrict(policy: PolicyEnforcer, request: commands.Restrict) -> Done:
    consent = policy.identified(request.user, request.token, required=True)
    event = Event.RESTRICTED if request.on else Event.UNRESTRICTED
    reserve = Reserve.ALL if request.on else Reserve.NONE
    return _done(policy, request.user, replace(consent, restricted=request.on), event, reserve=reserve)


def mark_underage(policy: PolicyEnforcer, request: commands.MarkUnderage) -> commands.Withdrawn:
    policy.vault.require_user(request.user)
    consent = replace(policy.objects.consent(request.user), grants=(), of_age=False)
    policy.log.note(Event.MARKED_UNDERAGE, subject=request.user)
    return _erased(policy.end_purposes(request.user, consent, Cause.UNDERAGE))


def consents(policy: PolicyEnforcer, request: commands.Consents) -> commands.ConsentsReply:
    policy.vault.require_user(request.user)
    consent = policy.objects.consent(request.user)
    return commands.ConsentsReply(
        status=ReplyStatus.OK,
        grants=consent.grants,
        objections=consent.objections,
        restricted=consent.restricted,
        of_age=consent.of_age,
    )


# The operator: policy version, retention, the register of requests


def set_policy(policy: PolicyEnforcer, request: commands.SetPolicy) -> commands.PolicyReply:
    state = policy.state
    if request.version < state.version or not request.retention_days or not request.minimum_age:
        raise Refused(ReplyStatus.BAD_REQUEST)
    changed = replace(
        state,
        version=request.version,
        minimum_age=request.minimum_age,
        retention_days=request.retention_days,
        next_expiry_ms=0,
    )
    policy.save(changed, Event.POLICY_CHANGED, number=request.version)
    policy.vault.drop_galleries()
    return policy_state(policy, Nothing())


def policy_state(policy: PolicyEnforcer, _request: Nothing) -> commands.PolicyReply:
    state = policy.state
    return commands.PolicyReply(
        status=ReplyStatus.OK,
        version=state.version,
        minimum_age=state.minimum_age,
        retention_days=state.retention_days,
        log_days=LOG_DAYS,
    )


def purge(policy: PolicyEnforcer, request: commands.Purge) -> commands.Purged:
    policy.start()
    purged = policy.purge(confirmed=request.confirmed)
    policy.vault.index.mend()  # last: where it cannot be made of what is left, what is over is gone all the same
    return purged


def at_start(policy: PolicyEnforcer, _request: Nothing) -> commands.Purged:
    policy.start()
    return policy.at_start


def open_request(policy: PolicyEnforcer, request: commands.OpenRequest) -> commands.RequestReply:
    consent = policy.identified(request.user, request.token, required=True)
    number = policy.state.requests + 1
    try:
        opened = rights_requests.opened(number, request.user, request.kind, policy.log.now_ms())
    except ValueError:
        raise Refused(ReplyStatus.BAD_REQUEST) from None
    policy.log.note(Event.REQUEST_OPENED, subject=request.user, cause=request.kind, number=number)
    state = replace(policy.state, requests=number)
    policy.store(request=opened, state=state, consent=(request.user, consent), reserve=Reserve.ALL)
    return commands.RequestReply(status=ReplyStatus.OK, request=opened)


def extend(policy: PolicyEnforcer, request: commands.Extend) -> commands.RequestReply:
    return _step(policy, request.number, Event.REQUEST_EXTENDED, request.reason, rights_requests.extended)


def answer(policy: PolicyEnforcer, request: commands.Answer) -> commands.RequestReply:
    return _step(policy, request.number, Event.REQUEST_ANSWERED, request.answer, rights_requests.answered)


def _step(
    policy: PolicyEnforcer,
    number: int,
    event: Event,
    cause: Cause,
    step: Callable[[rights_requests.RightsRequest, Cause], rights_requests.RightsRequest],
) -> commands.RequestReply:
    old = policy.objects.request(number)
    if old is None:
        raise Refused(ReplyStatus.UNKNOWN_REQUEST)
    try:
        new = step(old, cause)
    except ValueError:
        raise Refused(ReplyStatus.BAD_REQUEST) from None
    policy.log.note(event, subject=new.subject, cause=cause, number=number)
    policy.store(request=new, reserve=Reserve.ALL)
    return commands.RequestReply(status=ReplyStatus.OK, request=new)


def requests(policy: PolicyEnforcer, request: commands.Requests) -> commands.RequestPage:
    last = min(policy.state.requests, max(request.first, 1) + commands.REQUESTS_ITEMS - 1)
    found = (policy.objects.request(number) for number in range(max(request.first, 1), last + 1))
    return commands.RequestPage(status=ReplyStatus.OK, requests=tuple(r for r in found if r is not None))


# The log, the attestation token and incidents


def log_head(policy: PolicyEnforcer, _request: Nothing) -> commands.LogHead:
    head, signing = policy.log.head, policy.signing
    return commands.LogHead(
        status=ReplyStatus.OK,
        size=head.size,
        root=head.frontier.root(),
        first_body=head.first_body,
        signature=signing.checkpoint(head),
        log_key=signing.log_key,
        attestation_key=signing.attestation_key,
    )


def log_read(policy: PolicyEnforcer, request: commands.LogRead) -> commands.LogPage:
    items = policy.log.read(request.first, commands.LOG_READ_ITEMS)
    return commands.LogPage(status=ReplyStatus.OK, items=items)


def records_head(policy: PolicyEnforcer, _request: Nothing) -> commands.RecordsHeadReply:
    epoch, store_root = policy.env.store.state()
    head, signature = policy.signing.records(
        policy.vault.digests(), log_size=policy.log.head.size, epoch=epoch, store_root=store_root
    )
    return commands.RecordsHeadReply(
        status=ReplyStatus.OK,
        size=head.size,
        root=head.root,
        log_size=head.log_size,
        epoch=epoch,
        store_root=store_root,
        signature=signature,
    )


def attest(policy: PolicyEnforcer, request: commands.Attest) -> commands.Attested:
    head, signing = policy.log.head, policy.signing
    try:
        signature = signing.attest(
            head,
            nonce=request.nonce,
            profile=EatProfile.TFM if request.tfm_profile else EatProfile.RFC9783,
            platform=policy.env.platform,
            configuration=policy.vault.configuration,
            profiles=policy.vault.profiles,
        )
    except ProofInvalid:
        raise Refused(ReplyStatus.BAD_REQUEST) from None
    policy.log.note(Event.ATTESTED, digest=nonce_digest(request.nonce))
    return commands.Attested(
        status=ReplyStatus.OK,
        signature=signature,
        boot_seed=signing.boot_seed,
        log_size=head.size,
        log_root=head.frontier.root(),
    )


def incident(policy: PolicyEnforcer, request: commands.ReportIncident) -> Done:
    if request.cause not in INCIDENT_CAUSES:
        raise Refused(ReplyStatus.BAD_REQUEST)
    if request.cause is Cause.OVER_BUDGET:
        policy.log.note(Event.OVER_BUDGET, number=request.number)
    else:
        policy.log.note(Event.INCIDENT, cause=request.cause, number=request.number)
    return Done(status=ReplyStatus.OK)


def acknowledge(policy: PolicyEnforcer, request: commands.Acknowledge) -> Done:
    policy.log.note(Event.INCIDENT_ACKNOWLEDGED, number=request.number)
    return Done(status=ReplyStatus.OK)


def _erased(digests: tuple[bytes, ...]) -> commands.Withdrawn:
    return commands.Withdrawn(status=ReplyStatus.OK, count=len(digests), erased=digests[: commands.MAX_ERASED])


def purpose_of(operation_id: int) -> Purpose:
    """What a 1:1 comparison is for: a key operation, if it names one."""
    return Purpose.KEY_USE if operation_id else Purpose.UNLOCK


_HANDLERS: tuple[tuple[Command[Any, Any], Callable[[PolicyEnforcer, Any], Record]], ...] = (
    (commands.GRANT, grant),
    (commands.WITHDRAW, withdraw),
    (commands.OBJECT, object_to),
    (commands.CONFIRM, confirm),
    (commands.RESTRICT, restrict),
    (commands.MARK_UNDERAGE, mark_underage),
    (commands.CONSENTS, consents),
    (commands.SET_POLICY, set_policy),
    (commands.POLICY_STATE, policy_state),
    (commands.PURGE, purge),
    (commands.AT_START, at_start),
    (commands.OPEN_REQUEST, open_request),
    (commands.EXTEND, extend),
    (commands.ANSWER, answer),
    (commands.REQUESTS, requests),
    (commands.LOG_HEAD, log_head),
    (commands.LOG_READ, log_read),
    (commands.ATTEST, attest),
    (commands.INCIDENT, incident),
    (commands.ACKNOWLEDGE, acknowledge),
    (commands.RECORDS_HEAD, records_head),
)


def handlers(policy: PolicyEnforcer) -> Iterator[tuple[Command[Any, Any], Callable[[Any], Record]]]:
    """The commands to bind."""
    for command, handler in _HANDLERS:
        yield command, partial(handler, policy)
