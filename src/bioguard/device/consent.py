"""Consent, rights, retention, log and attestation of a device, in the caller's words.

    grant(device, "alice", Modality.FACE, Purpose.UNLOCK, days=365, of_age=True, token=token)
    withdraw(device, "alice", Modality.FACE, Purpose.UNLOCK, token=token)      # erases what has no purpose left
    open_request(device, "alice", Cause.ACCESS, token=token)

`token` is a fresh PIN token of the user (`bioguard.device.pins.verify_pin`); users without a PIN may leave it
out where they only decide about their consent.
"""

from collections.abc import Iterator

from bioguard.commands import policy as commands
from bioguard.commands.status import Nothing
from bioguard.device.errors import promised
from bioguard.device.facade import Device
from bioguard.device.incidents import record_clock_moved, settle_clock_moved
from bioguard.errors import InputRefused, IntegrityFailure, WrongUsage
from bioguard.log.signed_log import SignedLog
from bioguard.proofs import cose
from bioguard.proofs.checkpoint import Checkpoint
from bioguard.proofs.device_claims import AttestedHosts, AttestedSettings, device_claims
from bioguard.proofs.notes import NoteKey
from bioguard.proofs.origin import log_origin
from bioguard.proofs.psa_token import Claims, EatProfile, check_nonce
from bioguard.records.audit_events import Cause, LogItem
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.records.rights_requests import RightsRequest

DEFAULT_DAYS = 365
"""A year: as long as the default retention of a record."""


def grant(
    device: Device,
    name: str,
    modality: Modality,
    purpose: Purpose,
    *,
    days: int = DEFAULT_DAYS,
    of_age: bool,
    token: bytes = b"",
) -> None:
    """Record a consent. Raises NotPermitted without the age attestation, or with a token that is not this user's."""
    grant_each(device, name, (modality,), (purpose,), days=days, of_age=of_age, token=token)


def grant_each(
    device: Device,
    name: str,
    modalities: tuple[Modality, ...],
    purposes: tuple[Purpose, ...],
    *,
    days: int = DEFAULT_DAYS,
    of_age: bool,
    token: bytes = b"",
) -> None:
    """Record consents to each of these purposes for each of these modalities, all or none. Raises as `grant`."""
    user = device.user_handle(name)
    request = commands.GrantConsent(
        user=user, modalities=modalities, purposes=purposes, days=days, of_age=of_age, token=token
    )
    device.ask(commands.GRANT, request, about=repr(name))


def grant_all(device: Device, name: str, *, days: int = DEFAULT_DAYS, of_age: bool, token: bytes = b"") -> None:
    """Record a consent to every modality and purpose at once: for demonstrations and benches."""
    grant_each(device, name, tuple(Modality), tuple(Purpose), days=days, of_age=of_age, token=token)


def withdraw(device: Device, name: str, modality: Modality, purpose: Purpose, *, token: bytes = b"") -> tuple[str, ...]:
    """Take a consent back; return the digests (hex) of the records erased because no purpose is left."""
    request = commands.Withdraw(user=device.user_handle(name), modality=modality, purpose=purpose, token=token)
    answer = device.ask(commands.WITHDRAW, request, about=repr(name))
    return tuple(digest.hex() for digest in answer.erased)


def object_to(device: Device, name: str, purpose: Purpose, *, token: bytes = b"") -> None:
    """Object to a purpose; processing for it stops at once."""
    request = commands.ObjectTo(user=device.user_handle(name), purpose=purpose, token=token)
    device.ask(commands.OBJECT, request, about=repr(name))


def confirm(device: Device, name: str, *, token: bytes = b"") -> None:
    """Confirm the grants under the present policy version."""
    request = commands.Confirm(user=device.user_handle(name), token=token)
    device.ask(commands.CONFIRM, request, about=repr(name))


def restrict(device: Device, name: str, *, on: bool, token: bytes) -> None:
    """Start or end a restriction. Raises NotPermitted without a fresh PIN token of the user."""
    request = commands.Restrict(user=device.user_handle(name), on=on, token=token)
    device.ask(commands.RESTRICT, request, about=repr(name))


def mark_underage(device: Device, name: str) -> tuple[str, ...]:
    """The user turned out to be a child: erase everything; return the digests (hex)."""
    answer = device.ask(commands.MARK_UNDERAGE, commands.MarkUnderage(user=device.user_handle(name)), about=repr(name))
    return tuple(digest.hex() for digest in answer.erased)


def consents(device: Device, name: str) -> commands.ConsentsReply:
    """What a user decided."""
    return device.ask(commands.CONSENTS, commands.Consents(user=device.user_handle(name)), about=repr(name))


def policy_state(device: Device) -> commands.PolicyReply:
    """Version, minimum age and retention in force."""
    return device.ask(commands.POLICY_STATE, Nothing())


def set_policy(device: Device, *, version: int, minimum_age: int, retention_days: int) -> commands.PolicyReply:
    """Change them. A newer version suspends all grants until they are confirmed; it never goes down."""
    request = commands.SetPolicy(version=version, minimum_age=minimum_age, retention_days=retention_days)
    return device.ask(commands.SET_POLICY, request, about="the version cannot go down")


def purge(device: Device, *, confirmed: bool = False) -> commands.Purged:
    """Erase what is over, prune the log.

    Args:
        confirmed: also what became old within a span that the clock skipped: a person has said that the time is right.
    """
    done = device.ask(commands.PURGE, commands.Purge(confirmed=confirmed))
    if confirmed:
        settle_clock_moved(device.directory)
    elif done.held or done.log_held:
        record_clock_moved(device.directory, again=done.moved_days > 0)
    return done


def open_request(device: Device, name: str, kind: Cause, *, token: bytes) -> RightsRequest:
    """Register a request. Raises NotPermitted without a fresh PIN token of the user."""
    request = commands.OpenRequest(user=device.user_handle(name), kind=kind, token=token)
    return promised(device.ask(commands.OPEN_REQUEST, request, about=repr(name)).request, "a request")


def extend_request(device: Device, number: int, reason: Cause) -> RightsRequest:
    """Take the longer term: COMPLEX or MANY_REQUESTS."""
    request = commands.Extend(number=number, reason=reason)
    return promised(device.ask(commands.EXTEND, request, about=str(number)).request, "a request")


def answer_request(device: Device, number: int, answer: Cause) -> RightsRequest:
    """FULFILLED or REFUSED."""
    request = commands.Answer(number=number, answer=answer)
    return promised(device.ask(commands.ANSWER, request, about=str(number)).request, "a request")


def requests(device: Device) -> Iterator[RightsRequest]:
    """The register of requests, in order."""
    first = 1
    while page := device.ask(commands.REQUESTS, commands.Requests(first=first)).requests:
        yield from page
        first = page[-1].number + 1


def log_key(device: Device) -> NoteKey:
    """The verifier key of the device's log: what a stranger needs to check anything this device signs in it."""
    key = device.ask(commands.LOG_HEAD, Nothing()).log_key
    if key is None:
        raise IntegrityFailure("the log has no key", hint="run: bioguard doctor", code="log.head")
    return NoteKey(log_origin(key), key)


def signed_log(device: Device) -> SignedLog:
    """Read the log and check it against its own checkpoint.

    Raises:
        IntegrityFailure: what was read is not what was signed.
    """
    head = device.ask(commands.LOG_HEAD, Nothing())
    if head.root is None or head.signature is None or head.log_key is None or head.attestation_key is None:
        raise IntegrityFailure("the log has no head", hint="run: bioguard doctor", code="log.head")
    items: list[LogItem] = []
    while len(items) < head.size:
        page = device.ask(commands.LOG_READ, commands.LogRead(first=len(items))).items
        if not page:
            raise IntegrityFailure("the log ends early", hint="the store was damaged", code="log.gap")
        items += page
    key = NoteKey(log_origin(head.log_key), head.log_key)
    log = SignedLog(
        key=key,
        attestation_key=head.attestation_key,
        checkpoint=Checkpoint(key.name, head.size, head.root).with_signature(key, head.signature),
        first_body=head.first_body,
        items=tuple(items[: head.size]),
    )
    log.verify()
    return log


def attested_settings(device: Device) -> AttestedSettings:
    """What was sealed when the device was made: clock, randomness, who chooses the rates, which models it takes."""
    ready = device.running.ready
    return AttestedSettings(
        clock=ready.clock.word,
        randomness=ready.randomness.word,
        for_testing=device.configuration.for_testing,
        uncalibrated=tuple(modality.word for modality in sorted(device.configuration.uncalibrated)),
    )


def attest(device: Device, nonce: bytes, profile: EatProfile = EatProfile.RFC9783) -> bytes:
    """A PSA token over verdict, filters, measurements, files, processes, log and this nonce.

    The secure world signs what it knows of itself; the token is put together from what was seen from outside, and
    verifies only if the two agree.

    Raises:
        InputRefused: the profile is not an EatProfile, or the nonce is not bytes.
        WrongUsage: the device was started from its caches.
        ProofInvalid: the nonce does not have 32, 48 or 64 bytes, or the secure world signed something else.
    """
    if not isinstance(profile, EatProfile):
        raise InputRefused(
            f"a {type(profile).__name__} is no profile",
            hint="give EatProfile.RFC9783 or EatProfile.TFM",
            code="request.argument",
        )
    if not isinstance(nonce, bytes):
        raise InputRefused(
            f"a {type(nonce).__name__} is no nonce", hint="give 32, 48 or 64 bytes", code="request.argument"
        )
    check_nonce(nonce)
    running = device.running
    if running.cached:
        raise WrongUsage(
            "a device that was started from its caches attests nothing",
            hint="open it with DeviceOptions(caches=False): everything is then probed, read and compiled anew",
            code="attest.cached",
        )
    filter_hash = running.report.filter_sha256 or bytes(32)
    components = [(name, bytes.fromhex(digest)) for name, digest in sorted(running.measurements.items())]
    applications = {name: count for name, count in running.processes.items() if name in running.measurements}
    key = device.ask(commands.LOG_HEAD, Nothing()).attestation_key
    answer = device.ask(
        commands.ATTEST,
        commands.Attest(nonce=nonce, tfm_profile=profile is EatProfile.TFM),
    )
    if key is None or answer.signature is None or answer.boot_seed is None or answer.log_root is None:
        raise IntegrityFailure("the secure world attested nothing", hint="run: bioguard doctor", code="attest.empty")
    claims: Claims = device_claims(
        nonce=nonce,
        attestation_key=key,
        boot_seed=answer.boot_seed,
        verdict=running.verdict.level.value,
        filter_hash=filter_hash,
        components=components,
        files=running.listing.components(),
        hosts=AttestedHosts(running.host_filter_sha256, tuple(sorted(applications.items()))),
        settings=attested_settings(device),
        profiles=[summary.attested for summary in device.profiles],
        log_size=answer.log_size,
        log_root=answer.log_root,
        sensors=[(name, bytes.fromhex(digest)) for name, digest in sorted(running.sensors.items())],
    )
    token = cose.assemble(claims.to_payload(profile), answer.signature)
    Claims.verify(token, key, nonce)
    return token
