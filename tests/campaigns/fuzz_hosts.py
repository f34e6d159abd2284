"""A fuzz target inside the secure world: what the process of one application sends the core, with changed bytes.

Invariant: whatever it sends, the core answers its client, has no transaction open and nobody on its stack; the
application next to it keeps its session, its memory and what it has stored.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tee_sim.normal.client import Context
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import NO_PARAMS
from tee_sim.shared.reserve import Reserve
from tests.campaigns.mutation import mutate
from tests.tee_sim.hosts import player
from tests.tee_sim.hosts.player import PEER, Neighbor, Player, Step
from tests.tee_sim.hosts.threads import ThreadedTee

HOSTILE = player.manifest(1, calls=(PEER,))
NEIGHBOR = replace(player.manifest(2), entry=f"{Neighbor.__module__}:{Neighbor.__qualname__}")
RESTART_EVERY = 200
"""Attempts in one world: what the hostile application may store fills up."""
LIFE: list[list[Step]] = [
    [("transact", Reserve.NONE, [("put", b"a", 3, "k"), ("put", b"bb", 500, "k", b"owner", bytes(32))], False)],
    [("get", b"a"), ("find", b"none"), ("fetch", [b"a", b"bb", b"none"]), ("headers",), ("load", None, 9), ("state",)],
    [("transact", Reserve.NONE, [("put", b"c", 0, "k"), ("erase", b"a"), ("find", b"c"), ("headers",)], False)],
    [("transact", Reserve.ANCHORED, [("put", b"d", 9, "k"), ("erase", b"c")], True), ("load", "k", 1)],
    [("derive", "label", b"context", 32), ("shared", "one"), ("time",), ("random", 32)],
    [("transact", Reserve.NONE, [("put", b"e", 1, "k"), ("ask_peer", 0)], False), ("ask_peer", 0)],
    [("leave_open",)],
]
KEPT: list[Step] = [("transact", Reserve.NONE, [("put", b"mine", 7, "k")], False)]


class _World:
    """Both applications, the messages of one of them changed on the way."""

    def __init__(self, folder: Path, rng: random.Random, corpus: list[bytes]) -> None:
        folder.mkdir()
        self._rng = rng
        self._corpus = corpus
        self.changes = False
        self._storage = Supplicant(folder)
        self._tee = ThreadedTee([HOSTILE, NEIGHBOR], self._storage, on_the_way=self._changed, processes=6)
        self._context = Context(self._tee)
        self._neighbor = self._context.open_session(NEIGHBOR.ta_uuid)
        self._tee.world._core._on_panic = lambda *_: None
        self._neighbor_does(KEPT)
        self._memory = self._looked()

    def _changed(self, body: bytes) -> bytes:
        if not self.changes:
            self._corpus.append(body)
            return body
        if self._rng.random() < 0.85:
            return body
        return (
            mutate(self._rng, [body, body, *self._corpus])
            if self._rng.random() < 0.8
            else self._rng.choice(self._corpus)
        )

    def _neighbor_does(self, steps: list[Step]) -> list[Any]:
        Neighbor.todo[:], Neighbor.done[:] = [steps], []
        self._neighbor.invoke(0, NO_PARAMS)
        return list(Neighbor.done)

    def hostile(self, steps: list[Step]) -> None:
        """One life of the hostile one. Raises TeeError, the result that its client got."""
        Player.todo[:], Neighbor.todo[:] = [steps], [[("headers",)]]
        session = self._context.open_session(HOSTILE.ta_uuid)
        try:
            session.invoke(0, NO_PARAMS)
        finally:
            session.close()

    def _looked(self) -> list[Any]:
        return self._neighbor_does([("headers",), ("load", None, 9), ("derive", "own", b"", 32)])

    def check(self) -> None:
        """The invariant."""
        self.changes = False
        core = self._tee.world._core
        if core._stack or core._transactions.writer is not None:
            raise AssertionError("the core is in the middle of something")
        if self._looked() != self._memory:
            raise AssertionError("the neighbor has changed")

    @property
    def used_up(self) -> bool:
        return not any(pipe.alive for pipe in self._tee.pipes[HOSTILE.name])

    def end(self) -> None:
        self._tee.close()
        self._storage.close()


def _messages(directory: Path, rng: random.Random) -> Callable[[], None]:
    """Real messages of an application's process with changed bytes, left out of turn, or sent again."""
    corpus: list[bytes] = []
    directory.mkdir(exist_ok=True)
    world = _World(directory / "life", rng, corpus)
    for steps in LIFE:
        try:
            world.hostile(steps)
        except TeeError as error:
            if error.result is not TeeResult.TARGET_DEAD:  # of a transaction that was left open
                raise
    count = 0

    def attempt() -> None:
        nonlocal count, world
        count += 1
        if world.used_up or count % RESTART_EVERY == 0:
            world.end()
            world = _World(directory / str(count), rng, [])
            world._corpus = corpus
        world.changes = True
        try:
            world.hostile(rng.choice(LIFE))
        finally:
            world.check()

    return attempt


MAKERS = {"messages of a host": _messages}
