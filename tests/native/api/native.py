"""An instance of a native application without a process: its questions are put to `NativeApi` as its host would."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from tee_sim.gp_api.service import NativeApi
from tee_sim.secure.hosts.messages import Ask, CoreAnswer
from tee_sim.secure.hosts.questions import Answers
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.login import ClientIdentity, Login
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import Params
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.ta_api import NoPeers, TaEnv
from tee_sim.shared.ta_properties import PropertyKind, TaProperty
from tee_sim.shared.task import NOBODY, Cancellation
from tests.tee_sim.gp.devices import Device

TA = UUID("8d3f0c52-6f3e-4a51-9a55-0d6a3c1b7e21")
CLIENT = ClientIdentity(login=Login.USER, uuid=UUID(int=5).bytes)
READ, WRITE, META, SHARE_READ, SHARE_WRITE, OVERWRITE = 0x1, 0x2, 0x4, 0x10, 0x20, 0x400
PRIVATE = 1
"""TEE_STORAGE_PRIVATE."""


class Refused(Exception):
    """A result other than SUCCESS, and what stands in the outputs."""

    def __init__(self, result: int, outputs: list[Any]) -> None:
        super().__init__(TeeResult(result).name)
        self.result, self.outputs = TeeResult(result), outputs


class Panicked(Exception):
    """The application must panic with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(TeeResult(code).name)
        self.code = TeeResult(code)


class Failing:
    """A store that answers everything with one result, once told to."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.result: TeeResult | None = None

    def _fail(self) -> None:
        if self.result is not None:
            raise TeeError(self.result, "as told")

    def get(self, object_id: bytes) -> Any:
        self._fail()
        return self._store.get(object_id)

    def find(self, object_id: bytes) -> Any:
        self._fail()
        return self._store.find(object_id)

    def headers(self) -> Iterator[Any]:
        self._fail()
        return cast("Iterator[Any]", self._store.headers())

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        self._fail()
        with self._store.transaction() as transaction:
            yield transaction


class _Client:
    def __init__(self) -> None:
        self.known: ClientIdentity | None = CLIENT

    @property
    def identity(self) -> ClientIdentity:
        if self.known is None:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no client has called")
        return self.known


def manifest(properties: Sequence[TaProperty] = ()) -> Manifest:
    """Of a native application."""
    return Manifest(
        uuid=TA.bytes, name="native", entry="native:ta", code=(), replies=Replies.FREE, native="native.ta", abi=13,
        flags=("single_instance",), heap_bytes=32768, stack_bytes=2048, properties=tuple(properties),
    )  # fmt: skip


OWN = (
    TaProperty(name="gpd.ta.version", kind=PropertyKind.STRING, value=b"1.0"),
    TaProperty(name="own.bool", kind=PropertyKind.BOOL, value=b"\1"),
    TaProperty(name="own.u32", kind=PropertyKind.U32, value=(48).to_bytes(4, "little")),
    TaProperty(name="own.u64", kind=PropertyKind.U64, value=(1 << 40).to_bytes(8, "little")),
    TaProperty(name="own.uuid", kind=PropertyKind.UUID, value=UUID(int=9).bytes),
    TaProperty(name="own.identity", kind=PropertyKind.IDENTITY, value=(1).to_bytes(4, "little") + UUID(int=3).bytes),
    TaProperty(name="own.block", kind=PropertyKind.BINARY_BLOCK, value=b"\0\xff\x10"),
    TaProperty(name="own.text", kind=PropertyKind.STRING, value=b"0x10K"),
)


def plain(word: object) -> object:
    """As it comes out of a frame: numbers of an enumeration are numbers."""
    if isinstance(word, list | tuple):
        return [plain(one) for one in word]
    return int(word) if isinstance(word, int) and type(word) is not bool else word


class App:
    """One instance; `restarted` is the next one on the same device.

    Attributes:
        answers: all that its host may ask, the functions among it.
    """

    def __init__(
        self,
        device: Device | None = None,
        clock: FakeClock | None = None,
        of: Manifest | None = None,
        peers: Any = NoPeers(),  # noqa: B008 - without state
        cancellation: Cancellation = NOBODY,
    ) -> None:
        self.device = device or Device()
        self.clock = clock or FakeClock()
        self.client = _Client()
        self.store = Failing(self.device.store.namespace(TA))
        env = TaEnv(
            store=cast("Any", self.store), keys=cast("Any", None), clock=self.clock, rng=SeededRng(b"native"),
            device_id=bytes(range(16)), client=self.client, system_rng=SeededRng(b"bases"), peers=peers,
            cancellation=cancellation,
        )  # fmt: skip
        self.api = NativeApi(env, of or manifest(OWN))
        self.answers = Answers(env, self.api)

    def answer(self, asked: Ask) -> CoreAnswer:
        """As `tee_sim.secure.hosts.remote_app` answers a host."""
        try:
            return CoreAnswer(result=TeeResult.SUCCESS, value=self.answers.answer(asked.question, asked.words))
        except TeeError as error:
            left: list[object] = [param.to_plain() for param in cast("Params | None", error.params) or ()]
            return CoreAnswer(result=error.result, value=[int(error.origin), left])

    def restarted(self) -> "App":
        self.device.boot()
        return App(self.device, self.clock)

    def ask(self, function: Function, *words: object) -> list[Any]:
        """The outputs. Raises Refused, Panicked, NoFrameError."""
        kind, code, *outputs = self.api.answer([function.number, *map(plain, words)])
        if kind == 1:
            assert not outputs
            raise Panicked(cast("int", code))
        assert kind == 0
        if code != TeeResult.SUCCESS:
            raise Refused(cast("int", code), outputs)
        return outputs

    def one(self, function: Function, *words: object) -> Any:
        """The only output."""
        (output,) = self.ask(function, *words)
        return output

    def stored(self, object_id: bytes = b"id", flags: int = READ | WRITE | META, data: bytes = b"data") -> int:
        """A new persistent object, open."""
        return cast("int", self.one(Function.CREATE_PERSISTENT_OBJECT, PRIVATE, object_id, flags, 0, data, len(data)))

    def aes(self, secret: bytes | None = bytes(16)) -> int:
        """A transient object of an AES key; empty for None."""
        handle = cast("int", self.one(Function.ALLOCATE_TRANSIENT_OBJECT, 0xA0000010, 256))
        if secret is not None:
            self.ask(Function.POPULATE_TRANSIENT_OBJECT, handle, [[0xC0000000, secret]])
        return handle
