"""What the core notes of a call: its request, when that came, and what peers answered."""

import math
from typing import Any

import pytest

from tee_sim.secure.core import Core
from tee_sim.secure.hosting import LocalHosting
from tee_sim.secure.made.call import Call
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import NO_PARAMS, Param, Params, fill, operation
from tee_sim.shared.schema import codec
from tee_sim.shared.ta_api import TaEnv
from tee_sim.shared.wire import CloseSession, Invoke, OpenSession
from tests.tee_sim.made.kit import request

GIVEN, ASKED, OPENED = b"given by", b"asked by", b"openedby"
FLAGS = ("single_instance", "multi_session", "keep_alive")


class App:
    """Keeps what it is given; an environment's `store` is the record of its calls."""

    seen: list[Any]

    def create(self, env: TaEnv) -> None:
        self.env, self.call, self.seen = env, env.store, []

    def open_session(self, params: Params) -> object:
        return object()

    def close_session(self, session: object) -> None: ...

    def destroy(self) -> None: ...


class Giver(App):
    def invoke(self, session: object, command: int, params: Params) -> Params:
        return fill(params, 1, codec.encode([GIVEN]))


class Taker(App):
    made: "Taker"

    def create(self, env: TaEnv) -> None:
        super().create(env)
        Taker.made = self

    def open_session(self, params: Params) -> object:
        self.seen.append((self.call.time_ms, self.known(OPENED)))  # type: ignore[attr-defined]
        return object()

    def invoke(self, session: object, command: int, params: Params) -> Params:
        before = self.known(GIVEN)
        with self.env.peers.open_session(PEER.ta_uuid) as peer:
            peer.invoke(0, operation(Param.memref(b""), Param.output(64)))
        time_ms = self.call.time_ms  # type: ignore[attr-defined]
        self.seen.append((time_ms, before, self.known(GIVEN), self.known(ASKED)))
        return params

    def known(self, word: bytes) -> tuple[bool, bool]:
        """Whether it could put this as an id, and have it stated as an echo."""
        call: Call = self.env.store  # type: ignore[assignment]
        return word in call._drawn | call._received(), word in call._in_request()


PEER = Manifest(uuid=b"P" * 16, name="peer", entry="x:Y", code=(), flags=FLAGS, replies=Replies.FREE)
OWN = Manifest(uuid=b"T" * 16, name="own", entry="x:Y", code=(), flags=FLAGS, calls=(PEER.uuid,), replies=Replies.FREE)


@pytest.fixture
def clock() -> list[int]:
    return [100]


@pytest.fixture
def core(clock: list[int]) -> Core:
    makers = {PEER.uuid: Giver, OWN.uuid: Taker}
    nothing: Any = None

    def environment(_manifest: Manifest, call: Call) -> TaEnv:
        return TaEnv(call, nothing, nothing, nothing, bytes(16))  # type: ignore[arg-type]

    def boot_ms() -> int:
        clock[0] += 1
        return clock[0]

    return Core((OWN, PEER), LocalHosting(lambda m: makers[m.uuid]), environment, boot_ms=boot_ms)


def test_the_time_is_read_once_for_each_request_and_words_are_of_their_own_call(core: Core, clock: list[int]) -> None:
    opened = core.dispatch(OpenSession(uuid=OWN.uuid, params=request(OPENED)))
    assert opened.result is TeeResult.SUCCESS
    for given in (request(ASKED), NO_PARAMS):
        answer = core.dispatch(Invoke(session=opened.session, command=0, params=given))
        assert answer.result is TeeResult.SUCCESS
    unknown, put, echoed = (False, False), (True, False), (False, True)
    assert Taker.made.seen == [(101, echoed), (102, unknown, put, echoed), (103, unknown, put, unknown)]
    core.dispatch(CloseSession(session=opened.session))
    call: Call = Taker.made.env.store  # type: ignore[assignment]
    assert (call.time_ms, clock) == (104, [104])
    assert call.cost(b"any") == math.inf
