"""Random steps through the pipe against the model: a short form here, more and broken products as campaigns."""

from pathlib import Path

import pytest

from tests.broken_build import Change
from tests.broken_tree import plant
from tests.campaigns import pipe

SHORT_STEPS, MUTANT_STEPS, LONG_STEPS = 260, 2_000, 20_000
SHORT_ROWS = [
    "create_session", "cancel", "generate_challenge", "verify_pin", "enroll", "authenticate", "present",
    "clock_advance", "fault_set", "on_pointer_down", "get_features", "unlock",
    "CHALLENGE_GENERATED", "ACQUIRED", "LOCKOUT_TIMED",
    "ENROLLMENT_FRAME", "ENROLLMENT_PROGRESS", "AUTHENTICATION_FAILED",
    "AUTHENTICATOR_ID_RETRIEVED", "ERROR 2 match.not_enrolled", "session.in_use", "session.interface",
    "session.state", "session.unknown",
]  # fmt: skip
LONG_ROWS = [
    "create_session", "close", "cancel", "generate_challenge", "revoke_challenge", "enroll", "authenticate",
    "detect_interaction", "enumerate_enrollments", "remove_enrollments", "get_authenticator_id",
    "invalidate_authenticator_id", "reset_lockout", "get_features", "set_feature", "on_pointer_down",
    "on_pointer_up", "on_pointer_cancel", "on_ui_ready", "set_ignore_display_touches", "present", "lift",
    "unlock", "verify_pin", "clock_advance", "reboot", "fault_set", "fault_clear", "CHALLENGE_GENERATED",
    "CHALLENGE_REVOKED", "ACQUIRED", "ENROLLMENT_FRAME", "ENROLLMENT_PROGRESS", "AUTHENTICATION_FRAME",
    "AUTHENTICATION_SUCCEEDED", "AUTHENTICATION_FAILED", "LOCKOUT_TIMED", "LOCKOUT_PERMANENT", "LOCKOUT_CLEARED",
    "INTERACTION_DETECTED", "ENROLLMENTS_ENUMERATED", "ENROLLMENTS_REMOVED", "AUTHENTICATOR_ID_RETRIEVED",
    "AUTHENTICATOR_ID_INVALIDATED", "FEATURES_RETRIEVED", "FEATURE_SET", "SESSION_CLOSED", "session.in_use",
    "session.state", "session.dead", "session.unknown", "session.interface", "session.queue_full", "tee.dead",
    "match.not_enrolled", "ERROR 2", "ERROR 2 match.not_enrolled", "ERROR 4", "ERROR 5",
    "ERROR 7 enroll.duplicate_finger", "ERROR 8", "RESTARTED 1", "RESTARTED 2",
]  # fmt: skip
LOCKOUT, HAL = "src/bioguard/trusted/sensor/lockout.py", "src/bioguard/hal"
RULES = "src/bioguard/trusted/sensor/authorization.py"
CANCELED = "self._end(OperationError(ErrorCode.CANCELED), SessionEvent.CANCEL)"
FAILED = "            yield cb.AuthenticationFailed()\n"
TELLS = "                yield from lock_callback(self._backend.lock_status())\n"
FACE_TOO = f"            if self._kind is Modality.FINGERPRINT:\n{TELLS}"
MUTANTS: dict[str, Change] = {
    "cancel is answered twice": (
        f"{HAL}/operations.py", CANCELED, f"{CANCELED}; self._tell(OperationError(ErrorCode.CANCELED))"
    ),
    "one miss more before the lock": (
        LOCKOUT, "failed % self.timed_every == 0", "failed % (self.timed_every + 1) == 0"
    ),
    "a wait ends a second early": (
        LOCKOUT, "state.since_ms >= self.timed_ms", "state.since_ms >= self.timed_ms - 1000"
    ),
    "the lock of a user is on every sensor": (
        RULES, "            return [sensor_id]\n", "            return [*self._sensors]\n"
    ),
    "a revoked challenge lives": (
        "src/bioguard/trusted/sensor/challenges.py", "if entry[0] != challenge))", "if entry[0] or challenge))"
    ),
    "features end with the next enrollment": (RULES, "state.features if enrollments else 0", "0"),
    "six operations wait": (f"{HAL}/operations.py", "QUEUE_DEPTH = 5", "QUEUE_DEPTH = 6"),
    "the lock is told before the failure": (f"{HAL}/captures.py", FAILED + FACE_TOO, FACE_TOO + FAILED),
    "a finger is captured in the dark": (f"{HAL}/touch.py", "(self._lit or facts.controls_illumination)", "True"),
    "a restart is told as the other one": (
        "src/bioguard/serve/v2/conversation.py", "RestartKind.REBOOTED if self._rebooting else RestartKind.DIED",
        "RestartKind.DIED if self._rebooting else RestartKind.REBOOTED",
    ),
}  # fmt: skip
FIRST, *LATER = MUTANTS


def test_every_answer_and_callback_of_some_steps_is_the_models() -> None:
    played = pipe.run(SHORT_STEPS, seed=4)
    assert [row for row in SHORT_ROWS if not played[row]] == []


@pytest.mark.campaign
@pytest.mark.parametrize(("seed", "cascade"), [(1, False), (2, True)])
def test_every_answer_and_callback_of_many_steps_is_the_models(seed: int, cascade: bool) -> None:
    played = pipe.run(LONG_STEPS, seed, cascade=cascade)
    assert [row for row in LONG_ROWS if not played[row]] == []


@pytest.mark.parametrize("mutant", [FIRST, *(pytest.param(name, marks=pytest.mark.campaign) for name in LATER)])
def test_a_broken_product_is_found(mutant: str, tmp_path: Path) -> None:
    """And the same product unbroken is not, by the same steps."""
    with pytest.raises(pipe.Difference, match="the model") as found:
        pipe.run(MUTANT_STEPS, seed=3, python=str(plant(tmp_path / "broken", (MUTANTS[mutant],))))
    pipe.run(found.value.step, seed=3, python=str(plant(tmp_path / "whole", ())))
