"""The device never differs from the model, and every way of breaking it makes it differ.

`python -m tests.model --steps 20000` is the long form.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from bioguard.device.applications import manifests
from bioguard.records.locks import AttemptOutcome
from bioguard.trusted.biometric import sensor_commands
from bioguard.trusted.biometric.sensor_commands import SensorCommands
from bioguard.trusted.gatekeeper import gatekeeper, throttle
from bioguard.trusted.gatekeeper.gatekeeper import Gatekeeper
from bioguard.trusted.sensor import authorization, challenges, exposure, lockout
from bioguard.trusted.sensor.authorization import SensorAuthorization
from bioguard.trusted.sensor.exposure import Exposures
from bioguard.trusted.sensor.lockout import CLEAR, LockoutPolicy
from tee_sim.secure.hosts.pipes import HostPipe
from tee_sim.shared.errors import TeeError
from tests.model.play import Divergence, first_divergence, shortened
from tests.model.reference import Reference
from tests.model.steps import FACE, KINDS, Step, random_steps

STORY = 500
STORIES = 4
MUTANT_STORIES = 12

pytestmark = pytest.mark.usefixtures("fast_pins")
Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("story", range(STORIES))
def test_the_device_never_differs_from_the_model(story: int) -> None:
    how = {"require_pin": bool(story % 2), "seed": story}
    found = first_divergence(random_steps(story * STORY, STORY), **how)
    assert found is None, str(shortened(found, **how))


def test_nor_with_a_process_for_each_application_that_is_killed_now_and_then() -> None:
    steps = random_steps(0, 250, deaths=True)
    assert [step.kind for step in steps].count("die") > 3
    assert first_divergence(steps, require_pin=True, seed=0, processes=True) is None


def test_a_core_that_does_not_notice_a_death_differs(monkeypatch: Patch) -> None:
    monkeypatch.setattr(HostPipe, "has_ended", lambda self: not self.alive)
    steps = [Step("add_user", (0,)), Step("die", (0,)), Step("challenge", (0, 2))]
    with pytest.raises(TeeError, match="process ended"):
        first_divergence(steps, require_pin=False, processes=True)


def test_the_stories_get_to_every_answer_that_matters() -> None:
    seen: Counter[tuple[str, object]] = Counter()
    spent = closed = 0
    for story in range(20_000 // STORY):
        reference = Reference(require_pin=bool(story % 2))
        for step in random_steps(story * STORY, STORY):
            answer = getattr(reference, step.kind)(*step.args)
            seen[step.kind, answer[0] if isinstance(answer, tuple) else answer] += 1
        near = [r.near for user in reference.users.values() for s in user.values() for r in s.records]
        spent, closed = spent + sum(n >= 10 for n in near), closed + (50 in near)
    assert (spent >= 5, closed >= 2) == (True, True)
    assert {kind for kind, _ in seen} == set(KINDS) - {"die"}, "which takes a process for each application"
    for kind in ("authenticate", "identify"):
        for answer in ("match", "no match", "LOCKED_TIMED", "LOCKED_PERMANENT", "PROBE_DIMENSION"):
            assert seen[kind, answer] >= 5, (kind, answer)
    for answer in ("OK", "TOKEN_REFUSED", "PIN_REQUIRED", "USER_FULL", "ENROLLED_WITH_OTHER_PIN"):
        assert seen["enroll", answer] + seen["visit", answer] >= 5, answer
    for answer in ("OK", "RETRY_TIMEOUT", "GENERAL_FAILURE"):
        assert seen["verify_pin", answer] >= 5, answer


def test_a_search_after_a_reboot_does_not_start_the_wait_of_a_claim() -> None:
    steps = [Step("add_user", (2,)), Step("wait", (3_600_000,)), Step("enroll", (2, FACE, 0, 1, 0, False))]
    steps += [Step("authenticate", (2, FACE, 2, 1, "far"))] * 5
    steps += [Step("reboot"), Step("identify", (FACE, 2, 1, "strong")), Step("wait", (30_000,))]
    steps += [Step("identify", (FACE, 2, 1, "strong")), Step("authenticate", (2, FACE, 2, 1, "strong"))]
    steps += [Step("identify", (FACE, 2, 1, "strong"))]
    reference = Reference(require_pin=False)
    answers = [getattr(reference, step.kind)(*step.args) for step in steps]
    assert answers[-6:] == ["OK", "no match", "OK", ("match", 2, 0), "LOCKED_TIMED", "no match"]
    assert first_divergence(steps, require_pin=False) is None


def wrapped(patch: Patch, owner: object, name: str, change: Callable) -> None:
    real = getattr(owner, name)
    patch.setattr(owner, name, lambda *args, **more: change(real, *args, **more))


def limit_off_by_one(p: Patch) -> None:
    p.setitem(
        sensor_commands._POLICIES, sensor_commands.LockoutChoice.ANDROID_13, replace(lockout.ANDROID_13, timed_every=6)
    )


def wait_a_millisecond_short(p: Patch) -> None:
    p.setitem(
        sensor_commands._POLICIES,
        sensor_commands.LockoutChoice.ANDROID_13,
        replace(lockout.ANDROID_13, timed_ms=29_999),
    )


def never_permanent(p: Patch) -> None:
    p.setitem(
        sensor_commands._POLICIES, sensor_commands.LockoutChoice.ANDROID_13, replace(lockout.ANDROID_13, permanent_at=0)
    )


def reboot_ends_a_wait(p: Patch) -> None:
    def change(real, self, state, now_ms):
        return real(self, replace(state, lock=lockout.Lock.NONE) if now_ms < state.since_ms else state, now_ms)

    wrapped(p, LockoutPolicy, "observed", change)


def sensors_lock_each_other(p: Patch) -> None:
    """As with the cascade, which the device was not made with."""
    wrapped(p, SensorAuthorization, "locking", lambda _real, self, _sensor_id: list(self._sensors))


def counter_not_stored(p: Patch) -> None:
    def change(real, self, attempt, outcome, *args, **more):
        settlement = real(self, attempt, outcome, *args, **more)
        if outcome is AttemptOutcome.NO_MATCH:
            return replace(settlement, state=replace(settlement.state, lockout=attempt.before))
        return settlement

    wrapped(p, SensorAuthorization, "settlement", change)


def match_clears_nothing(p: Patch) -> None:
    def change(real, self, charged, before, outcome, now_ms):
        return before if outcome is AttemptOutcome.MATCH else real(self, charged, before, outcome, now_ms)

    wrapped(p, LockoutPolicy, "settle", change)


def challenge_lives_too_long(p: Patch) -> None:
    p.setattr(challenges, "LIFETIME_MS", 600_001)


def revoking_does_nothing(p: Patch) -> None:
    p.setattr(SensorAuthorization, "revoke_challenge", lambda *_: None)


def _shared(real, self, sensor_id, user):
    challenge = real(self, sensor_id, user)
    for other in self._sensors:
        self._challenges[other, user] = self._challenges[sensor_id, user]
    return challenge


def challenge_of_another_sensor(p: Patch) -> None:
    wrapped(p, SensorAuthorization, "generate_challenge", _shared)


def token_of_a_reset_pin(p: Patch) -> None:
    wrapped(p, Gatekeeper, "has_pin", lambda real, self, request: replace(real(self, request), is_current=True))


def old_token_resets(p: Patch) -> None:
    p.setattr(authorization, "RESET_TOKEN_AGE_MS", 3_600_000)


def search_is_not_counted(p: Patch) -> None:
    def change(real, self, search, **more):
        return real(self, replace(search, charged=search.before), **more)

    wrapped(p, SensorCommands, "settle_search", change)


def search_match_clears(p: Patch) -> None:
    def change(real, self, search, *, found, **more):
        return real(self, replace(search, before=CLEAR) if found else search, found=found, **more)

    wrapped(p, SensorCommands, "settle_search", change)


def claim_clears_search(p: Patch) -> None:
    def change(real, self, attempt, outcome, *args, **more):
        token = real(self, attempt, outcome, *args, **more)
        if outcome is AttemptOutcome.MATCH:
            self._clear_search(attempt.sensor_id)
        return token

    wrapped(p, SensorCommands, "settle", change)


def pin_does_not_open_search(p: Patch) -> None:
    p.setattr(SensorCommands, "_clear_search", lambda *_: None)


def locked_people_are_named(p: Patch) -> None:
    p.setattr(SensorCommands, "barred", lambda *_: frozenset())


def no_exposure_budget(p: Patch) -> None:
    p.setattr(Exposures, "spent", lambda *_: False)


def closed_records_are_found(p: Patch) -> None:
    p.setattr(Exposures, "closed", lambda *_: False)


def one_more_near_decision(p: Patch) -> None:
    p.setattr(exposure, "LIMIT", 11)


def weak_match_resets_exposure(p: Patch) -> None:
    def change(real, self, *, near=(), strong=None, beaten=()):
        return real(self, near=(), strong=strong or next(iter(near), None), beaten=beaten)

    wrapped(p, Exposures, "after", change)


def strong_match_keeps_exposure(p: Patch) -> None:
    wrapped(p, Exposures, "after", lambda real, self, *, near=(), strong=None, beaten=(): real(self, near=near))


def unbound_beside_a_pin(p: Patch) -> None:
    p.setattr(SensorAuthorization, "_refuse_owned", lambda *_: None)


def pin_wait_skipped_after_reboot(p: Patch) -> None:
    def change(real, record, now_ms):
        return (record, 0) if now_ms <= record.last_checked_ms else real(record, now_ms)

    wrapped(p, gatekeeper, "remaining_ms", change)


def sixth_pin_before_a_wait(p: Patch) -> None:
    wrapped(p, throttle, "retry_timeout_ms", lambda real, failures: 0 if failures == 5 else real(failures))


def authenticator_id_kept(p: Patch) -> None:
    def change(real, self, sensor_id, user, token, **more):
        old = self._states.load(sensor_id, user).authenticator_id
        state = real(self, sensor_id, user, token, **more)
        return replace(state, authenticator_id=old or state.authenticator_id)

    wrapped(p, SensorAuthorization, "enrolled", change)


MUTANTS = [
    limit_off_by_one, wait_a_millisecond_short, never_permanent, reboot_ends_a_wait, sensors_lock_each_other,
    counter_not_stored, match_clears_nothing, challenge_lives_too_long, revoking_does_nothing,
    challenge_of_another_sensor, token_of_a_reset_pin, old_token_resets, search_is_not_counted, search_match_clears,
    claim_clears_search, pin_does_not_open_search, locked_people_are_named, no_exposure_budget,
    closed_records_are_found, one_more_near_decision,
    weak_match_resets_exposure, strong_match_keeps_exposure, unbound_beside_a_pin, pin_wait_skipped_after_reboot,
    sixth_pin_before_a_wait, authenticator_id_kept,
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.__name__)
def test_every_mutant_differs(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    mutant(monkeypatch)
    found = any(
        first_divergence(random_steps(story * STORY, STORY), require_pin=bool(story % 2), seed=story)
        for story in range(MUTANT_STORIES)
    )
    assert found


def test_a_difference_is_shown_by_a_short_story(monkeypatch: Patch) -> None:
    search_is_not_counted(monkeypatch)
    how = {"require_pin": False, "seed": 0}
    found = first_divergence(random_steps(0, STORY), **how)
    assert found is not None
    short = shortened(found, **how)
    assert len(short.steps) < 20
    assert short.steps[-1].kind == found.steps[-1].kind
    assert first_divergence(short.steps, **how) == short
    assert str(short).startswith(
        f"after {len(short.steps)} steps the device says {short.seen!r}, not {short.expected!r}:\n"
    )


def test_a_step_prints_as_it_is_called() -> None:
    story = Divergence((Step("wait", (30_000,)), Step("identify", (2, 1, 0, "far"))), "a", "b")
    assert (
        str(story) == "after 2 steps the device says 'b', not 'a':\n    0 wait(30000)\n    1 identify(2, 1, 0, 'far')"
    )
    assert manifests()
