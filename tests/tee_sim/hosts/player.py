"""An application that does to its environment what a test asks for, and keeps what came of it."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import NO_PARAMS, Params
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.statement import Statement
from tee_sim.shared.ta_api import TaEnv

Step = tuple[Any, ...]
PEER = bytes(15) + b"\x02"
UNDONE = 7


def manifest(number: int, *, calls: tuple[bytes, ...] = ()) -> Manifest:
    """Of one player."""
    return Manifest(
        uuid=bytes(15) + bytes([number]),
        name=f"player-{number}",
        entry="tests.tee_sim.hosts.player:Player",
        code=("tests.tee_sim.hosts.player",),
        flags=("single_instance", "multi_session", "keep_alive"),
        shared_keys=("one", "two"),
        digest="player-v1",
        statements=(
            Statement(key="one", parts=("00", "echo:8", "id:8", "id:8", "time:8")),
            Statement(key="three", parts=("id:8",)),
        ),
        calls=calls,
        replies=Replies.FREE,
        reserve=Reserve.ANCHORED,
        max_objects=10,
        max_object_bytes=100_000,
    )


def described(stored: Any) -> Any:
    """An object's header and body as plain values."""
    header = getattr(stored, "header", stored)
    plain = (header.object_id, header.version, header.kind, header.owner, header.commitment, header.ids)
    return (*plain, stored.body) if hasattr(stored, "body") else plain


def described_params(params: Params) -> Any:
    return [param.to_plain() for param in params]


@dataclass
class Player:
    """Runs the steps that lie in `todo`; writes down the outcome of each in `done`.

    A step is the name of a method and its arguments. TeeErrors of steps are outcomes; with `raise` at its front the
    call ends with them.
    """

    todo: ClassVar[list[list[Step]]] = []
    done: ClassVar[list[Any]] = []
    kept: list[Any] = field(default_factory=list)

    def create(self, env: TaEnv) -> None:
        self.env = env

    def open_session(self, params: Params) -> object:
        return object()

    def close_session(self, session: object) -> None: ...

    def destroy(self) -> None: ...

    def invoke(self, session: object, command: int, params: Params) -> Params:
        self.play(self.todo[command])
        return params

    def play(self, steps: list[Step]) -> None:
        for name, *arguments in steps:
            method: Callable[..., Any] = getattr(self, f"do_{name}")
            try:
                self.done.append((name, method(*arguments)))
            except TeeError as error:
                self.done.append((name, error.result, error.origin))

    def do_get(self, object_id: bytes) -> Any:
        return described(self.env.store.get(object_id))

    def do_find(self, object_id: bytes) -> Any:
        found = self.env.store.find(object_id)
        return None if found is None else described(found)

    def do_fetch(self, object_ids: list[bytes]) -> Any:
        return self.env.store.fetch(object_ids)

    def do_headers(self) -> Any:
        return [described(header) for header in self.env.store.headers()]

    def do_load(self, kind: str | None, most: int) -> Any:
        return [described(one) for one in itertools.islice(self.env.store.load(kind=kind), most)]

    def do_two_walks(self) -> Any:
        store = self.env.store
        return [(described(a), described(b)) for a, b in zip(store.load(), store.headers(), strict=True)]

    def do_state(self) -> Any:
        epoch, root_hash = self.env.store.state()
        return epoch, len(root_hash)

    def do_derive(self, label: str, context: bytes, size_bytes: int) -> Any:
        return self.env.keys.derive(label, context, size_bytes)

    def do_statement(self, name: str, object_id: bytes, echo: int) -> Any:
        return self.env.keys.state(name, object_id=object_id, echo=echo.to_bytes(8, "little"))

    def do_check(self, name: str, data: bytes) -> Any:
        return self.env.keys.check(name, data)

    def do_digest(self, message: bytes) -> Any:
        """Salts are drawn from the system: what can be compared is whether it checks."""
        salt, digest = self.env.digests.make(message)
        flipped = bytes([digest[0] ^ 1]) + digest[1:]
        return [self.env.digests.check(*of) for of in ((salt, message, digest), (salt, message, flipped))]

    def do_grind(self, count: int) -> Any:
        """How many different digests of one message it had made."""
        return len({self.env.digests.make(b"m") for _ in range(count)})

    def do_put_digest(self, object_id: bytes) -> Any:
        """An object with a digest that was made for it."""
        _, digest = self.env.digests.make(object_id)
        with self.env.store.transaction() as transaction:
            transaction.put(object_id, b"known", kind="k", commitment=digest)
        return self.env.store.get(object_id).header.commitment == digest

    def do_put_known(self, object_id: bytes, words: int) -> Any:
        """An object with ids that were drawn for it."""
        with self.env.store.transaction() as transaction:
            transaction.put(object_id, b"known", kind="k", ids=self.env.rng.bytes(8 * words) if words else b"")

    def do_time(self) -> Any:
        return self.env.clock.wall_ms(), self.env.clock.boot_ms()

    def do_random(self, size_bytes: int) -> Any:
        return self.env.rng.bytes(size_bytes)

    def do_transact(self, reserve: Reserve, steps: list[Step], fails: bool) -> Any:
        """Puts and erases, with reads between them; undone at the end if it `fails`."""
        before = len(self.done)
        try:
            with self.env.store.transaction(reserve) as self.transaction:
                self.play(steps)
                if fails:
                    raise TeeError(UNDONE, "undo")
        except TeeError as error:
            # A store that refuses may say so at the beginning or at the end: nothing is stored in either case.
            if error.result != UNDONE:
                del self.done[before:]
            raise

    def do_put(
        self,
        object_id: bytes,
        size_bytes: int,
        text: str,
        owner: bytes = b"",
        commitment: bytes = b"",
        ids: bytes = b"",
    ) -> Any:
        body = text.encode() + bytes(size_bytes)
        self.transaction.put(object_id, body, kind=text, owner=owner, commitment=commitment, ids=ids)

    def do_put_drawn(self, object_id: bytes) -> Any:
        """As `do_put_known`, in the open transaction."""
        self.transaction.put(object_id, b"known", kind="k", ids=self.env.rng.bytes(16))

    def do_salt(self, size_bytes: int) -> Any:
        return self.env.system_rng.bytes(size_bytes)

    def do_swallow(self) -> Any:
        with suppress(Exception):
            self.env.keys.state("one", object_id=b"a", echo=bytes(7) + b"x")
        with suppress(Exception), self.env.store.transaction() as transaction:
            transaction.put(b"x", b"", kind="k", ids=b"12345678")

    def do_fill(self, count: int) -> Any:
        with self.env.store.transaction() as transaction:
            for number in range(count):
                transaction.put(bytes([number]), b"x", kind="k")

    def do_erase(self, object_id: bytes) -> Any:
        self.transaction.erase(object_id)

    def do_nest(self) -> Any:
        with self.env.store.transaction():
            pass

    def do_leave_open(self) -> Any:
        self.kept.append(self.env.store.transaction())
        self.kept[-1].__enter__().put(b"left open", b"x", kind="")

    def do_walk_and_leave(self) -> Any:
        self.kept.append(self.env.store.load())
        return described(next(self.kept[-1]))

    def do_go_on(self) -> Any:
        return len(list(self.kept[-1]))

    def do_ask_peer(self, command: int) -> Any:
        peer = self.env.peers.open_session(UUID(bytes=PEER))
        try:
            return described_params(peer.invoke(command, NO_PARAMS))
        finally:
            peer.close()

    def do_panic(self) -> Any:
        raise ValueError("outside the contract")


class Neighbor(Player):
    """Another application: what it was asked for, and what came of it, is its own."""

    todo: ClassVar[list[list[Step]]] = []
    done: ClassVar[list[Any]] = []
