"""Whatever dies whenever: what is stored counts every comparison before it is made, and no miss is one too many.

A small model of the counters of one sensor beside the application: misses since the last match or reset, and charges
that a death has left behind. It knows nothing of when an attempt is charged.
"""

from collections import Counter
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bioguard.commands import biometric, gatekeeper
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.status import ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit
from bioguard.evidence.attack.target import Target
from bioguard.records.locks import Lock
from bioguard.trusted.biometric import decision
from bioguard.trusted.biometric.gallery_index import GalleryIndex
from bioguard.trusted.biometric.sensor_commands import SensorCommands
from bioguard.trusted.sensor.authorization import SensorUserState
from bioguard.trusted.sensor.charges_ahead import MOST_AHEAD, ChargesAhead
from bioguard.trusted.sensor.lockout import ANDROID_11, ANDROID_13, APPLE, CLEAR, LockoutState
from bioguard.trusted.sensor.stored_objects import StoredStates
from bioguard.trusted.sensor.tally import read_tally
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import OsRng
from tee_sim.testing.direct_port import DirectPort
from tee_sim.testing.faults import FaultPlan, HostileBlobs, HostileRpmb
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium

pytestmark = pytest.mark.usefixtures("fast_pins")
LIMIT, WAIT_MS = ANDROID_13.timed_every, ANDROID_13.timed_ms
SEARCHES = 2
"""In place of a person's number."""
WHO = st.integers(0, SEARCHES)


class CutError(BaseException):
    """The power fails."""


class Sealed(Target):
    """Applications over the store of a device, whose disk and chip fail by plan."""

    def __init__(self) -> None:
        self.blobs, self.medium, self.plan = MemoryBlobs(), MemoryMedium(), FaultPlan(die=self._die)
        super().__init__(manifests())

    def _die(self) -> None:
        raise CutError

    def restart(self) -> None:
        self.plan.rules = ()
        port = DirectPort(Service(HostileBlobs(self.blobs, self.plan), HostileRpmb(RpmbDevice(self.medium), self.plan)))
        ladder = KeyLadder(bytes(32), bytes(16))
        self._sealed = ObjectStore.open(RemoteBlobStore(port), RemoteRpmb(port), ladder, OsRng(), create=True)
        super().restart()

    def _objects(self, manifest):
        return self._sealed.namespace(manifest.ta_uuid)

    def arm(self, text: str) -> None:
        self.plan.rules = FaultPlan.parse(text).rules
        self.plan.passed.clear()


class Watch:
    """Two people with a face, and searches; every comparison is held against what is stored at that moment."""

    def __init__(self, target: Target) -> None:
        self.kit = Kit(target)
        self.people = [self.kit.person(enrolled=True) for _ in range(SEARCHES)]
        self.misses: Counter[int] = Counter()
        self.left_behind: Counter[int] = Counter()
        self.window: Counter[int] = Counter()
        self.wrong: list[str] = []

    @property
    def target(self) -> Target:
        return self.kit.target

    def stored(self, who: int) -> LockoutState:
        store = next(m for m in self.target.manifests if m.ta_uuid == BIOMETRIC_UUID)
        objects = self.target._objects(store)
        return (
            read_tally(objects, 1).search
            if who == SEARCHES
            else StoredStates(objects).load(1, self.people[who].user).lockout
        )

    def compared(self, who: int) -> None:
        """A comparison is made now; a miss, until a match is answered."""
        if self.stored(who).failed_attempts <= self.misses[who]:
            self.wrong.append("compared before it was counted")
        if self.window[who] >= LIMIT:
            self.wrong.append("one miss more than the policy allows")
        self.misses[who] += 1
        self.window[who] += 1

    def attempt(self, who: int, *, genuine: bool) -> ReplyStatus:
        person = self.people[who % SEARCHES]
        sample = self.kit.sample(person.face if genuine else self.kit.direction())
        before = self.misses[who], self.window[who]
        with pytest.MonkeyPatch.context() as patch:
            claims, searches = decision.sightings, GalleryIndex.sightings
            patch.setattr(decision, "sightings", lambda *a: (self.compared(who), claims(*a))[1])
            patch.setattr(GalleryIndex, "sightings", lambda *a: (self.compared(who), searches(*a))[1])
            answer = self.kit.identify(sample) if who == SEARCHES else self.kit.authenticate(person, sample)
        if answer.match and who == SEARCHES:
            self.misses[who], self.window[who] = before
        elif answer.match:
            self.cleared(who)
        return answer.status

    def cleared(self, who: int) -> None:
        for counter in (self.misses, self.window, self.left_behind):
            counter[who] = 0

    def died(self) -> None:
        """Whatever is charged now counts for good."""
        for who in range(SEARCHES + 1):
            self.left_behind[who] = self.stored(who).failed_attempts - self.misses[who]

    def end(self) -> None:
        """Close the session: an explicit end."""
        self.target.session(BIOMETRIC_UUID).close()
        self.target.forget(BIOMETRIC_UUID)

    def check(self) -> None:
        assert not self.wrong
        for who in range(SEARCHES + 1):
            ahead = self.stored(who).failed_attempts - self.misses[who] - self.left_behind[who]
            assert ahead in (0, 1), (who, ahead)
            if self.stored(who).lock is not Lock.NONE:
                assert not ahead, "locked by an attempt that nobody has made"


class Lives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.watch = Watch(Target(manifests()))

    @rule(who=WHO, genuine=st.booleans())
    def attempt(self, who: int, genuine: bool) -> None:
        self.watch.attempt(who, genuine=genuine)

    @rule(who=WHO, genuine=st.booleans(), writes=st.integers(0, 1))
    def power_cut(self, who: int, genuine: bool, writes: int) -> None:
        self.watch.target.disk.cut_after = writes
        with suppress(TeeError):
            self.watch.attempt(who, genuine=genuine)
        self.crash()

    @rule(who=WHO, writes=st.integers(0, 1))
    def full_disk(self, who: int, writes: int) -> None:
        disk = self.watch.target.disk
        self.watch.target.session(BIOMETRIC_UUID)  # a start that cannot be written decides nothing
        disk.spend = lambda: self._full(writes)
        self._left = writes
        with suppress(TeeError):
            self.watch.attempt(who, genuine=False)
        del disk.spend
        self.watch.died()

    def _full(self, writes: int) -> None:
        if not self._left:
            raise TeeError(TeeResult.STORAGE_NO_SPACE, "full")
        self._left -= 1

    @rule()
    def crash(self) -> None:
        self.watch.target.restart()
        self.watch.died()

    @rule()
    def reboot(self) -> None:
        self.watch.target.reboot()
        self.watch.died()

    @rule(restart=st.booleans())
    def end(self, restart: bool) -> None:
        self.watch.end()
        for who in range(SEARCHES + 1):
            assert self.watch.stored(who).failed_attempts == self.watch.misses[who] + self.watch.left_behind[who]
        if restart:
            self.watch.target.restart()

    @rule()
    def end_without_power(self) -> None:
        self.watch.target.disk.cut_after = 0
        with suppress(TeeError):
            self.watch.end()
        self.watch.target.forget(BIOMETRIC_UUID)
        self.crash()

    @rule()
    def wait(self) -> None:
        self.watch.target.clock.advance(WAIT_MS)
        self.watch.window.clear()

    @rule(who=st.integers(0, SEARCHES - 1))
    def pin(self, who: int) -> None:
        person = self.watch.people[who]
        if self.watch.kit.reset_lockout(person, self.watch.kit.pin_token(person)):
            self.watch.cleared(who)
            self.watch.cleared(SEARCHES)

    @invariant()
    def holds(self) -> None:
        self.watch.check()


Lives.TestCase.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)
TestLives = Lives.TestCase


def test_a_power_cut_at_every_write_of_the_device_counts_the_attempt() -> None:
    watch = Watch(Sealed())
    cuts = [f"{point}@{n}: {how}" for point, most in (("commit", 2), ("rpmb.write", 4)) for n in range(1, most + 1)
            for how in ("die-before", "die-after")]  # fmt: skip
    for warm, genuine in ((True, False), (False, False), (True, True)):
        for cut in cuts:
            for _ in range(3):
                watch.attempt(0, genuine=True)
            if not warm:
                watch.target.restart()
                watch.died()
            watch.target.arm(cut)
            with suppress(TeeError):
                watch.attempt(0, genuine=genuine)
            watch.target.restart()
            watch.died()
            watch.check()
            assert watch.stored(0).lock is Lock.NONE
            for _ in range(LIMIT):
                watch.attempt(0, genuine=False)
                watch.check()
            assert watch.stored(0).lock is Lock.TIMED
            watch.target.clock.advance(WAIT_MS)
            watch.window.clear()


def test_whoever_comes_again_makes_one_commit_and_a_first_time_leaves_nothing_charged() -> None:
    watch = Watch(Target(manifests()))
    disk, commits = watch.target.disk, []
    for genuine in (True, True, True, False, False, False, False, False):
        before = sum(what == "put" and where == b"H" for what, where, _ in disk.traffic), len(disk.traffic)
        watch.attempt(0, genuine=genuine)
        puts = [where[:1] for what, where, _ in disk.traffic[before[1] :] if what == "put"]
        commits.append(puts.count(b"S"))
        if len(commits) == 1:
            assert watch.stored(0) == CLEAR
    assert commits == [2, 2, 1, 1, 1, 1, 1, 2]
    assert watch.stored(0).lock is Lock.TIMED


@pytest.mark.parametrize("who", [0, SEARCHES])
def test_a_match_of_an_attempt_that_was_charged_ahead_gives_it_back(who: int) -> None:
    watch = Watch(Target(manifests()))
    for _ in range(2 * LIMIT):
        watch.attempt(who, genuine=True)
        watch.check()
        assert watch.stored(who).failed_attempts <= 1
    watch.end()
    assert watch.stored(who).failed_attempts == 0


@pytest.mark.parametrize("who", [0, SEARCHES])
def test_after_a_reset_nothing_is_given_back_and_the_next_attempt_is_charged_anew(who: int) -> None:
    watch = Watch(Target(manifests()))
    person = watch.people[0]
    for _ in range(3):
        watch.attempt(who, genuine=False)
    assert watch.kit.reset_lockout(person, watch.kit.pin_token(person))
    watch.cleared(who)
    watch.end()
    assert watch.stored(who) == CLEAR
    for _ in range(3):
        watch.attempt(who, genuine=False)
    assert watch.kit.reset_lockout(person, watch.kit.pin_token(person))
    watch.cleared(who)
    watch.attempt(who, genuine=False)
    watch.check()


@pytest.mark.parametrize("who", [0, SEARCHES])
def test_after_a_request_that_failed_none_is_left(who: int, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(Target(manifests()))
    for _ in range(2):
        watch.attempt(who, genuine=True)

    def fail(*_: object, **__: object) -> None:
        raise TeeError(TeeResult.OUT_OF_MEMORY, "no room to settle")

    with monkeypatch.context() as broken:
        broken.setattr(SensorCommands, "settle", fail)
        with pytest.raises(TeeError):
            watch.attempt(1, genuine=True)
    assert watch.stored(who).failed_attempts == 1, "charged ahead"
    watch.attempt(who, genuine=False)
    assert watch.stored(who).failed_attempts == 3, "what was charged counts, this one, and the next"
    watch.misses[1] = watch.stored(1).failed_attempts
    watch.left_behind[who] = 1
    watch.check()


def test_whoever_has_the_id_of_somebody_erased_is_there_for_the_first_time() -> None:
    watch = Watch(Target(manifests()))
    kit, person = watch.kit, watch.people[0]
    for _ in range(2):
        watch.attempt(0, genuine=True)
    assert watch.stored(0).failed_attempts == 1, "charged ahead"
    leave = biometric.EraseAuthorization(token=kit.pin_token(person))
    kit.ask(BIOMETRIC_UUID, biometric.REMOVE_USER, biometric.RemoveUser(user=person.user, leave=leave))
    kit.ask(gatekeeper.GATEKEEPER_UUID, gatekeeper.DELETE_USER, gatekeeper.DeleteUser(user=person.user))
    kit.rng = np.random.default_rng(kit.seed)
    watch.people[0] = kit.person(enrolled=True)
    assert watch.people[0].user == person.user
    watch.attempt(0, genuine=True)
    assert watch.stored(0) == CLEAR
    watch.attempt(0, genuine=True)
    assert watch.stored(0).failed_attempts == 1
    watch.check()


def test_the_lock_of_somebody_erased_is_nobodys() -> None:
    target = Target(manifests())
    store, user = target._objects(next(m for m in target.manifests if m.ta_uuid == BIOMETRIC_UUID)), bytes(16)
    states = StoredStates(store)
    assert not states.locked([1], lambda state: state)
    states.save(1, user, SensorUserState(lockout=ANDROID_13.charge(LockoutState(failed_attempts=LIMIT - 1), 0)))
    assert states.locked([1], lambda state: state) == {user}
    with store.transaction() as transaction:
        states.erase(transaction, user)
    assert not states.locked([1], lambda state: state)


def test_a_charge_is_used_once_and_only_for_what_is_stored() -> None:
    for policy in (ANDROID_13, ANDROID_11, APPLE):
        ahead = ChargesAhead()
        assert ahead.next((1, b"a"), CLEAR, policy, 0) is None
        charge = ahead.next((1, b"a"), CLEAR, policy, 0)
        assert charge is not None
        assert ahead.take((1, b"a"), charge.charged) is None, "it is not durable yet"
        ahead.stored((1, b"a"), charge)
        assert ahead.take((1, b"b"), charge.charged) is None
        assert ahead.take((1, b"a"), charge.charged) == charge
        assert ahead.take((1, b"a"), charge.charged) is None
        ahead.stored((1, b"a"), charge)
        assert ahead.take((1, b"a"), CLEAR) is None
        edge = LockoutState(failed_attempts=4)
        assert ahead.next((1, b"a"), edge, policy, 0) is None
        assert ahead.next((1, b"a"), policy.charge(edge, 0), policy, 0) is None
        ahead.stored((1, b"a"), charge)
        ahead.forget((1, b"a"))
        assert not ahead.take_all()
        assert ahead.next((1, b"a"), CLEAR, policy, 0) is None


def test_who_was_here_long_ago_is_here_for_the_first_time() -> None:
    ahead = ChargesAhead()
    for user in range(MOST_AHEAD + 1):
        assert ahead.next((1, bytes([user])), CLEAR, ANDROID_13, 0) is None
    assert ahead.next((1, bytes([1])), CLEAR, ANDROID_13, 0) is not None
    assert ahead.next((1, bytes([0])), CLEAR, ANDROID_13, 0) is None


def test_no_more_are_charged_than_are_given_back_at_once() -> None:
    ahead = ChargesAhead()
    for user in range(MOST_AHEAD + 1):
        key = 1, bytes([user])
        ahead.next(key, CLEAR, ANDROID_13, 0)
        ahead.stored(key, ahead.next(key, CLEAR, ANDROID_13, 0))
    assert len(ahead.take_all()) == MOST_AHEAD
