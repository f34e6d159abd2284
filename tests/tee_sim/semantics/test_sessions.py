"""Opening a session: outputs, who the client is, and how many there may be."""

import hashlib
import os
from typing import Any
from uuid import UUID, uuid5

import pytest

from tee_sim.normal.client import Context
from tee_sim.normal.login import NAME_SPACE
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_SESSIONS
from tee_sim.shared.login import PUBLIC, ClientIdentity, Login
from tee_sim.shared.params import NO_PARAMS, Param, Params, ParamType, fill, replaced
from tee_sim.shared.ta_api import Opened
from tee_sim.shared.wire import OpenSession
from tests.tee_sim.semantics.hosted import ONE, TWO, App, context_of, hosted

VALUES: Params = (Param.number(0), Param.output(4), Param.value(3), Param.none())


class Greeting(App):
    """Fills outputs when a session is opened; refuses with outputs for value 9."""

    def open_session(self, params: Params) -> object:
        left = fill(replaced(params, 0, Param.number(params[2].a)), 1, b"hi")
        if params[2].a == 9:
            raise TeeError(0xC0DE_0009, "no", origin=Origin.TRUSTED_APP, params=left)
        if params[2].a == 8:
            return Opened(context=None, params=fill((Param.output(9),) * 4, 1, b"12345"))
        return Opened(context=77, params=left)

    def invoke(self, session: object, command: int, params: Params) -> Params:
        return replaced(params, 0, Param.number(int(str(session))))


def test_a_session_opens_with_outputs_and_its_context() -> None:
    session = context_of(Greeting).open_session(ONE, VALUES)
    assert session.outputs[0].as_number() == 3
    assert session.outputs[1].buffer == b"hi"
    assert session.outputs[2:] == NO_PARAMS[2:], "inputs are not echoed"
    assert session.invoke(1, VALUES)[0].as_number() == 77


def test_a_context_alone_opens_as_before() -> None:
    context = context_of(App)
    assert context.open_session(ONE).outputs == NO_PARAMS
    assert context.open_session(ONE, VALUES).outputs == (Param.number(0), Param.output(4), *NO_PARAMS[2:])


def test_a_refused_session_has_outputs_too() -> None:
    with pytest.raises(TeeError, match=r"^the session was refused \(0xc0de0009, origin TRUSTED_APP\)$") as caught:
        context_of(Greeting).open_session(ONE, replaced(VALUES, 2, Param.value(9)))
    assert caught.value.params is not None
    assert (caught.value.params[0].b, caught.value.params[1].buffer) == (9, b"hi")


def test_outputs_of_a_session_over_their_room_are_a_panic() -> None:
    with pytest.raises(TeeError) as caught:
        context_of(Greeting).open_session(ONE, replaced(VALUES, 2, Param.value(8)))
    assert (caught.value.result, caught.value.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)


class Who(App):
    """Answers with gpd.client.identity; with command 2 what TWO says about this one."""

    def create(self, env: Any) -> None:
        super().create(env)
        with pytest.raises(TeeError, match="no client has called") as caught:
            _ = env.client.identity
        assert caught.value.result is TeeResult.ITEM_NOT_FOUND

    def open_session(self, params: Params) -> object:
        return self.env.client.identity

    def invoke(self, session: object, command: int, params: Params) -> Params:
        if command == 2:
            with self.env.peers.open_session(TWO) as peer:
                answer = peer.invoke(1, (Param.output(64), *NO_PARAMS[1:]))[0].buffer
                assert self.env.client.identity == session, "its own client again"
                return fill(params, 0, answer)
        assert self.env.client.identity == session, "the same in every entry of a session"
        return fill(params, 0, self.env.client.identity.to_bytes())

    def close_session(self, session: object) -> None:
        assert self.env.client.identity == session


def seen_by(command: int = 1, **login: Any) -> ClientIdentity:
    with context_of(Who, Who).open_session(ONE, **login) as session:
        return ClientIdentity.from_bytes(session.invoke(command, (Param.output(64), *NO_PARAMS[1:]))[0].buffer)


def version_5(name: str) -> UUID:
    """A second computation of RFC 4122 section 4.3: SHA-1 of name space and name, version and variant set."""
    digest = bytearray(hashlib.sha1(bytes.fromhex("58ac9ca020864683a1b8ec4bc08e01b6") + name.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


GROUP = os.getegid()
LOGINS: dict[str, tuple[dict[str, Any], int, str]] = {
    "user": ({"login": Login.USER}, 1, f"uid={os.geteuid():x}"),
    "group": ({"login": Login.GROUP, "group": GROUP}, 2, f"gid={GROUP:x}"),
    "application": ({"login": Login.APPLICATION, "application": "wallet"}, 4, "app=wallet"),
    "application of a user": (
        {"login": Login.USER_APPLICATION, "application": "wallet"}, 5, f"uid={os.geteuid():x}:app=wallet",
    ),
    "application of a group": (
        {"login": Login.GROUP_APPLICATION, "application": "wallet", "group": GROUP}, 6, f"gid={GROUP:x}:app=wallet",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("login", "number", "name"), LOGINS.values(), ids=LOGINS)
def test_an_application_sees_login_and_identity(login: dict[str, Any], number: int, name: str) -> None:
    identity = seen_by(**login)
    assert (identity.login, UUID(bytes=identity.uuid)) == (number, version_5(name))
    assert str(identity) == f"{number}:{version_5(name)}"


def test_known_identities() -> None:
    assert str(NAME_SPACE) == "58ac9ca0-2086-4683-a1b8-ec4bc08e01b6"
    assert version_5("uid=0") == uuid5(NAME_SPACE, "uid=0")
    assert version_5("uid=3e8") == UUID("fc34275c-d8dd-5ba7-968b-504718363b87")


def test_a_public_client_is_nobody() -> None:
    assert seen_by() == PUBLIC
    assert str(PUBLIC) == "0:00000000-0000-0000-0000-000000000000"


def test_an_application_is_seen_as_itself_whoever_asked_it() -> None:
    assert seen_by(2, login=Login.USER) == ClientIdentity(login=Login.TRUSTED_APP, uuid=ONE.bytes)
    assert str(seen_by(2)) == f"4026531840:{ONE}"


REFUSED: dict[str, tuple[dict[str, Any], TeeResult, str]] = {
    "a kernel driver": (
        {"login": Login.REE_KERNEL}, TeeResult.ACCESS_DENIED, "login REE_KERNEL is not for clients of the normal world",
    ),
    "an application of the secure world": (
        {"login": Login.TRUSTED_APP}, TeeResult.ACCESS_DENIED,
        "login TRUSTED_APP is not for clients of the normal world",
    ),
    "no method": ({"login": 3}, TeeResult.BAD_PARAMETERS, "login: no connection method"),
    "a method by its number": ({"login": 1}, TeeResult.BAD_PARAMETERS, "login: no connection method"),
    "a group that is not named": (
        {"login": Login.GROUP}, TeeResult.BAD_PARAMETERS, "group: goes with the logins of a group, and with no other",
    ),
    "a group with a user": (
        {"login": Login.USER, "group": GROUP}, TeeResult.BAD_PARAMETERS,
        "group: goes with the logins of a group, and with no other",
    ),
    "a group with nobody": (
        {"group": GROUP}, TeeResult.BAD_PARAMETERS, "group: goes with the logins of a group, and with no other",
    ),
    "a group of others": (
        {"login": Login.GROUP, "group": 0xFFFF_FFF0}, TeeResult.ACCESS_DENIED,
        "this process is not in group 4294967280",
    ),
    "an application that is not named": (
        {"login": Login.APPLICATION}, TeeResult.BAD_PARAMETERS,
        "application: goes with the logins of one, and with no other",
    ),
    "an application with a user": (
        {"login": Login.USER, "application": "x"}, TeeResult.BAD_PARAMETERS,
        "application: goes with the logins of one, and with no other",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("login", "result", "why"), REFUSED.values(), ids=REFUSED)
def test_a_login_that_is_not_this_process_s_is_refused_and_nothing_sent(
    login: dict[str, Any], result: TeeResult, why: str
) -> None:
    wire = hosted(App)
    with pytest.raises(TeeError) as caught:
        Context(wire).open_session(ONE, **login)
    assert (caught.value.result, caught.value.origin, caught.value.message) == (result, Origin.API, why)
    assert (caught.value.hint, wire.sent) == ("nothing was sent", [])


@pytest.mark.parametrize("login", [Login.TRUSTED_APP, Login.REE_KERNEL])
def test_the_core_believes_no_client_to_be_an_application(login: Login) -> None:
    forged = ClientIdentity(login=login, uuid=ONE.bytes)
    answer = hosted(App).exchange(OpenSession(uuid=ONE.bytes, params=NO_PARAMS, client=forged))
    assert (answer.result, answer.origin) == (TeeResult.ACCESS_DENIED, Origin.TEE)


def test_a_public_client_with_an_identity_is_refused() -> None:
    forged = ClientIdentity(login=Login.PUBLIC, uuid=ONE.bytes)
    answer = hosted(App).exchange(OpenSession(uuid=ONE.bytes, params=NO_PARAMS, client=forged))
    assert answer.result is TeeResult.BAD_PARAMETERS


NULL: Params = (
    Param.null(),
    Param.memref(b""),
    Param.null(ParamType.MEMREF_OUTPUT),
    Param.output(0),
)


def test_a_null_reference_is_not_one_of_size_0() -> None:
    class Looking(App):
        def invoke(self, session: object, command: int, params: Params) -> Params:
            assert [p.is_null for p in params] == [True, False, True, False]
            assert [(p.buffer, p.size_bytes) for p in params] == [(b"", 0)] * 4
            return fill(params, 2, b"12") if command == 2 else params

    session = context_of(Looking).open_session(ONE)
    assert session.invoke(1, NULL)[2].is_null
    with pytest.raises(TeeError) as caught:
        session.invoke(2, NULL)
    assert caught.value.result is TeeResult.SHORT_BUFFER
    assert caught.value.params is not None
    assert [p.size_bytes for p in caught.value.params] == [0, 0, 2, 0]


def test_bytes_in_an_output_without_memory_are_a_panic() -> None:
    class Writing(App):
        def invoke(self, session: object, command: int, params: Params) -> Params:
            return replaced(params, 2, Param(kind=params[2].kind, buffer=b"x", size_bytes=1))

    with pytest.raises(TeeError) as caught:
        context_of(Writing).open_session(ONE).invoke(1, NULL)
    assert caught.value.result is TeeResult.TARGET_DEAD


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": ParamType.VALUE_INPUT},
        {"kind": ParamType.NONE},
        {"kind": ParamType.MEMREF_INPUT, "buffer": b"x"},
        {"kind": ParamType.MEMREF_OUTPUT, "size_bytes": 1},
    ],
)
def test_null_is_nothing_but_a_reference_without_bytes_and_room(wrong: dict[str, Any]) -> None:
    with pytest.raises(TeeError, match="only a memory reference without bytes and room is null"):
        Param(is_null=True, **wrong)


@pytest.mark.parametrize("flags", [(), ("single_instance", "multi_session")])
def test_many_sessions_of_one_application_at_once(flags: tuple[str, ...]) -> None:
    """xtest 1005 opens 3 of one application, 1013 the same from as many threads; here as many as there may be."""
    context = context_of(App, flags=flags)
    sessions = [context.open_session(ONE) for _ in range(MAX_SESSIONS)]
    with pytest.raises(TeeError, match=r"^the session was refused \(OUT_OF_MEMORY, origin TEE\)$"):
        context.open_session(ONE)
    for session in sessions:
        session.invoke(1, NO_PARAMS)
    sessions.pop().close()
    context.open_session(ONE).invoke(1, NO_PARAMS)
