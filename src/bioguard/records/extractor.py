"""Which extractor made a feature: part of each record that came through a sensor, and of the threshold it is judged by.

Two versions of an extractor find other minutiae in the same picture, so a rate that was measured with one says nothing
of the other (docs/capture.md).
"""

import hashlib
import re
from typing import Annotated, Final

from bioguard.errors import InputRefused
from bioguard.records.feature_limits import MAX_MODEL_CHARS
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Fixed, Record, Text

NO_WEIGHTS: Final = bytes(32)
DIGEST_BYTES: Final = 16
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractorIdentity(Record):
    """An extractor, as it names itself before the lock.

    Attributes:
        name: of a-z, 0-9, dot, underscore and hyphen, at most 32.
        version: of the package and of what is done around it, at most 32 letters, digits and `. _ + -`, and so short
            that `model` has 64 at most.
        weights_sha256: of all weights, 32 bytes; zero bytes where there are none.

    Raises:
        InputRefused: `extractor.identity`.
    """

    name: Annotated[str, Text(32)]
    version: Annotated[str, Text(32)]
    weights_sha256: Annotated[bytes, Fixed(32)]

    def __post_init__(self) -> None:
        named = _NAME.fullmatch(self.name) and _VERSION.fullmatch(self.version) and len(self.weights_sha256) == 32
        if not named or len(self.model) > MAX_MODEL_CHARS:
            raise InputRefused(
                "an extractor does not name itself as one does",
                hint="a name of 1 to 32 of a-z 0-9 . _ -, a version as in 1.2.0, the SHA-256 of the weights",
                code="extractor.identity",
            )

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for it in a record: BLAKE2b of the canonical bytes."""
        return hashlib.blake2b(self.to_bytes(), digest_size=DIGEST_BYTES, person=b"bg-extractor-v1").digest()

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the canonical bytes, as the log has it."""
        return hashlib.sha256(self.to_bytes()).digest()

    @property
    def model(self) -> str:
        """The model that a comparison profile is for: name, version and, of weights, their first eight digits."""
        weights = "" if self.weights_sha256 == NO_WEIGHTS else f" {self.weights_sha256.hex()[:8]}"
        return f"{self.name} {self.version}{weights}"
