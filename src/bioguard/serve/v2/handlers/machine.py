"""The device itself: hello, keys, attestation and log, clock, faults, simulated people."""

from bioguard import __version__
from bioguard.commands import policy
from bioguard.commands.status import Nothing
from bioguard.device import clock, consent, keys
from bioguard.device.errors import promised
from bioguard.device.key_framework import KeyVerdict
from bioguard.errors import InputRefused
from bioguard.proofs.psa_token import EatProfile
from bioguard.serve.v2 import machine as m
from bioguard.serve.v2.handlers.service import Handler, ServedDevice
from bioguard.serve.v2.values import MAX_SAMPLE_BYTES, QUEUE_DEPTH, VERSION, PresentedForm
from bioguard.simulate.people.numbered import numbered_sample
from tee_sim.shared.clock import ClockKind, Moment
from tee_sim.shared.limits import MAX_FRAME_BYTES
from tee_sim.shared.rng import RandomnessKind

AIDL_VERSION = 4
"""Of android.hardware.biometrics.fingerprint and face."""
NONCE_SIZES = (32, 48, 64)
"""RFC 9783 section 4.1.1."""
_PROFILES = {m.AttestationProfile.RFC9783: EatProfile.RFC9783, m.AttestationProfile.TFM: EatProfile.TFM}


def hello(service: ServedDevice, _request: object) -> m.DeviceHello:
    running, configuration = service.device.running, service.device.configuration
    return m.DeviceHello(
        version=VERSION,
        software=f"bioguard {__version__}",
        simulated=True,
        sandbox_level=running.verdict.level.value,
        seeded=running.ready.randomness is RandomnessKind.SEEDED,
        stepped_clock=running.ready.clock is ClockKind.STEPPED,
        for_testing=configuration.for_testing,
        require_pin=configuration.require_pin,
        lockout_cascade=service.lockout_cascade,
        fingerprint_version=AIDL_VERSION,
        face_version=AIDL_VERSION,
        restarts=service.hal.restarts,
        limits=m.LimitsEntry(
            frame_bytes=MAX_FRAME_BYTES,
            sample_bytes=MAX_SAMPLE_BYTES,
            queue=QUEUE_DEPTH,
            sessions=service.most_sessions,
        ),
        sensors=service.sensors,
    )


def key_create(service: ServedDevice, request: m.KeyCreateRequest) -> m.KeyAnswer:
    key = keys.make_key(
        service.device,
        request.user,
        biometric_only=request.biometric_only,
        invalidated_by_enrollment=request.invalidated_by_enrollment,
        timeout_s=request.timeout_s,
        algorithm=request.algorithm,
    )
    return m.KeyAnswer(key_id=key.key_id, secure_ids=key.secure_ids, public_key=key.public_key)


def _named(key_id: bytes, secure_ids: tuple[int, ...] = ()) -> keys.BoundKey:
    """A key as the facade wants it, of what the caller says of it."""
    return keys.BoundKey(key_id=key_id, secure_ids=secure_ids, public_key=None)


def key_begin(service: ServedDevice, request: m.KeyBeginRequest) -> m.KeyOperationAnswer:
    return m.KeyOperationAnswer(operation=keys.begin(service.device, _named(request.key_id), token=request.token))


def key_finish(service: ServedDevice, request: m.KeyFinishRequest) -> m.SignatureAnswer:
    made = keys.finish(service.device, request.operation, request.message, token=request.token)
    return m.SignatureAnswer(signature=made)


def key_delete(service: ServedDevice, request: m.KeyDeleteRequest) -> None:
    keys.delete_key(service.device, _named(request.key_id))


def key_verdict(service: ServedDevice, request: m.KeyVerdictRequest) -> m.KeyVerdictAnswer:
    verdict = keys.verdict(service.device, request.user, _named(bytes(16), request.secure_ids))
    return m.KeyVerdictAnswer(usable=verdict is KeyVerdict.USABLE)


def attest(service: ServedDevice, request: m.AttestRequest) -> m.AttestationAnswer:
    if len(request.nonce) not in NONCE_SIZES:
        raise InputRefused(
            "the nonce does not have 32, 48 or 64 bytes", hint="send 32, 48 or 64 fresh bytes", code="attest.nonce"
        )
    token = consent.attest(service.device, request.nonce, _PROFILES[request.profile])
    head = service.device.ask(policy.LOG_HEAD, Nothing())
    return m.AttestationAnswer(token=token, public_key=promised(head.attestation_key, "an attestation key"))


def log_head(service: ServedDevice, _request: object) -> m.LogHeadAnswer:
    head = service.device.ask(policy.LOG_HEAD, Nothing())
    return m.LogHeadAnswer(
        size=head.size,
        root=promised(head.root, "a root"),
        first_body=head.first_body,
        key=promised(head.log_key, "a log key"),
    )


def log_read(service: ServedDevice, request: m.LogReadRequest) -> m.LogReadAnswer:
    page = service.device.ask(policy.LOG_READ, policy.LogRead(first=request.first))
    return m.LogReadAnswer(
        items=tuple(
            m.LogLeafEntry(leaf=item.leaf, entry=item.entry.to_bytes() if item.entry is not None else None)
            for item in page.items
        )
    )


def log_checkpoint(service: ServedDevice, _request: object) -> m.CheckpointAnswer:
    log = consent.signed_log(service.device)
    return m.CheckpointAnswer(checkpoint=log.checkpoint.encode(), vkey=log.key.vkey.encode())


def _clock(service: ServedDevice, at: Moment) -> m.ClockAnswer:
    stepped = service.device.running.ready.clock is ClockKind.STEPPED
    return m.ClockAnswer(stepped=stepped, wall_ms=at.wall_ms, boot_ms=at.boot_ms)


def clock_show(service: ServedDevice, _request: object) -> m.ClockAnswer:
    return _clock(service, clock.now(service.device))


def clock_advance(service: ServedDevice, request: m.ClockAdvanceRequest) -> m.ClockAnswer:
    return _clock(service, clock.advance(service.device, request.ms))


def reboot(service: ServedDevice, _request: object) -> None:
    service.device.reboot()


def simulated_sample(_service: ServedDevice, request: m.SimulatedSampleRequest) -> m.SimulatedSampleAnswer:
    sample = numbered_sample(request.person, request.position, request.impression)
    return m.SimulatedSampleAnswer(form=PresentedForm.CANONICAL, sample=sample.to_bytes())


HANDLERS: dict[str, Handler] = {
    "hello": hello,
    "key_create": key_create,
    "key_begin": key_begin,
    "key_finish": key_finish,
    "key_delete": key_delete,
    "key_verdict": key_verdict,
    "attest": attest,
    "log_head": log_head,
    "log_read": log_read,
    "log_checkpoint": log_checkpoint,
    "clock_show": clock_show,
    "clock_advance": clock_advance,
    "reboot": reboot,
    "simulated_sample": simulated_sample,
}
