"""Random clients over random answers: every operation that was taken has one terminal callback, or its session is dead;
what was refused changes nothing."""

import random

import pytest

from bioguard.errors import BioguardError, InputRefused, IntegrityFailure, NotPermitted
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import Feature
from bioguard.hal.backend import BackendDied, Matched, NotMatched, PoorCapture
from bioguard.hal.callbacks import is_terminal
from bioguard.hal.hal import FaceEnrollOptions
from bioguard.hal.operations import QUEUE_DEPTH
from bioguard.hal.session import CANCELLABLE, SessionState
from bioguard.records.acquired import AcquiredCode
from bioguard.records.locks import Lock, LockStatus
from bioguard.records.modality import Modality
from tests.hal.rig import Facts, Rig, rig

STEPS = 4000
OPERATIONS = {
    "challenge": lambda s, r: s.generate_challenge(),
    "revoke": lambda s, r: s.revoke_challenge(r.getrandbits(64)),
    "enroll": lambda s, r: s.enroll(b"t", touches=r.randint(1, 3), options=r.choice((None, FaceEnrollOptions()))),
    "authenticate": lambda s, r: s.authenticate(1),
    "detect": lambda s, r: s.detect_interaction(),
    "enumerate": lambda s, r: s.enumerate_enrollments(),
    "remove": lambda s, r: s.remove_enrollments((5,)),
    "id": lambda s, r: s.get_authenticator_id(),
    "invalidate": lambda s, r: s.invalidate_authenticator_id(),
    "reset": lambda s, r: s.reset_lockout(b"t"),
    "features": lambda s, r: s.get_features(),
    "feature": lambda s, r: s.set_feature(b"t", Feature.DEBUG, True),
}
OTHERS = {
    "present": lambda s, r: s.present("x"),
    "lift": lambda s, r: s.lift(),
    "down": lambda s, r: s.on_pointer_down(),
    "up": lambda s, r: s.on_pointer_up(),
    "ready": lambda s, r: s.on_ui_ready(),
    "cancel": lambda s, r: s.cancel(r.choice((None, 1, 2, 3))),
    "tick": lambda s, r: s.tick(),
}
OUTCOMES = (Matched(5), NotMatched(), PoorCapture(AcquiredCode.PARTIAL), LockStatus(Lock.TIMED, 9))
LOCKS = (LockStatus(Lock.NONE), LockStatus(Lock.NONE), LockStatus(Lock.TIMED, 9), LockStatus(Lock.PERMANENT))
METHODS = ("prepare_enrollment", "judge", "enroll", "authenticate", "authenticate", "lock_status", "remove", "features")
REFUSALS = (
    NotPermitted("no", hint="-", code="consent.missing"),
    IntegrityFailure("no", hint="-", code="store.damaged"),
    BackendDied("no", hint="-"),
)

OF_THE_SAMPLE = InputRefused("no", hint="-", code="match.dimension")


def made(choices: random.Random) -> Rig:
    kind = choices.choice((Modality.FINGERPRINT, Modality.FACE))
    under = kind is Modality.FINGERPRINT and choices.random() < 0.5
    return rig(Facts(kind, under_display=under, controls_illumination=choices.random() < 0.5))


@pytest.mark.parametrize("seed", range(3))
def test_each_operation_ends_once(seed: int) -> None:
    choices = random.Random(seed)
    walked, taken, ended, deaths = made(choices), 0, 0, 0
    for _ in range(STEPS):
        session, backend = walked.session, walked.backend
        backend.outcome, backend.lock = choices.choice(OUTCOMES), choices.choice(LOCKS)
        method = choices.choice(METHODS)
        refusals = (*REFUSALS, OF_THE_SAMPLE) if method in ("judge", "authenticate") else REFUSALS
        backend.raises = {method: choices.choice(refusals)} if choices.random() < 0.5 else {}
        name = choices.choice([*OPERATIONS, *["present"] * 8, *OTHERS, *OTHERS])
        before, waiting = session.state, taken - ended
        walked.heard.clear()
        try:
            number = {**OPERATIONS, **OTHERS}[name](session, choices)
            if name in OPERATIONS:
                taken += 1
                assert number == taken
            session.pump()
        except BackendDied:
            deaths += 1
        except BioguardError:
            assert (session.state, walked.heard, taken - ended) == (before, [], waiting)
        answers = [told for told in walked.heard if not _unasked(walked, told, name)]
        ended += [is_terminal(told, backend.facts.kind) for told in answers].count(True)
        if session.state is SessionState.CLOSED:
            walked, taken, ended = made(choices), 0, 0
            continue
        running = session.state in CANCELLABLE
        assert session.state is SessionState.IDLING or running
        assert taken - ended == len(session._queue) + running <= QUEUE_DEPTH + 1
    assert deaths > 5


def _unasked(walked: Rig, told: cb.Callback, name: str) -> bool:
    """The end of a lockout that time brings is no operation's."""
    return name == "tick" and isinstance(told, cb.LockoutCleared)
