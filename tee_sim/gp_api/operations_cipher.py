"""Symmetric ciphers: TEE Internal Core API 1.3.1, section 6.4.

An input that does not fit into a frame comes in several questions. `ahead` is how many bytes of it are still to come:
the first question already asks for the room of all, so SHORT_BUFFER never comes after something was worked on.
"""

from collections.abc import Callable, Mapping
from typing import Final, cast

from tee_sim.gp_api.algorithm import Mode
from tee_sim.gp_api.block_ciphers import BlockCipher, secret_of
from tee_sim.gp_api.cipher_states import Cbc, CipherState, Ctr, Cts, Ecb, Xts
from tee_sim.gp_api.operation import Operation, State
from tee_sim.gp_api.operations import Operations
from tee_sim.gp_api.words import ShortBufferError, breach_unless
from tee_sim.shared.gp_functions import Function

_Maker = Callable[[list[BlockCipher], bytes, bool], CipherState]

_SCHEMES: Final[Mapping[str, _Maker]] = {
    "ECB_NOPAD": lambda keys, _, encrypts: Ecb(keys[0], encrypts=encrypts),
    "CBC_NOPAD": lambda keys, iv, encrypts: Cbc(keys[0], iv, encrypts=encrypts),
    "CTS": lambda keys, iv, encrypts: Cts(keys[0], iv, encrypts=encrypts),
    "CTR": lambda keys, iv, _: Ctr(keys[0], iv),
    "XTS": lambda keys, iv, encrypts: Xts.begin(keys[0], keys[1], iv, encrypts=encrypts),
}


class CipherCalls:
    """The three functions; `operations` keeps what they work on."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def init(self, handle: int, iv: bytes | None) -> list[object]:
        """6.4.1. What was begun is given up. An IV has one block; ECB has none."""
        operation = self._operations.enter(Function.CIPHER_INIT, handle)
        algorithm, given = operation.algorithm, iv or b""
        wanted = 0 if algorithm.scheme == "ECB_NOPAD" else algorithm.block_bytes
        breach_unless(len(given) == wanted, f"an initialization vector that is not {wanted} bytes long")
        keys = [BlockCipher(algorithm.name, secret_of(key)) for key in operation.keys]
        operation.start(State.ACTIVE, _SCHEMES[algorithm.scheme](keys, given, operation.mode is Mode.ENCRYPT))
        return []

    def update(self, handle: int, data: bytes | None, ahead_bytes: int, room_bytes: int | None) -> list[object]:
        """6.4.2. Raises ShortBufferError."""
        work = _work(self._operations.enter(Function.CIPHER_UPDATE, handle))
        given = data or b""
        _need(work.gives(len(given) + ahead_bytes), room_bytes)
        return [work.update(given)]

    def do_final(self, handle: int, data: bytes | None, ahead_bytes: int, room_bytes: int | None) -> list[object]:
        """6.4.3: the end of the message, and the operation is initial again. Raises ShortBufferError."""
        operation = self._operations.enter(Function.CIPHER_DO_FINAL, handle)
        work, given = _work(operation), data or b""
        _need(work.gives_at_last(len(given) + ahead_bytes), room_bytes)
        if ahead_bytes:
            return [work.update(given)]
        output = work.final(given)
        operation.end()
        return [output]


def _work(operation: Operation) -> CipherState:
    return cast("CipherState", operation.work)


def _need(needed_bytes: int, room_bytes: int | None) -> None:
    if needed_bytes > (room_bytes or 0):
        raise ShortBufferError(needed_bytes)
