"""Applications of somebody else, one bug each, and one without: no command of ours, a uuid of their own."""

import base64
import logging
from dataclasses import dataclass
from typing import Annotated

from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Param, ParamType
from tee_sim.shared.schema import Fixed, Record, UpTo
from tee_sim.shared.ta_api import Command, CommandApp


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(Record):
    name: Annotated[bytes, Fixed(8)]
    amount: Annotated[int, UpTo(1000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Record):
    receipt: Annotated[bytes, Fixed(32)]


KEEP = Command(5, Keep, Kept)


class Vault(CommandApp):
    """Keeps amounts, and gives a receipt. Holds."""

    def create(self, env) -> None:
        self.env = env
        self.handle(KEEP, self.keep)

    def put(self, name, body, **header):
        with self.env.store.transaction() as transaction:
            transaction.put(name, body, kind="vault", **header)

    def keep(self, _session, request):
        self.put(request.name, request.amount.to_bytes(2, "big"))
        return Kept(receipt=bytes(32))


class Parser(Vault):
    """Believes that every message has eight bytes."""

    FINDS = ("any.malformed",)

    def invoke(self, session, command, params):
        if command == 7:
            int.from_bytes(params[0].buffer, "big").to_bytes(8, "big")
        return params


class Divides(Vault):
    """Divides by what it is given."""

    FINDS = ("any.well-formed",)

    def keep(self, session, request):
        1 // request.amount
        return super().keep(session, request)


class SecondTime(Vault):
    """Does not expect that its own receipt comes back."""

    FINDS = ("any.well-formed",)

    def keep(self, _session, request):
        if request.name == b"receipt.":
            raise AssertionError("nobody would do that")
        return Kept(receipt=b"receipt." * 4)

    def create(self, env) -> None:
        super().create(env)
        self.handle(Command(6, Keep, Keep), lambda _session, request: Keep(name=b"receipt.", amount=1))


class TypeConfusion(Vault):
    """Does not compare the parameter types."""

    FINDS = ("any.wrong-parameters",)

    def invoke(self, session, command, params):
        if len(params[0].buffer) == 0 and params[0].a:
            raise IndexError("read beyond a buffer")
        return params


class SmallBuffer(Vault):
    """Copies the message into 4 KiB."""

    FINDS = ("any.over-long",)

    def invoke(self, session, command, params):
        if len(params[0].buffer) > 4096:
            raise MemoryError
        return params


class AlmostAll(Vault):
    """Has room for half of what may be sent, and not for all of it."""

    FINDS = ("any.over-long",)

    def invoke(self, session, command, params):
        if len(params[0].buffer) > 256 << 10:
            raise MemoryError
        return params


class StoresFirst(Vault):
    """Carries a command out before it looks at the room for its answer."""

    FINDS = ("any.short-room",)

    def invoke(self, session, command, params):
        if command == 7 and params[1].kind is ParamType.MEMREF_OUTPUT:
            self.put(b"done", b"x")
            return (params[0], params[1].filled(b"done"), Param.none(), Param.none())
        return params


class OddRoom(Vault):
    """Does arithmetic on the room for its answer."""

    FINDS = ("any.frames",)

    def invoke(self, session, command, params):
        if params[1].size_bytes & 0xFF:
            raise ArithmeticError("no multiple of a block")
        return super().invoke(session, command, params)


class BelievesLengths(Vault):
    """Answers with as many bytes as the caller says, whatever lies behind its buffer."""

    FINDS = ("any.believed-lengths",)

    def invoke(self, session, command, params):
        memory = bytes(32) + self.env.keys.derive("vault")
        out = params[1].filled(memory[: max(p.b for p in params)]) if params[1].size_bytes else params[1]
        return (params[0], out, Param.none(), Param.none())


class KeyAsReceipt(Vault):
    """Gives its key as a receipt."""

    FINDS = ("any.key-in-replies",)

    def keep(self, session, request):
        super().keep(session, request)
        return Kept(receipt=self.env.keys.derive("vault"))


class KeyInHex(Vault):
    """Gives it as a text."""

    FINDS = ("any.key-in-replies",)
    encode = staticmethod(bytes.hex)

    def invoke(self, session, command, params):
        text = self.encode(b"v1:" + self.env.keys.derive("vault") + b";")
        return (params[0], params[1].filled(text.encode()), Param.none(), Param.none())


class KeyInBase64(KeyInHex):
    """The same, in another encoding."""

    FINDS = ("any.key-in-replies",)

    @staticmethod
    def encode(data):
        return base64.urlsafe_b64encode(b"odd " + data).decode()


class KeyInLog(Vault):
    """Writes its key into a log, in hexadecimal."""

    FINDS = ("any.key-in-replies",)

    def keep(self, session, request):
        logging.getLogger("vault").debug("key %s", self.env.keys.derive("vault").hex())
        return super().keep(session, request)


class KeyAsDigest(Vault):
    """Marks what belongs to a user with a key, where a digest has its place."""

    FINDS = ("any.key-on-disk",)

    def keep(self, session, request):
        self.put(request.name, b"", commitment=self.env.keys.derive("owner"))
        return Kept(receipt=bytes(32))


class SessionHeader(Vault):
    """Reads a header out of the parameters of a session."""

    FINDS = ("any.session-parameters",)

    def open_session(self, params):
        return params[0].a and params[0].buffer[0]


class TenSessions(Vault):
    """Has ten places for sessions, and never frees one."""

    FINDS = ("any.many-sessions",)
    taken = 0

    def open_session(self, params):
        self.taken += 1
        if self.taken > 10:
            raise TeeError(TeeResult.OUT_OF_MEMORY, "no place left", origin=Origin.TRUSTED_APP)
        return super().open_session(params)


class ListOfSessions(Vault):
    """Closes sessions in the order in which they were opened only."""

    FINDS = ("any.many-sessions",)

    def create(self, env) -> None:
        super().create(env)
        self.open = []

    def open_session(self, params):
        self.open.append(session := object())
        return session

    def close_session(self, session):
        if self.open.pop(0) is not session and len(self.open) > 8:
            raise LookupError("another session was next")


class OneSession(Vault):
    """Keeps what belongs to one session in a place for all."""

    FINDS = ("any.closed-session",)

    def open_session(self, params):
        self.current = object()
        return self.current

    def close_session(self, session):
        del self.current

    def invoke(self, session, command, params):
        self.current  # noqa: B018
        return super().invoke(session, command, params)


class CannotReadItsOwn(Vault):
    """Stores amounts that it does not take back when it starts."""

    FINDS = ("any.restart",)

    def create(self, env) -> None:
        super().create(env)
        for stored in env.store.load():
            if int.from_bytes(stored.body, "big") > 999:
                raise ValueError("an amount above 999")


class TwoWrites(Vault):
    """Makes two objects one after the other, and is lost when only one is there."""

    FINDS = ("any.power-cut",)

    def create(self, env) -> None:
        super().create(env)
        known = [header.object_id for header in env.store.headers()]
        if known == [b"a"]:
            raise AssertionError("half a vault")
        for name in (b"a", b"b") if not known else ():
            self.put(name, b"")


class TwoWritesOfACommand(Vault):
    """The same, in a command."""

    FINDS = ("any.power-cut",)

    def create(self, env) -> None:
        super().create(env)
        if len(list(env.store.headers())) % 2:
            raise AssertionError("half a pair")

    def keep(self, session, request):
        self.put(b"1" + request.name, b"")
        self.put(b"2" + request.name, b"")
        return Kept(receipt=bytes(32))


READ = Command(6, Keep, Kept)
COUNT = Command(8, Keep, Kept)


class TwoCommits(Vault):
    """Counts in two objects, one commit each; starts with half a count, and is lost when it reads one."""

    FINDS = ("any.power-cut",)

    def create(self, env) -> None:
        super().create(env)
        self.handle(READ, self.read)

    def counts(self):
        found = {stored.header.object_id: stored.body for stored in self.env.store.load()}
        return [int.from_bytes(found.get(name, b""), "big") for name in (b"a", b"b")]

    def keep(self, _session, request):
        next_count = (self.counts()[0] + 1).to_bytes(2, "big")
        self.put(b"a", next_count)
        self.put(b"b", next_count)
        return Kept(receipt=bytes(32))

    def read(self, _session, _request):
        first, second = self.counts()
        assert first == second
        return Kept(receipt=bytes(32))


class TwoCommitsRefused(TwoCommits):
    """The same, and refuses to read half a count for ever."""

    FINDS = ("any.power-cut",)

    def read(self, _session, _request):
        if len(set(self.counts())) > 1:
            raise TeeError(TeeResult.CORRUPT_OBJECT, "half a count", origin=Origin.TRUSTED_APP)
        return Kept(receipt=bytes(32))


class TwoCommitsByNumber(TwoCommits):
    """The same, with a command that it does not declare."""

    FINDS = ("any.power-cut",)

    def create(self, env) -> None:
        Vault.create(self, env)

    def invoke(self, session, command, params):
        if command == READ.number:
            self.read(session, None)
            return params
        return super().invoke(session, command, params)


class ForgetsToLoad(Vault):
    """Counts in memory what it stores, and trusts the count when it reads."""

    FINDS = ("any.restart",)

    def create(self, env) -> None:
        super().create(env)
        self.handle(READ, self.read)
        self.names = set()

    def keep(self, session, request):
        self.names.add(request.name)
        return super().keep(session, request)

    def read(self, _session, _request):
        assert self.names == {header.object_id for header in self.env.store.headers()}
        return Kept(receipt=bytes(32))


class DiesOfItself(Vault):
    """Stores as it should; another command dies whenever it is asked, and one when it is asked a second time."""

    FINDS = ("any.well-formed",)

    def create(self, env) -> None:
        super().create(env)
        self.handle(READ, lambda _session, _request: self.env.absent)
        self.handle(COUNT, self.count)

    def count(self, _session, _request):
        assert not list(self.env.store.headers())
        self.put(b"counted!", b"")
        return Kept(receipt=bytes(32))


VARIANTS = [c for c in list(globals().values()) if isinstance(c, type) and "FINDS" in vars(c)]


def manifest(variant: str) -> Manifest:
    """The vault's manifest, with this class of it."""
    return Manifest.from_toml(
        f"""
uuid = "6f1c3b52-0000-4000-8000-00000000000a"
name = "vault"
entry = "tests.tee_sim.attacks.broken:{variant}"
code = ["tests.tee_sim.attacks.broken"]
flags = ["single_instance", "multi_session", "keep_alive"]
replies = "free"
"""
    )
