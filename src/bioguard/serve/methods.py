"""The methods of the frame protocol, in one table. Runs in the normal world; the secure world's lock is untouched."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from bioguard import __version__
from bioguard.commands.biometric import EraseAuthorization
from bioguard.commands.status import Nothing
from bioguard.device import Device, consent, pins
from bioguard.device.errors import promised
from bioguard.device.fingers import finger_name
from bioguard.device.recognition import Recognition
from bioguard.formats import ImportWarning
from bioguard.records.consent import Purpose
from bioguard.serve import protocol as p
from bioguard.serve.samples import Sample, one_model, read_sample
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.schema import Record

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)
MAX_LISTED = 1000


class DeviceService:
    """Carries out the methods on one device: the handler of `bioguard.serve.loop`.

    Args:
        device: to be driven.
        note: gets what a reader of sample files warns of, which this version of the protocol has no field for. Each
            code is noted once, since a client may leave standard error unread.
    """

    def __init__(self, device: Device, note: Callable[[str], None] = lambda _: None) -> None:
        self.device = device
        self.recognition = Recognition(device)
        self._note = note
        self._noted: set[str] = set()

    def __call__(self, method: int, request: Record) -> Record:
        """Carry out one request. Raises BioguardError to refuse."""
        return METHODS[method].run(self, request) or Nothing()

    def warn(self, warning: ImportWarning) -> None:
        """Note what the reader of a sample warns of."""
        if warning.code not in self._noted:
            self._noted.add(warning.code)
            self._note(f"a sample: {warning.message} [{warning.code}]; further ones are not told")

    def sample(self, request: p.AuthenticateRequest | p.IdentifyRequest) -> Sample:
        """Read the sample of a request for a decision."""
        return read_sample(request.form, request.sample, self.warn)


@dataclass(frozen=True, slots=True)
class Method(Generic[Q, A]):
    """One method: number, name, request, reply, and what it does; None is an answer without fields."""

    number: int
    name: str
    request: type[Q]
    reply: type[A]
    run: Callable[[DeviceService, Q], A | None]


def _hello(service: DeviceService, _request: Nothing) -> p.Hello:
    service.device.wake()
    running = service.device.running
    return p.Hello(
        version=p.VERSION,
        software=f"bioguard {__version__}",
        simulated=True,
        sandbox_level=running.verdict.level.value,
        device_is_seeded=running.ready.randomness is RandomnessKind.SEEDED,
    )


def _consent(service: DeviceService, request: p.Consent) -> None:
    # Unlocking only: a request that names no purpose is no consent to identification or to the use of keys.
    consent.grant(
        service.device,
        request.user,
        request.modality,
        Purpose.UNLOCK,
        days=request.days,
        of_age=request.of_age,
        token=request.token,
    )


def _enroll(service: DeviceService, request: p.EnrollRequest) -> p.EnrollAnswer:
    read = [read_sample(request.form, sample, service.warn, request.position) for sample in request.samples]
    made = service.recognition.enroll(
        request.user,
        [sample for sample, _ in read],
        finger=finger_name(request.position) if request.position else None,
        replace=request.replace,
        token=request.token,
        model=one_model([model for _, model in read]),
    )
    return p.EnrollAnswer(
        record_id=promised(made.record_id, "a record"), digest=promised(made.digest, "a digest"), views=made.views
    )


def _authenticate(service: DeviceService, request: p.AuthenticateRequest) -> p.AuthenticateAnswer:
    sample, model = service.sample(request)
    answer = service.recognition.authenticate(
        request.user, sample, fmr_inverse=request.fmr_inverse, operation_id=request.operation_id, model=model
    )
    return p.AuthenticateAnswer(match=answer.match, record_id=answer.record_id, token=answer.token)


def _identify(service: DeviceService, request: p.IdentifyRequest) -> p.IdentifyAnswer:
    sample, model = service.sample(request)
    answer = service.recognition.identify(sample, fpir_inverse=request.fpir_inverse, model=model)
    name = service.device.user_name(answer.user) if answer.user else None
    return p.IdentifyAnswer(match=answer.match, name=name.encode() if name else None, record_id=answer.record_id)


def _records(service: DeviceService, request: p.User) -> p.RecordIds:
    found = service.recognition.records(request.user)
    return p.RecordIds(record_ids=tuple(record.record_id for record in islice(found, MAX_LISTED)))


def _lock_status(service: DeviceService, request: p.Sensor) -> p.LockAnswer:
    status = pins.lock_info(service.device, request.user, request.modality)
    return p.LockAnswer(lock=status.lock, remaining_ms=status.remaining_ms)


def _check_token(service: DeviceService, request: p.AnyToken) -> p.TokenFields:
    seen = pins.check_token(service.device, request.token)
    return p.TokenFields(
        challenge=seen.challenge,
        user_id=seen.user_id,
        authenticator_id=seen.authenticator_id,
        authenticator_type=seen.authenticator_type,
        timestamp_ms=seen.timestamp_ms,
    )


def _authorization(request: p.RemoveUserRequest | p.EraseRequest) -> EraseAuthorization:
    return EraseAuthorization(token=request.token, by_operator=request.by_operator)


def _remove_user(service: DeviceService, request: p.RemoveUserRequest) -> None:
    service.device.remove_user(request.user, _authorization(request))


TABLE: tuple[Method[Any, Any], ...] = (
    Method(0, "hello", Nothing, p.Hello, _hello),
    Method(1, "add_user", p.User, Nothing, lambda s, r: s.device.add_user(r.user)),
    Method(2, "remove_user", p.RemoveUserRequest, Nothing, _remove_user),
    Method(
        3, "users", Nothing, p.Users,
        lambda s, _: p.Users(names=tuple(name.encode() for name in s.device.users()[:MAX_LISTED])),
    ),
    Method(4, "consent", p.Consent, Nothing, _consent),
    Method(
        10, "set_pin", p.SetPin, p.SecureUserId,
        lambda s, r: p.SecureUserId(secure_user_id=pins.set_pin(s.device, r.user, r.pin, current=r.current)),
    ),
    Method(
        11, "verify_pin", p.VerifyPinRequest, p.Token,
        lambda s, r: p.Token(token=pins.verify_pin(s.device, r.user, r.pin, challenge=r.challenge)),
    ),
    Method(12, "unlock", p.Unlock, Nothing, lambda s, r: pins.unlock(s.device, r.user, r.pin)),
    Method(
        20, "generate_challenge", p.Sensor, p.ChallengeAnswer,
        lambda s, r: p.ChallengeAnswer(challenge=pins.generate_challenge(s.device, r.user, r.modality)),
    ),
    Method(21, "enroll", p.EnrollRequest, p.EnrollAnswer, _enroll),
    Method(22, "authenticate", p.AuthenticateRequest, p.AuthenticateAnswer, _authenticate),
    Method(23, "identify", p.IdentifyRequest, p.IdentifyAnswer, _identify),
    Method(24, "records", p.User, p.RecordIds, _records),
    Method(
        25, "erase", p.EraseRequest, p.EraseAnswer,
        lambda s, r: p.EraseAnswer(digest=s.recognition.erase(r.user, r.record_id, _authorization(r))),
    ),
    Method(26, "lock_status", p.Sensor, p.LockAnswer, _lock_status),
    Method(
        27, "authenticator_id", p.Sensor, p.AuthenticatorIdAnswer,
        lambda s, r: p.AuthenticatorIdAnswer(authenticator_id=pins.authenticator_id(s.device, r.user, r.modality)),
    ),
    Method(30, "check_token", p.AnyToken, p.TokenFields, _check_token),
)  # fmt: skip
"""Every method of version 1. Methods may be added; none changes."""
METHODS = {method.number: method for method in TABLE}
