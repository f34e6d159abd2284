"""C2SP checkpoints (tlog-checkpoint) and inclusion proof files (`.tlog-proof`).

A checkpoint is the text of a signed note: origin, size in decimal, root in base64, one a line. A `.tlog-proof` file is

    c2sp.org/tlog-proof@v1
    index 5
    <base64 hash> ...          leaf sibling first, up to the root
    <empty line>
    <the signed checkpoint, verbatim>
"""

import re
from collections.abc import Sequence
from typing import Self

from bioguard.proofs.encoding import ProofInvalid, b64decode, b64encode
from bioguard.proofs.merkle import HASH_BYTES, MAX_TREE_SIZE, inclusion_proof, verify_inclusion
from bioguard.proofs.notes import NoteKey, NoteSigner, assemble, open_note
from tee_sim.shared.dataclass import dataclass

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,12}")
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 40
"""log2 of the largest tree."""


def _number(text: str, what: str) -> int:
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_TREE_SIZE:
        raise ProofInvalid(f"{what} is not a plain decimal number", hint="fetch the file again")
    return int(text)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """State of a log: who, how many entries, which root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root)}\n"

    def sign(self, signer: NoteSigner) -> str:
        """The signed note. The key's name must be the origin."""
        if signer.name != self.origin:
            raise ValueError("a checkpoint is signed under its origin's name")
        return signer.sign(self.text())

    def with_signature(self, key: NoteKey, signature: bytes) -> str:
        """The signed note from a signature made elsewhere (in the secure world). Not checked here."""
        return assemble(self.text(), [(key, signature)])

    @classmethod
    def open(cls, note: str, key: NoteKey) -> Self:
        """Verify and parse a signed checkpoint.

        Raises:
            ProofInvalid: not signed by `key`, another origin, extension lines, or not canonical.
        """
        text, _ = open_note(note, [key])
        parts = text[:-1].split("\n")
        if len(parts) > 3:
            raise ProofInvalid(
                f"checkpoint has extension lines after its root, {len(parts) - 3} in all",
                hint="logs of bioguard write none: give a checkpoint of this log",
            )
        if len(parts) < 3:
            raise ProofInvalid("checkpoint has no three lines: origin, size, root", hint="fetch the file again")
        origin, size, root = parts
        if origin != key.name:
            raise ProofInvalid("checkpoint is of another log", hint="give the verifier key of this log")
        checkpoint = cls(origin, _number(size, "checkpoint size"), b64decode(root, "checkpoint root"))
        if len(checkpoint.root) != HASH_BYTES:
            raise ProofInvalid("checkpoint root is not 32 bytes", hint="fetch the file again")
        return checkpoint


@dataclass(frozen=True, slots=True)
class TlogProof:
    """One entry's inclusion in one signed checkpoint: an offline unit of evidence."""

    index: int
    path: tuple[bytes, ...]
    checkpoint_note: str

    def to_text(self) -> str:
        """The file's content."""
        lines = [PROOF_HEADER, f"index {self.index}", *(b64encode(h) for h in self.path), "", self.checkpoint_note]
        return "\n".join(lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a file strictly. Nothing is verified yet.

        Raises:
            ProofInvalid: it is not exactly what `to_text` writes.
        """
        head, separator, note = text.partition("\n\n")
        lines = head.split("\n")
        if "\r" in text:
            raise ProofInvalid("tlog-proof file with CR line ends", hint="save it with LF line ends, as it was written")
        if lines[0] != PROOF_HEADER:
            raise ProofInvalid("not a tlog-proof file", hint=f"the first line reads {PROOF_HEADER}")
        if len(lines) > 1 and lines[1].startswith("extra "):
            raise ProofInvalid(
                "tlog-proof file with extra data, which no log of bioguard writes", hint="ask for one without"
            )
        if not separator or len(lines) < 2 or not lines[1].startswith("index "):
            raise ProofInvalid(
                "tlog-proof file without an index line after the first, or without a checkpoint after an empty line",
                hint="give the whole file",
            )
        if len(lines) - 2 > MAX_PATH:
            raise ProofInvalid("proof path is too long", hint="fetch the file again")
        path = tuple(b64decode(line, "proof hash") for line in lines[2:])
        return cls(_number(lines[1].removeprefix("index "), "index"), path, note)

    def verify(self, leaf: bytes, key: NoteKey) -> Checkpoint:
        """Check signature and path for a leaf hash, and return the checkpoint it is in.

        Raises:
            ProofInvalid: either does not verify.
        """
        checkpoint = Checkpoint.open(self.checkpoint_note, key)
        verify_inclusion(leaf, self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint


def proof_of(leaves: Sequence[bytes], index: int, checkpoint_note: str) -> TlogProof:
    """Make the proof of leaf `index` from all leaf hashes of the checkpoint's tree."""
    return TlogProof(index, inclusion_proof(leaves, index), checkpoint_note)
