"""The dimension of a device's faces: that of the faces which are there, decided by nothing that failed.

A model of the rule is played against the real application, on a store whose power fails where the play says so.
"""

from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.commands import biometric as commands
from bioguard.commands import policy
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.commands.configuration import CONFIGURE, Configuration
from bioguard.commands.status import ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.memory import PowerCutError
from bioguard.evidence.attack.target import Target
from bioguard.records import FaceEmbedding
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import SENSOR_IDS
from tee_sim.shared.errors import TeeError

FACE_SENSOR = SENSOR_IDS[Modality.FACE]
DIMENSIONS = (128, 512)
DAY_MS = 86_400_000
USERS = tuple(sha256(bytes([i])).digest()[:16] for i in range(3))
OPERATOR = EraseAuthorization(by_operator=True)


def face(user: int, dimension: int, view: int) -> bytes:
    own = np.random.default_rng([user, dimension]).standard_normal(dimension)
    noise = np.random.default_rng([user, dimension, view]).standard_normal(dimension)
    return FaceEmbedding.from_features(own + 0.3 * noise).to_bytes()


@dataclass
class World:
    """The application, and what must be true of it: `faces` has (user, dimension) by record id."""

    profile: Profile
    target: Target = field(default_factory=lambda: Target(manifests()))
    faces: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    users: set[int] = field(default_factory=set)
    willing: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ask(CONFIGURE, Configuration(profile=self.profile, require_pin=False))

    def ask(self, command, request):
        return self.target.call(BIOMETRIC_UUID, command, request)

    def known(self, user: int) -> bytes:
        name = USERS[user]
        if user not in self.users:
            self.ask(commands.ADD_USER, commands.AddUser(user=name, label=bytes(32)))
            self.users.add(user)
        if user not in self.willing:  # a grant makes the index anew: only where one is needed
            for purpose in (Purpose.UNLOCK, Purpose.IDENTIFY):
                grant = policy.GrantConsent(
                    user=name, modalities=(Modality.FACE,), purposes=(purpose,), days=3650, of_age=True
                )
                assert self.ask(policy.GRANT, grant).status is ReplyStatus.OK
            self.willing.add(user)
        return name

    def enroll(self, user: int, dimension: int, *, replace: bool = False, views: tuple[bytes, ...] = ()) -> ReplyStatus:
        request = commands.Enroll(
            user=self.known(user),
            sensor=FACE_SENSOR,
            position=0,
            samples=views or tuple(face(user, dimension, i) for i in range(3)),
            replace=replace,
        )
        answer = self.ask(commands.ENROLL, request)
        if answer.status is ReplyStatus.OK:
            if replace and self.of(user):
                self.faces.pop(self.of(user)[0])
            self.faces[answer.record_id] = (user, dimension)
        return answer.status

    def of(self, user: int) -> list[bytes]:
        return [record_id for record_id, (owner, _) in self.faces.items() if owner == user]

    @property
    def dimension(self) -> int | None:
        return next((dimension for _, dimension in self.faces.values()), None)

    def expected(self, user: int, dimension: int, *, replace: bool = False) -> ReplyStatus:
        mine = self.of(user)
        if len(mine) >= 2 and not replace:
            return ReplyStatus.USER_FULL
        gone = mine[0] if replace and mine else None
        others = {d for record_id, (_, d) in self.faces.items() if record_id != gone}
        return ReplyStatus.OK if others <= {dimension} else ReplyStatus.WRONG_DIMENSION

    def check(self) -> None:
        """Every probe is answered as the faces that are there say."""
        page = self.ask(commands.LIST, commands.ListRecords())
        assert {r.record_id for r in page.records} == set(self.faces)
        for dimension in DIMENSIONS:
            for user in sorted(self.users):
                self._show(user, dimension)

    def _show(self, user: int, dimension: int) -> None:
        probe = face(user, dimension, 9)
        there = bool(self.of(user))
        if there or dimension != self.dimension:  # a search that finds nobody is counted, and locks
            found = self.ask(commands.IDENTIFY, commands.Identify(sensor=FACE_SENSOR, sample=probe, fpir_inverse=0))
            if self.dimension is None:
                assert (found.status, found.match) == (ReplyStatus.OK, False)
            elif dimension != self.dimension:
                assert found.status is ReplyStatus.PROBE_DIMENSION
            else:
                assert (found.status, found.match, found.user) == (ReplyStatus.OK, True, USERS[user])
        decision = self.ask(
            commands.AUTHENTICATE,
            commands.Authenticate(user=USERS[user], sensor=FACE_SENSOR, sample=probe, fmr_inverse=0),
        )
        if not there:
            assert decision.status is ReplyStatus.NOT_ENROLLED
        elif dimension != self.dimension:
            assert decision.status is ReplyStatus.PROBE_DIMENSION
        else:
            assert (decision.status, decision.match) == (ReplyStatus.OK, True)


def enroll(world: World, user: int, dimension: int, replace: bool) -> None:
    expected = world.expected(user, dimension, replace=replace)
    assert world.enroll(user, dimension, replace=replace) is expected


def two_people(world: World, user: int, dimension: int, replace: bool) -> None:
    views = (face(user, dimension, 0), face(user + 3, dimension, 0), face(user, dimension, 1))
    assert world.enroll(user, dimension, replace=replace, views=views) is not ReplyStatus.OK


def twice_the_same(world: World, user: int, dimension: int, replace: bool) -> None:
    assert world.enroll(user, dimension, replace=replace, views=(face(user, dimension, 0),) * 2) is not ReplyStatus.OK


def constant(world: World, user: int, dimension: int, replace: bool) -> None:
    views = (FaceEmbedding.from_features(np.ones(dimension)).to_bytes(),)
    assert world.enroll(user, dimension, replace=replace, views=views) is not ReplyStatus.OK


def mixed_dimensions(world: World, user: int, dimension: int, replace: bool) -> None:
    views = tuple(face(user, d, 0) for d in DIMENSIONS)
    assert world.enroll(user, dimension, replace=replace, views=views) in (
        ReplyStatus.WRONG_DIMENSION,
        ReplyStatus.USER_FULL,
    )


def power_cut(world: World, user: int, dimension: int, replace: bool) -> None:
    """The power fails at the first, second or third write of the enrollment: before or after, nothing between."""
    world.known(user)
    before, expected = dict(world.faces), world.expected(user, dimension, replace=replace)
    world.target.disk.cut_after = DIMENSIONS.index(dimension) % 3
    try:
        status = world.enroll(user, dimension, replace=replace)
        assert status is expected
    except (TeeError, PowerCutError):
        world.target.restart()
        page = world.ask(commands.LIST, commands.ListRecords())
        there = {r.record_id for r in page.records}
        new = there - set(before)
        assert not new or expected is ReplyStatus.OK
        world.faces = {r: owned for r, owned in before.items() if r in there}
        world.faces |= dict.fromkeys(new, (user, dimension))
    world.target.disk.cut_after = None


def erase(world: World, user: int, _dimension: int, _replace: bool) -> None:
    for record_id in world.of(user)[:1]:
        request = commands.Erase(user=USERS[user], record_id=record_id, leave=OPERATOR)
        assert world.ask(commands.ERASE, request).status is ReplyStatus.OK
        world.faces.pop(record_id)


def remove_user(world: World, user: int, _dimension: int, _replace: bool) -> None:
    if user in world.users:
        request = commands.RemoveUser(user=USERS[user], leave=OPERATOR)
        assert world.ask(commands.REMOVE_USER, request).status is ReplyStatus.OK
        world.users.discard(user)
        world.willing.discard(user)
        world.faces = {r: owned for r, owned in world.faces.items() if owned[0] != user}


def withdraw(world: World, user: int, _dimension: int, _replace: bool) -> None:
    if user in world.users:
        for purpose in Purpose:
            request = policy.Withdraw(user=USERS[user], modality=Modality.FACE, purpose=purpose)
            assert world.ask(policy.WITHDRAW, request).status is ReplyStatus.OK
        world.willing.discard(user)
        world.faces = {r: owned for r, owned in world.faces.items() if owned[0] != user}


def underage(world: World, user: int, _dimension: int, _replace: bool) -> None:
    if user in world.users:
        assert world.ask(policy.MARK_UNDERAGE, policy.MarkUnderage(user=USERS[user])).status is ReplyStatus.OK
        world.willing.discard(user)
        world.faces = {r: owned for r, owned in world.faces.items() if owned[0] != user}


def retention(world: World, _user: int, _dimension: int, _replace: bool) -> None:
    """A month at a time, since no clock is believed that jumps; thirteen of them are longer than the retention."""
    for _ in range(13):
        world.target.clock.advance(30 * DAY_MS)
        assert world.ask(policy.PURGE, policy.Purge(confirmed=False)).status is ReplyStatus.OK
    world.faces = {}


def restart(world: World, _user: int, _dimension: int, _replace: bool) -> None:
    world.target.restart()


STEPS = (
    enroll, enroll, enroll, two_people, twice_the_same, constant, mixed_dimensions, power_cut, erase, remove_user,
    withdraw, underage, retention, restart,
)  # fmt: skip
plays = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 2), st.sampled_from(DIMENSIONS), st.booleans()),
    min_size=2,
    max_size=10,
)


@pytest.mark.parametrize("profile", Profile)
@settings(max_examples=20, deadline=None)
@given(play=plays)
def test_the_dimension_is_that_of_the_faces_that_are_there(profile: Profile, play: list) -> None:
    world = World(profile)
    for step, user, dimension, replace in play:
        step(world, user, dimension, replace)
        world.check()


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("way", [erase, remove_user, withdraw, underage, retention], ids=lambda way: way.__name__)
def test_it_is_free_again_whichever_way_the_last_face_went(profile: Profile, way) -> None:
    world = World(profile)
    assert world.enroll(0, 512) is ReplyStatus.OK
    assert world.enroll(1, 128) is ReplyStatus.WRONG_DIMENSION
    way(world, 0, 512, False)
    world.check()
    assert world.enroll(1, 128) is ReplyStatus.OK
    world.check()
    restart(world, 0, 0, False)
    world.check()


@pytest.mark.parametrize("failing", [two_people, twice_the_same, constant, mixed_dimensions, power_cut])
def test_an_enrollment_that_fails_decides_nothing(failing) -> None:
    world = World(Profile.STANDARD)
    failing(world, 0, 128, False)
    assert not world.faces
    assert world.enroll(1, 512) is ReplyStatus.OK
    world.check()
