"""Ciphers as they stand between two calls: what is held back, and from where the next block goes on.

No context of the library is kept, so a state can be copied at any time. Each names the modes of SP 800-38A and IEEE
1619 that it is.
"""

from abc import ABC, abstractmethod
from typing import Self

from cryptography.hazmat.primitives.ciphers import modes

from tee_sim.gp_api.block_ciphers import BlockCipher
from tee_sim.gp_api.words import breach_unless

ECB = modes.ECB()  # noqa: S305 - the specification has it, and the other modes are made of it


class CipherState(ABC):
    """One message being encrypted or decrypted.

    Attributes:
        unit_bytes: output comes in multiples of it, until the end.
        held_back: at least so many bytes of input wait for the end, whose blocks are treated unlike the others.
    """

    unit_bytes = 1
    held_back = 0

    def __init__(self) -> None:
        self._held = b""

    def gives(self, size_bytes: int) -> int:
        """How many bytes `update` would answer to so many."""
        return max(0, (len(self._held) + size_bytes - self.held_back) // self.unit_bytes * self.unit_bytes)

    def gives_at_last(self, size_bytes: int) -> int:
        """How many bytes `final` would answer to so many."""
        return len(self._held) + size_bytes

    def update(self, data: bytes) -> bytes:
        """More of the message."""
        whole = self._held + data
        size = self.gives(len(data))
        self._held = whole[size:]
        return self._blocks(whole[:size]) if size else b""

    def final(self, data: bytes) -> bytes:
        """The end of the message. Raises BreachError for one of a length that the mode does not have."""
        first = self.update(data)
        return first + self._last(self._held)

    def copy(self) -> Self:
        """The same, from here on its own."""
        made = self._from_here()
        made._held = self._held
        return made

    @abstractmethod
    def _from_here(self) -> Self:
        """One that goes on with the next unit."""

    @abstractmethod
    def _blocks(self, data: bytes) -> bytes:
        """Whole units."""

    def _last(self, data: bytes) -> bytes:
        breach_unless(not data, "a message that is no number of whole blocks")
        return b""


class Ecb(CipherState):
    """ECB of whole blocks."""

    def __init__(self, cipher: BlockCipher, *, encrypts: bool) -> None:
        super().__init__()
        self.unit_bytes = cipher.block_bytes
        self._cipher, self._encrypts = cipher, encrypts

    def _from_here(self) -> Self:
        return type(self)(self._cipher, encrypts=self._encrypts)

    def _blocks(self, data: bytes) -> bytes:
        return self._cipher.once(ECB, data, encrypts=self._encrypts)


class Cbc(CipherState):
    """CBC of whole blocks."""

    def __init__(self, cipher: BlockCipher, iv: bytes, *, encrypts: bool) -> None:
        super().__init__()
        self.unit_bytes = cipher.block_bytes
        self._cipher, self._encrypts, self._chain = cipher, encrypts, iv

    def _from_here(self) -> Self:
        return type(self)(self._cipher, self._chain, encrypts=self._encrypts)

    def _blocks(self, data: bytes) -> bytes:
        output = self._cipher.once(modes.CBC(self._chain), data, encrypts=self._encrypts)
        self._chain = (output if self._encrypts else data)[-self.unit_bytes :]
        return output


class Cts(Cbc):
    """CBC with ciphertext stealing, the last two blocks always swapped: CBC-CS3 of SP 800-38A's addendum."""

    def __init__(self, cipher: BlockCipher, iv: bytes, *, encrypts: bool) -> None:
        super().__init__(cipher, iv, encrypts=encrypts)
        self.held_back = self.unit_bytes + 1

    def _last(self, data: bytes) -> bytes:
        block = self.unit_bytes
        breach_unless(len(data) >= block, "a message of less than one block")
        if len(data) == block:
            return self._blocks(data)
        size, rest = len(data), len(data) - block
        if self._encrypts:
            swapped = self._blocks(data.ljust(2 * block, b"\0"))
            return swapped[block:] + swapped[:rest]
        last, stolen = data[:block], data[block:]
        stolen += self._cipher.once(ECB, last, encrypts=False)[rest:]
        return self._blocks(stolen + last)[:size]


class Ctr(CipherState):
    """CTR: a stream, whose counter is the whole block."""

    def __init__(self, cipher: BlockCipher, counter: bytes, used_bytes: int = 0) -> None:
        super().__init__()
        self._cipher, self._counter, self._used = cipher, int.from_bytes(counter, "big"), used_bytes

    def _from_here(self) -> Self:
        return type(self)(self._cipher, self._counter.to_bytes(self._cipher.block_bytes, "big"), self._used)

    def _blocks(self, data: bytes) -> bytes:
        block = self._cipher.block_bytes
        counter = self._counter.to_bytes(block, "big")
        output = self._cipher.once(modes.CTR(counter), bytes(self._used) + data, encrypts=True)[self._used :]
        blocks, self._used = divmod(self._used + len(data), block)
        self._counter = (self._counter + blocks) % (1 << 8 * block)
        return output


class Xts(CipherState):
    """XTS of one data unit, with ciphertext stealing (IEEE 1619).

    Of the library's there is no beginning in the middle of a unit, so its ECB is between two XORs with the tweaks.
    """

    def __init__(self, cipher: BlockCipher, tweak: bytes, *, encrypts: bool) -> None:
        super().__init__()
        self.unit_bytes = cipher.block_bytes
        self.held_back = cipher.block_bytes + 1
        self._cipher, self._encrypts = cipher, encrypts
        self._tweak = int.from_bytes(tweak, "little")

    @classmethod
    def begin(cls, cipher: BlockCipher, second: BlockCipher, unit: bytes, *, encrypts: bool) -> Self:
        """From the first block of a data unit, whose number is of one block."""
        return cls(cipher, second.once(ECB, unit, encrypts=True), encrypts=encrypts)

    def _from_here(self) -> Self:
        return type(self)(self._cipher, self._tweak.to_bytes(self.unit_bytes, "little"), encrypts=self._encrypts)

    def _blocks(self, data: bytes) -> bytes:
        tweaks = []
        for _ in range(len(data) // self.unit_bytes):
            tweaks.append(self._tweak.to_bytes(self.unit_bytes, "little"))
            self._tweak = _doubled(self._tweak)
        return self._between(data, b"".join(tweaks))

    def _between(self, data: bytes, tweaks: bytes) -> bytes:
        return xor(self._cipher.once(ECB, xor(data, tweaks), encrypts=self._encrypts), tweaks)

    def _last(self, data: bytes) -> bytes:
        block = self.unit_bytes
        breach_unless(len(data) >= block, "a data unit of less than one block")
        rest = len(data) % block
        if not rest:
            return self._blocks(data)
        one, two = (tweak.to_bytes(block, "little") for tweak in (self._tweak, _doubled(self._tweak)))
        first, second = (one, two) if self._encrypts else (two, one)
        stolen = self._between(data[:block], first)
        return self._between(data[block:] + stolen[rest:], second) + stolen[:rest]


def _doubled(tweak: int) -> int:
    """Times alpha, in the field of IEEE 1619, section 5.2."""
    return (tweak << 1) & ((1 << 128) - 1) ^ (0x87 if tweak >> 127 else 0)


def xor(one: bytes, other: bytes) -> bytes:
    """Of two byte strings of one length."""
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(len(one), "little")
