"""The sensor of a device: an engine, in a process of its own that is locked before it sees a picture.

It is made before the lock (`tee_sim.shared.sensor_api.MakeSensor`): the engine loads and warms up there. After the lock
it decodes and extracts, and has no way out but its answer to the core.

Does not promise: that an engine tells the truth. What it answers is parsed strictly where it is taken
(`bioguard.trusted.biometric.taking`).
"""

from collections.abc import Mapping
from typing import Final

from bioguard.capture.engine import Engine
from bioguard.capture.engines import make_engine
from bioguard.capture.picture_bounds import DPI_BYTES
from bioguard.capture.pictures import decode
from bioguard.errors import InputRefused
from bioguard.records.acquired import AcquiredCode
from bioguard.records.modality import Modality
from tee_sim.shared.sensor_api import Reading

MODALITIES: Final = {modality.word: modality for modality in Modality}


class EngineSensor:
    """`tee_sim.shared.sensor_api.SensorCode` around an engine.

    Args:
        arguments: word of the modality; word of the engine or `module:Class`; what it takes, or an empty text.
        files: contents of what the engine is made of, in its own order (`bioguard.capture.engines.files_of`).

    Raises:
        WrongUsage, InputRefused: as `make_engine`.
        ValueError: an engine of another modality.
    """

    def __init__(self, arguments: tuple[str, ...], files: Mapping[str, bytes]) -> None:
        word, engine, argument = arguments
        self._modality = MODALITIES[word]
        self._engine: Engine = make_engine(engine, argument, tuple(files.values()))
        if self._engine.modality is not self._modality:
            raise ValueError(f"the engine is one of {self._engine.modality.word}, the sensor one of {word}")
        self.extractor = self._engine.identity.to_bytes()

    def read(self, data: bytes) -> Reading:
        """Decode and extract; a sample for what is GOOD and for nothing else.

        What the engine raises is not caught here: it is a fault of the engine.
        """
        stated, picture = int.from_bytes(data[:DPI_BYTES], "big"), data[DPI_BYTES:]
        try:
            decoded = decode(picture, stated or None, self._modality)
        except InputRefused:
            return Reading(int(AcquiredCode.INSUFFICIENT), 0, b"")  # a plain number: no other fits a reading
        found = self._engine.extract(decoded)
        payload = found.sample.to_bytes() if found.acquired is AcquiredCode.GOOD and found.sample else b""
        if found.acquired == AcquiredCode.GOOD and not payload:
            raise ValueError("good, and no sample")
        return Reading(int(found.acquired), found.quality, payload)
