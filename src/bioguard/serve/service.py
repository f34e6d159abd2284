"""The methods of the frame protocol over a `Device`. Runs in the normal world; the secure world's lock is untouched."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np

from bioguard import __version__
from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device, pins
from bioguard.device.consent import grant
from bioguard.device.fingers import finger_name
from bioguard.errors import InputRefused
from bioguard.formats import ImportWarning, load_bytes
from bioguard.formats.options import flags_in
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.consent import Purpose
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.serve import protocol as p
from bioguard.serve.protocol import SampleForm
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.schema import Record

MAX_LISTED = 1000
_CANONICAL: dict[int, Callable[[bytes], Features]] = {
    int(Modality.FINGERPRINT): FingerprintTemplate.from_bytes,
    int(Modality.FACE): FaceEmbedding.from_bytes,
}


Tell = Callable[[ImportWarning], None]


def _minutiae(data: bytes, tell: Tell, position: int) -> Sequence[Features]:
    """The views of a file. This version of the protocol has no import options, so no hint may send a caller there."""
    try:
        loaded = load_bytes(data, "sample.iso")
    except InputRefused as error:
        if not flags_in(error.hint):
            raise
        hint = f"with bioguard convert FILE OUT.iso, whose OUT.iso can be sent: {error.hint}"
        raise InputRefused(error.message, hint=hint, code=error.code) from error
    for warning in loaded.warnings:
        tell(warning)
    others = [other for other in loaded.positions if other not in (0, position)]
    if position and others:
        tell(ImportWarning("header.finger", f"its finger position is {others[0]}, it is taken as {position}"))
    return loaded.features


def _sample(form: SampleForm, data: bytes, tell: Tell = lambda _: None, position: int = 0) -> Features:
    if form is SampleForm.FLOAT32:
        if not data or len(data) % 4:
            raise InputRefused(
                "a float32 sample has four bytes per number", hint="send a whole vector", code="serve.sample"
            )
        return FaceEmbedding.from_features(np.frombuffer(data, "<f4"))
    if form is SampleForm.MINUTIAE_FILE:
        views = _minutiae(data, tell, position)
        if len(views) != 1:
            raise InputRefused(
                f"{len(views)} views, expected one", hint="send one view per sample", code="serve.sample"
            )
        return views[0]
    decode = _CANONICAL.get(data[1] if len(data) > 1 else 0)
    if decode is None:
        raise InputRefused("not a canonical sample", hint="see docs/formats/features.md", code="serve.sample")
    return decode(data)


def _name(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InputRefused("a name is not UTF-8", hint="send UTF-8 bytes", code="serve.name") from None


class DeviceService:
    """`bioguard.serve.loop.Handler` for one device.

    Args:
        device: to be driven.
        note: told what a reader of sample files warns of, which this version of the protocol has no field for. Each
            code is told once, since nobody may be reading standard error.
    """

    def __init__(self, device: Device, note: Callable[[str], None] = lambda _: None) -> None:
        self._device = device
        self._note = note
        self._told: set[str] = set()
        self._methods: dict[str, Callable[[Any], Record]] = {
            "hello": self._hello,
            "add_user": self._add_user,
            "remove_user": self._remove_user,
            "users": self._users,
            "consent": self._consent,
            "set_pin": self._set_pin,
            "verify_pin": self._verify_pin,
            "unlock": self._unlock,
            "generate_challenge": self._generate_challenge,
            "enroll": self._enroll,
            "authenticate": self._authenticate,
            "identify": self._identify,
            "records": self._records,
            "erase": self._erase,
            "lock_status": self._lock_status,
            "authenticator_id": self._authenticator_id,
            "check_token": self._check_token,
        }

    def __call__(self, method: int, request: Record) -> Record:
        """Carry out one request. Raises BioguardError to refuse."""
        return self._methods[p.METHODS[method].name](request)

    def _tell(self, warning: ImportWarning) -> None:
        if warning.code not in self._told:
            self._told.add(warning.code)
            self._note(f"a sample: {warning.message} [{warning.code}]; further ones are not told")

    def _hello(self, _request: p.Nothing) -> p.Hello:
        self._device.wake()
        level = self._device.running.verdict.level.value
        return p.Hello(
            version=p.VERSION,
            software=f"bioguard {__version__}",
            simulated=True,
            sandbox_level=level,
            device_is_seeded=self._device.running.ready.randomness is RandomnessKind.SEEDED,
        )

    def _add_user(self, request: p.User) -> p.Nothing:
        self._device.add_user(_name(request.name))
        return p.Nothing()

    def _remove_user(self, request: p.RemoveUser) -> p.Nothing:
        leave = EraseAuthorization(token=request.token, by_operator=request.by_operator)
        self._device.remove_user(_name(request.name), leave)
        return p.Nothing()

    def _users(self, _request: p.Nothing) -> p.Users:
        return p.Users(names=tuple(n.encode() for n in self._device.users()[:MAX_LISTED]))

    def _consent(self, request: p.Consent) -> p.Nothing:
        for purpose in Purpose:
            grant(
                self._device,
                _name(request.name),
                request.modality,
                purpose,
                days=request.days,
                of_age=request.of_age,
                token=request.token,
            )
        return p.Nothing()

    def _set_pin(self, request: p.SetPin) -> p.SecureUserId:
        value = pins.set_pin(self._device, _name(request.name), request.pin, current=request.current)
        return p.SecureUserId(secure_user_id=value)

    def _verify_pin(self, request: p.VerifyPin) -> p.Token:
        token = pins.verify_pin(self._device, _name(request.name), request.pin, challenge=request.challenge)
        return p.Token(token=token)

    def _unlock(self, request: p.Unlock) -> p.Nothing:
        pins.unlock(self._device, _name(request.name), request.pin)
        return p.Nothing()

    def _generate_challenge(self, request: p.Sensor) -> p.Challenge:
        return p.Challenge(challenge=pins.generate_challenge(self._device, _name(request.name), request.modality))

    def _enroll(self, request: p.Enroll) -> p.Enrolled:
        made = self._device.enroll(
            _name(request.name),
            [_sample(request.form, s, self._tell, request.position or 0) for s in request.samples],
            finger=finger_name(request.position) if request.position else None,
            replace=request.replace,
            token=request.token,
        )
        return p.Enrolled(record_id=bytes.fromhex(made.record_id), digest=bytes.fromhex(made.digest), views=made.views)

    def _authenticate(self, request: p.Authenticate) -> p.Decision:
        answer = self._device.authenticate(
            _name(request.name),
            _sample(request.form, request.sample, self._tell),
            fmr_inverse=request.fmr_inverse,
            operation_id=request.operation_id,
        )
        record_id = bytes.fromhex(answer.record_id) if answer.record_id else None
        return p.Decision(match=answer.match, record_id=record_id, token=answer.token)

    def _identify(self, request: p.Identify) -> p.Identified:
        sample = _sample(request.form, request.sample, self._tell)
        answer = self._device.identify(sample, fpir_inverse=request.fpir_inverse)
        return p.Identified(
            match=answer.match,
            name=answer.user.encode() if answer.user else None,
            record_id=bytes.fromhex(answer.record_id) if answer.record_id else None,
        )

    def _records(self, request: p.User) -> p.RecordIds:
        records = islice(self._device.records(_name(request.name)), MAX_LISTED)
        return p.RecordIds(record_ids=tuple(bytes.fromhex(r.record_id) for r in records))

    def _erase(self, request: p.Erase) -> p.Erased:
        leave = EraseAuthorization(token=request.token, by_operator=request.by_operator)
        digest = self._device.erase(_name(request.name), request.record_id.hex(), leave)
        return p.Erased(digest=bytes.fromhex(digest))

    def _lock_status(self, request: p.Sensor) -> p.LockAnswer:
        info = pins.lock_info(self._device, _name(request.name), request.modality)
        return p.LockAnswer(lock=Lock[info.lock.upper()], remaining_ms=info.remaining_ms)

    def _authenticator_id(self, request: p.Sensor) -> p.AuthenticatorId:
        value = pins.authenticator_id(self._device, _name(request.name), request.modality)
        return p.AuthenticatorId(authenticator_id=value)

    def _check_token(self, request: p.AnyToken) -> p.TokenFields:
        seen = pins.check_token(self._device, request.token)
        return p.TokenFields(
            challenge=seen.challenge,
            user_id=seen.user_id,
            authenticator_id=seen.authenticator_id,
            authenticator_type=seen.authenticator_type,
            timestamp_ms=seen.timestamp_ms,
        )
