"""`python -m bench.kill [--rounds N] [--json]`: kill -9 of either world or both, at every message between them.

Two real processes with pipes between them: a secure world that makes fixed changes to an object store, and a
supplicant on real files. The victim gets SIGKILL right before or right after a chosen message is handled; `both` kills
the secure world first. Then the files are opened again: the store verifies, its objects are those after some whole
number of changes, at least as many as were finished and at most one more, and the RPMB counter has not gone back. The
same device goes on from run to run, so that what one death left behind meets the next. Exit 3 on any violation.
"""

import argparse
import json
import os
import signal
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from tee_sim.errors import TeeError, TeeResult
from tee_sim.rng import OsRng
from tee_sim.rpmb.device import RpmbDevice
from tee_sim.rpmb.file_medium import FileMedium, OsFile
from tee_sim.storage import ObjectStore, Transaction
from tee_sim.supplicant import SqliteBlobs, Supplicant
from tee_sim.supplicant.port import PipeBlobs, PipeRpmb

__all__ = ["MOMENTS", "VICTIMS", "play"]

VICTIMS = ("secure world", "supplicant", "both")
MOMENTS = ("before", "after")
HUK, DEVICE_ID, TA = bytes(range(32)), bytes(range(16)), UUID(int=1)
_HEAD = struct.Struct("<BI")

State = dict[bytes, bytes]
Change = Callable[[Transaction, int], None]


def _put_some(change: Transaction, turn: int) -> None:
    for i in range(20):
        change.put(bytes((turn % 7, i)), turn.to_bytes(4, "big") * (10 + i), kind="k")


def _replace_one(change: Transaction, turn: int) -> None:
    change.put(b"counter", turn.to_bytes(8, "big"), kind="counter")


def _swap(change: Transaction, turn: int) -> None:
    change.put(b"moving" + bytes((turn % 2,)), turn.to_bytes(8, "big"), kind="k")
    change.put(b"moving" + bytes((1 - turn % 2,)), b"empty", kind="k")


def _put_and_erase(change: Transaction, turn: int) -> None:
    change.put(b"short life", bytes(3000), kind="k")
    change.put(b"counter", turn.to_bytes(8, "big"), kind="counter")
    change.erase(bytes((turn % 7, 3)))


CHANGES: tuple[Change, ...] = (_put_some, _replace_one, _swap, _put_and_erase)
"""One turn: each is a transaction."""


class _Model:
    """A transaction on a dictionary."""

    def __init__(self, state: State) -> None:
        self.state = dict(state)

    def put(self, object_id: bytes, body: bytes, *, kind: str) -> None:
        assert kind
        self.state[object_id] = body

    def erase(self, object_id: bytes) -> None:
        del self.state[object_id]


def _after_each(state: State, turn: int) -> list[State]:
    states = [state]
    for change in CHANGES:
        model = _Model(states[-1])
        change(model, turn)  # type: ignore[arg-type]
        states.append(model.state)
    return states


def _exactly(fd: int, size: int) -> bytes:
    raw = b""
    while len(raw) < size:
        part = os.read(fd, size - len(raw))
        if not part:
            raise EOFError
        raw += part
    return raw


def _send(fd: int, number: int, payload: bytes) -> None:
    raw = _HEAD.pack(number, len(payload)) + payload
    while raw:
        raw = raw[os.write(fd, raw) :]


def _receive(fd: int) -> tuple[int, bytes]:
    number, size = _HEAD.unpack(_exactly(fd, _HEAD.size))
    return number, _exactly(fd, size)


class _Death:
    """Kills the given processes at one message."""

    def __init__(self, at: int, moment: str, pids: Sequence[int]) -> None:
        self._at, self._moment, self._pids, self._count = at, moment, pids, 0

    def __call__(self, moment: str) -> None:
        self._count += moment == "before"
        if (self._count, moment) == (self._at, self._moment):
            for pid in self._pids:
                os.kill(pid, signal.SIGKILL)


class _Port:
    """The secure world's end of the pipes."""

    def __init__(self, source: int, sink: int, death: _Death) -> None:
        self._source, self._sink, self._death = source, sink, death

    def call(self, operation: int, payload: bytes) -> bytes:
        self._death("before")
        _send(self._sink, operation, payload)
        result, reply = _receive(self._source)
        self._death("after")
        if result:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, "refused")
        return reply


def _supplicant(directory: Path, source: int, sink: int, death: _Death) -> None:
    with closing(Supplicant(directory)) as supplicant:
        while True:
            operation, payload = _receive(source)
            death("before")
            try:
                reply, result = supplicant.handle(operation, payload), 0
            except TeeError:
                reply, result = b"", 1
            death("after")
            _send(sink, result, reply)


def _secure_world(source: int, sink: int, progress: int, turn: int, death: _Death) -> None:
    port = _Port(source, sink, death)
    store = ObjectStore.open(PipeBlobs(port), PipeRpmb(port), HUK, DEVICE_ID, OsRng()).namespace(TA)
    for change in CHANGES:
        with store.transaction() as transaction:
            change(transaction, turn)
        os.write(progress, b".")


def _fork(run: Callable[[], None], keep: Sequence[int]) -> int:
    """Start a process that holds only `keep`, and ends with 0 unless it fails with something unexpected."""
    pid = os.fork()
    if pid:
        return pid
    code = 0
    try:
        # closerange passes over numbers that are not open: a long-lived caller's table has gaps
        for low, high in pairwise((2, *sorted(keep), 256)):
            os.closerange(low + 1, high)
        run()
    except (EOFError, BrokenPipeError):
        code = 0
    except BaseException:
        code = 99
    os._exit(code)


def _run(directory: Path, victim: str, at: int, moment: str, turn: int) -> tuple[int, str]:
    """One life: return how many changes were finished, and what went wrong."""
    to_supplicant, to_secure, progress = os.pipe(), os.pipe(), os.pipe()

    def secure() -> None:
        death = _Death(at, moment, (os.getpid(),) if victim == "secure world" else ())
        _secure_world(to_secure[0], to_supplicant[1], progress[1], turn, death)

    secure_pid = _fork(secure, (to_secure[0], to_supplicant[1], progress[1]))

    def supplicant() -> None:
        pids = {"supplicant": (os.getpid(),), "both": (secure_pid, os.getpid())}.get(victim, ())
        _supplicant(directory, to_supplicant[0], to_secure[1], _Death(at, moment, pids))

    supplicant_pid = _fork(supplicant, (to_supplicant[0], to_secure[1]))
    for fd in (*to_supplicant, *to_secure, progress[1]):
        os.close(fd)
    finished = b""
    while part := os.read(progress[0], 16):
        finished += part
    os.close(progress[0])
    statuses = [os.waitpid(pid, 0)[1] for pid in (secure_pid, supplicant_pid)]
    killed = sum(os.WIFSIGNALED(status) for status in statuses)
    failed = any(os.WIFEXITED(status) and os.WEXITSTATUS(status) for status in statuses)
    as_planned = killed == (2 if victim == "both" else 1) and not failed
    return len(finished), "" if as_planned else "a process did not end as planned"


def _contents(directory: Path) -> tuple[State, int]:
    with closing(OsFile(directory / "rpmb.img")) as file, closing(SqliteBlobs(directory / "storage.db")) as blobs:
        medium = FileMedium(file)
        counter = medium.counter
        store = ObjectStore.open(blobs, RpmbDevice(medium), HUK, DEVICE_ID, OsRng())
        store.verify()
        return {o.header.object_id: o.body for o in store.namespace(TA).load()}, counter


def _messages(directory: Path, turn: int) -> int:
    """How many messages one undisturbed turn takes."""
    count = 0

    class Port:
        def call(self, operation: int, payload: bytes) -> bytes:
            nonlocal count
            count += 1
            return supplicant.handle(operation, payload)

    with closing(Supplicant(directory)) as supplicant:
        store = ObjectStore.open(PipeBlobs(Port()), PipeRpmb(Port()), HUK, DEVICE_ID, OsRng(), create=True)
        mine = store.namespace(TA)
        for change in CHANGES:
            with mine.transaction() as transaction:
                change(transaction, turn)
    return count


def play(directory: Path, *, rounds: int, most: int) -> dict[tuple[str, str], Counter[str]]:
    """Play every message, victim and moment, `rounds` times over, or `most` of them spread evenly. Count outcomes."""
    _messages(directory, 0)
    messages = range(1, _messages(directory, 0) + 1)
    every = [(v, at, moment) for _ in range(rounds) for at in messages for v in VICTIMS for moment in MOMENTS]
    chosen = every if len(every) <= most else [every[i * len(every) // most] for i in range(most)]
    found: dict[tuple[str, str], Counter[str]] = {}
    state, counter = _contents(directory)
    for turn, (victim, at, moment) in enumerate(chosen, start=1):
        row = found.setdefault((victim, moment), Counter())
        states = _after_each(state, turn)
        finished, problem = _run(directory, victim, at, moment, turn)
        try:
            state, now = _contents(directory)
        except TeeError as error:
            row[f"message {at}: {error}"] += 1
            break
        if problem or now < counter or state not in states[finished : finished + 2]:
            row[f"message {at}: {problem or 'neither before nor after, or the counter went back'}"] += 1
        else:
            row["before" if state == states[finished] else "after"] += 1
        counter = now
    return found


def _table(found: dict[tuple[str, str], Counter[str]]) -> str:
    lines = [f"{'victim':16}{'moment':8}{'runs':>6}{'before':>8}{'after':>7}{'errors':>8}"]
    rows = [*found.items(), (("all", ""), sum(found.values(), Counter()))]
    for (victim, moment), row in rows:
        errors = row.total() - row["before"] - row["after"]
        lines.append(f"{victim:16}{moment:8}{row.total():6}{row['before']:8}{row['after']:7}{errors:8}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.kill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each message is met")
    parser.add_argument("--runs", type=int, default=1_000_000, help="play at most so many, spread evenly")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        found = play(Path(directory), rounds=options.rounds, most=options.runs)
    rows = [{"victim": v, "moment": m, **outcomes} for (v, m), outcomes in found.items()]
    sys.stdout.write((json.dumps(rows) if options.json else _table(found)) + "\n")
    bad = [outcome for row in found.values() for outcome in row if outcome not in {"before", "after"}]
    for outcome in bad[:10]:
        sys.stderr.write(outcome + "\n")
    return 3 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
