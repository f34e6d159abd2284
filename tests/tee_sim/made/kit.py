"""A world in this process with one application, and what it is given in one call."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tee_sim.secure.made.call import Call
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import NO_PARAMS, Param, Params, operation
from tee_sim.shared.schema import codec
from tee_sim.shared.statement import Statement
from tee_sim.shared.ta_api import TaEnv
from tee_sim.shared.wire import Provision
from tee_sim.testing.direct_port import DirectPort

MAKER = Manifest(
    uuid=b"M" * 16,
    name="maker",
    entry="x:Y",
    code=(),
    digest="test-v1",
    shared_keys=("seal",),
    statements=(
        Statement(key="token", parts=("00", "echo:8", "id:8", "id:8", "00000002", "time:8")),
        Statement(key="short", parts=("id:8",)),
    ),
)
OTHER = Manifest(
    uuid=b"O" * 16,
    name="other",
    entry="x:Y",
    code=(),
    shared_keys=("token",),
    statements=(Statement(key="seal", parts=("ff", "id:8")),),
)


def request(*words: Any) -> Params:
    """One record that holds these."""
    return operation(Param.memref(codec.encode(list(words))), Param.output(64))


class Made:
    """Two applications of one world, each with the record of its calls."""

    def __init__(self, storage: Any) -> None:
        provision = Provision(
            huk=bytes(32), device_id=bytes(16), create=True, stepped_wall_ms=1_800_000_000_000, boot_id=bytes(16)
        )
        self.world = SecureWorld(provision, DirectPort(storage), (MAKER, OTHER))
        self.call, self.others = Call(), Call()
        self.env: TaEnv = self.world._environment(MAKER, self.call)
        self.other: TaEnv = self.world._environment(OTHER, self.others)

    def key(self, name: str) -> bytes:
        return self.world._boot.keys[name]

    @contextmanager
    def asked(self, given: Params = NO_PARAMS, time_ms: int = 5) -> Iterator[Call]:
        """One call of the maker."""
        with self.call.entered(given, time_ms):
            yield self.call

    def put(self, object_id: bytes = b"a", env: TaEnv | None = None, **header: bytes) -> None:
        with (env or self.env).store.transaction() as transaction:
            transaction.put(object_id, b"body", kind="k", **header)

    def drawn(self, object_id: bytes = b"a", words: int = 2) -> bytes:
        """Put an object with ids that are drawn for it; return them."""
        with self.asked():
            ids = self.env.rng.bytes(8 * words)
            self.put(object_id, ids=ids)
        return ids
