"""Sessions: what AIDL's clients ask, one method each. Their answers come as events (`bioguard.serve.v2.callbacks`)."""

from collections.abc import Callable

from bioguard.errors import InputRefused
from bioguard.hal.context import DisplayState, FoldState, OperationContext, OperationReason, PointerContext
from bioguard.hal.enrollment import Pose, enrollment_config
from bioguard.hal.hal import DEFAULT_TOUCHES, FaceEnrollOptions, HalSession
from bioguard.records.modality import Modality
from bioguard.serve.v2 import sessions as s
from bioguard.serve.v2.callbacks import cell_entry
from bioguard.serve.v2.handlers.service import Handler, ServedDevice


def _context(entry: s.ContextEntry | None) -> OperationContext | None:
    if entry is None:
        return None
    return OperationContext(
        id=entry.id,
        reason=OperationReason(entry.reason),
        is_aod=entry.is_aod,
        is_crypto=entry.is_crypto,
        wake_reason=entry.wake_reason,
        display_state=DisplayState(entry.display_state),
        authenticate_reason=entry.authenticate_reason,
        fold_state=FoldState(entry.fold_state),
        hardware_ignoring_touches=entry.ignores_touches,
    )


def _pointer(entry: s.PointerEntry) -> PointerContext:
    return PointerContext(
        pointer_id=entry.pointer_id,
        x=entry.x,
        y=entry.y,
        minor=entry.minor,
        major=entry.major,
        orientation_milli=entry.orientation_milli,
        is_aod=entry.is_aod,
        time_ms=entry.time_ms,
        gesture_start_ms=entry.gesture_start_ms,
    )


def _pose(entry: s.PoseEntry | None) -> Pose | None:
    if entry is None:
        return None
    return Pose(*((value - 1000) / 1000 for value in (entry.pan, entry.tilt, entry.roll)))


def create_session(service: ServedDevice, request: s.CreateSessionRequest) -> s.SessionAnswer:
    return s.SessionAnswer(session=service.hal.create_session(request.user, request.sensor))


def _operation(
    service: ServedDevice, request: s.SessionRequest, start: Callable[[HalSession], int]
) -> s.OperationAnswer:
    return s.OperationAnswer(operation=service.hal.call(request.session, start))


def close(service: ServedDevice, request: s.SessionRequest) -> None:
    service.hal.call(request.session, HalSession.close)


def cancel(service: ServedDevice, request: s.CancelRequest) -> None:
    service.hal.call(request.session, lambda session: session.cancel(request.operation))


def generate_challenge(service: ServedDevice, request: s.SessionRequest) -> s.OperationAnswer:
    return _operation(service, request, HalSession.generate_challenge)


def revoke_challenge(service: ServedDevice, request: s.RevokeChallengeRequest) -> s.OperationAnswer:
    return _operation(service, request, lambda session: session.revoke_challenge(request.challenge))


def enroll(service: ServedDevice, request: s.SessionEnrollRequest) -> s.OperationAnswer:
    asked = request.options
    options = None
    if asked is not None:
        options = FaceEnrollOptions(enrollment_type=asked.enrollment_type, features=asked.features, guided=asked.guided)
    return _operation(
        service,
        request,
        lambda session: session.enroll(
            request.token,
            touches=DEFAULT_TOUCHES if request.touches is None else request.touches,
            position=request.position,
            options=options,
            context=_context(request.context),
        ),
    )


def authenticate(service: ServedDevice, request: s.SessionAuthenticateRequest) -> s.OperationAnswer:
    return _operation(
        service, request, lambda session: session.authenticate(request.operation_id, _context(request.context))
    )


def detect_interaction(service: ServedDevice, request: s.DetectInteractionRequest) -> s.OperationAnswer:
    return _operation(service, request, lambda session: session.detect_interaction(_context(request.context)))


def enumerate_enrollments(service: ServedDevice, request: s.SessionRequest) -> s.OperationAnswer:
    return _operation(service, request, HalSession.enumerate_enrollments)


def remove_enrollments(service: ServedDevice, request: s.RemoveEnrollmentsRequest) -> s.OperationAnswer:
    return _operation(service, request, lambda session: session.remove_enrollments(request.ids))


def get_authenticator_id(service: ServedDevice, request: s.SessionRequest) -> s.OperationAnswer:
    return _operation(service, request, HalSession.get_authenticator_id)


def invalidate_authenticator_id(service: ServedDevice, request: s.SessionRequest) -> s.OperationAnswer:
    return _operation(service, request, HalSession.invalidate_authenticator_id)


def reset_lockout(service: ServedDevice, request: s.SessionTokenRequest) -> s.OperationAnswer:
    return _operation(service, request, lambda session: session.reset_lockout(request.token))


def get_features(service: ServedDevice, request: s.SessionRequest) -> s.OperationAnswer:
    return _operation(service, request, HalSession.get_features)


def set_feature(service: ServedDevice, request: s.SetFeatureRequest) -> s.OperationAnswer:
    return _operation(
        service, request, lambda session: session.set_feature(request.token, request.feature, request.enabled)
    )


def get_enrollment_config(service: ServedDevice, request: s.EnrollmentConfigRequest) -> s.EnrollmentConfigAnswer:
    if service.modality(request.sensor) is not Modality.FACE:
        raise InputRefused("stages are of faces", hint="ask a face sensor", code="session.interface")
    stages = enrollment_config(request.enrollment_type)
    return s.EnrollmentConfigAnswer(
        stages=tuple(s.StageEntry(stage=one.stage, cells=tuple(map(cell_entry, one.cells))) for one in stages)
    )


def on_context_changed(service: ServedDevice, request: s.ContextChangedRequest) -> None:
    context = _context(request.context)
    assert context is not None  # noqa: S101  # the field is not optional
    service.hal.call(request.session, lambda session: session.on_context_changed(context))


def on_pointer_down(service: ServedDevice, request: s.PointerRequest) -> None:
    service.hal.call(request.session, lambda session: session.on_pointer_down(_pointer(request.pointer)))


def on_pointer_up(service: ServedDevice, request: s.PointerRequest) -> None:
    service.hal.call(request.session, lambda session: session.on_pointer_up(_pointer(request.pointer)))


def on_pointer_cancel(service: ServedDevice, request: s.PointerRequest) -> None:
    service.hal.call(request.session, lambda session: session.on_pointer_cancel(_pointer(request.pointer)))


def on_ui_ready(service: ServedDevice, request: s.SessionRequest) -> None:
    service.hal.call(request.session, HalSession.on_ui_ready)


def set_ignore_display_touches(service: ServedDevice, request: s.IgnoreTouchesRequest) -> None:
    service.hal.call(request.session, lambda session: session.set_ignore_display_touches(request.ignore))


def present(service: ServedDevice, request: s.PresentRequest) -> None:
    def show(session: HalSession) -> None:
        session.present(service.presented(request.form, request.sample), _pose(request.pose))

    service.hal.call(request.session, show)


def lift(service: ServedDevice, request: s.SessionRequest) -> None:
    service.hal.call(request.session, HalSession.lift)


HANDLERS: dict[str, Handler] = {
    one.__name__: one
    for one in (
        create_session,
        close,
        cancel,
        generate_challenge,
        revoke_challenge,
        enroll,
        authenticate,
        detect_interaction,
        enumerate_enrollments,
        remove_enrollments,
        get_authenticator_id,
        invalidate_authenticator_id,
        reset_lockout,
        get_features,
        set_feature,
        get_enrollment_config,
        on_context_changed,
        on_pointer_down,
        on_pointer_up,
        on_pointer_cancel,
        on_ui_ready,
        set_ignore_display_touches,
        present,
        lift,
    )
}
