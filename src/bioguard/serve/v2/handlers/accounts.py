"""Users, consent, PINs, and what the device says of a person outside of sessions."""

from itertools import islice

from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import consent, pins
from bioguard.errors import InputRefused
from bioguard.hal.device_backend import DevicePicture, DeviceSample, enrollment_id_of
from bioguard.records.consent import Purpose
from bioguard.serve import protocol as v1
from bioguard.serve.v2 import accounts as a
from bioguard.serve.v2.handlers.service import Handler, ServedDevice
from bioguard.serve.v2.values import MAX_LISTED


def _authorization(request: v1.RemoveUserRequest | v1.EraseRequest) -> EraseAuthorization:
    return EraseAuthorization(token=request.token, by_operator=request.by_operator)


def _digests(texts: tuple[str, ...]) -> a.DigestsAnswer:
    return a.DigestsAnswer(digests=tuple(bytes.fromhex(text) for text in texts[:MAX_LISTED]))


def _purposes(named: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
    if not named or len(set(named)) != len(named):
        raise InputRefused("purposes are named once, and at least one is", hint="name them", code="request.argument")
    return named


def add_user(service: ServedDevice, request: v1.User) -> None:
    service.device.add_user(request.user)


def remove_user(service: ServedDevice, request: v1.RemoveUserRequest) -> a.DigestsAnswer:
    return _digests(service.device.remove_user(request.user, _authorization(request)))


def users(service: ServedDevice, _request: object) -> v1.Users:
    return v1.Users(names=tuple(name.encode() for name in service.device.users()[:MAX_LISTED]))


def grant_consent(service: ServedDevice, request: a.ConsentRequest) -> None:
    if not request.days:
        raise InputRefused("a consent is for 1 to 3650 days", hint="send such a number", code="request.argument")
    consent.grant_each(
        service.device,
        request.user,
        (request.modality,),
        _purposes(request.purposes),
        days=request.days,
        of_age=request.of_age,
        token=request.token,
    )


def withdraw_consent(service: ServedDevice, request: a.WithdrawConsentRequest) -> a.DigestsAnswer:
    erased: tuple[str, ...] = ()
    for purpose in _purposes(request.purposes):
        erased += consent.withdraw(service.device, request.user, request.modality, purpose, token=request.token)
    return _digests(erased)


def consents(service: ServedDevice, request: v1.User) -> a.ConsentsAnswer:
    book = consent.consents(service.device, request.user)
    return a.ConsentsAnswer(
        grants=book.grants,
        objections=tuple(Purpose(number) for number in book.objections),
        restricted=book.restricted,
        of_age=book.of_age,
    )


def set_pin(service: ServedDevice, request: v1.SetPin) -> v1.SecureUserId:
    made = pins.set_pin(service.device, request.user, request.pin, current=request.current)
    return v1.SecureUserId(secure_user_id=made)


def verify_pin(service: ServedDevice, request: v1.VerifyPinRequest) -> v1.Token:
    return v1.Token(token=pins.verify_pin(service.device, request.user, request.pin, challenge=request.challenge))


def unlock(service: ServedDevice, request: v1.Unlock) -> None:
    pins.unlock(service.device, request.user, request.pin)


def identify(service: ServedDevice, request: a.SensorSearchRequest) -> a.FoundAnswer:
    given = service.presented(request.form, request.sample)
    if isinstance(given, DevicePicture):
        given = DeviceSample(service.device.capture(service.modality(request.sensor), given.picture))
    answer = service.recognition.identify(given.sample, fpir_inverse=0, model=given.model, sensor=request.sensor)
    name = service.device.user_name(answer.user) if answer.user else None
    return a.FoundAnswer(match=answer.match, name=name.encode() if name else None, record_id=answer.record_id)


def lock_status(service: ServedDevice, request: a.LockStatusRequest) -> a.LockStateAnswer:
    status = pins.lock_info(service.device, request.user, service.modality(request.sensor), request.sensor)
    return a.LockStateAnswer(lock=status.lock, remaining_ms=status.remaining_ms)


def search_lock_status(service: ServedDevice, request: a.SearchLockStatusRequest) -> a.LockStateAnswer:
    status = pins.search_lock_info(service.device, service.modality(request.sensor), request.sensor)
    return a.LockStateAnswer(lock=status.lock, remaining_ms=status.remaining_ms)


def records(service: ServedDevice, request: v1.User) -> a.RecordsAnswer:
    found = islice(service.recognition.records(request.user), MAX_LISTED)
    return a.RecordsAnswer(
        records=tuple(
            a.RecordEntry(
                record_id=one.record_id,
                sensor=one.sensor,
                position=one.position,
                enrollment_id=enrollment_id_of(one.record_id),
                enrolled_s=one.enrolled_s,
            )
            for one in found
        )
    )


def erase(service: ServedDevice, request: v1.EraseRequest) -> v1.EraseAnswer:
    return v1.EraseAnswer(digest=service.recognition.erase(request.user, request.record_id, _authorization(request)))


def check_token(service: ServedDevice, request: v1.AnyToken) -> v1.TokenFields:
    seen = pins.check_token(service.device, request.token)
    return v1.TokenFields(
        challenge=seen.challenge,
        user_id=seen.user_id,
        authenticator_id=seen.authenticator_id,
        authenticator_type=seen.authenticator_type,
        timestamp_ms=seen.timestamp_ms,
    )


HANDLERS: dict[str, Handler] = {
    "add_user": add_user,
    "remove_user": remove_user,
    "users": users,
    "consent": grant_consent,
    "withdraw_consent": withdraw_consent,
    "consents": consents,
    "set_pin": set_pin,
    "verify_pin": verify_pin,
    "unlock": unlock,
    "identify": identify,
    "lock_status": lock_status,
    "search_lock_status": search_lock_status,
    "records": records,
    "erase": erase,
    "check_token": check_token,
}
