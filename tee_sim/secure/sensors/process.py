"""The process of a sensor, after the lock: reads one picture after the other for the core, and ends with it."""

import os
from typing import NoReturn, cast

from tee_sim.secure.blocking_pipe import CHUNK_BYTES, EXIT_EOF, BlockingPipe
from tee_sim.secure.hosts.messages import Read, Sampled, pack, unpack
from tee_sim.secure.sensors.local import MadeSensor
from tee_sim.shared.wire import EXIT_PROTOCOL, PICTURE_HEAD


class SensorProcess:
    """Serves the core.

    Args:
        pipe: the way to the core.
        picture_fd: where the normal world sends pictures, and nothing comes from it but these.
        made: the sensor.
    """

    def __init__(self, pipe: BlockingPipe, picture_fd: int, made: MadeSensor) -> None:
        self._pipe = pipe
        self._source = PictureSource(picture_fd)
        self._made = made

    def serve(self) -> NoReturn:
        """Answer the core until it ends."""
        while True:
            asked = cast("Read", unpack(self._pipe.body(), {Read}))
            reading = self._made.read(self._source.picture(asked.number, asked.size_bytes))
            sampled = Sampled(
                number=asked.number, acquired=reading.acquired, quality=reading.quality, payload=reading.payload
            )
            self._pipe.write(pack(sampled))


class PictureSource:
    """A pipe for pictures."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def picture(self, number: int, size_bytes: int) -> bytes:
        """The picture of this capture.

        What is left of a picture that was longer than announced is no head of the next one: then this process ends, as
        nothing that follows on this pipe can be told apart, and a spare has another.
        """
        if self._exactly(PICTURE_HEAD.size) != PICTURE_HEAD.pack(number, size_bytes):
            os._exit(EXIT_PROTOCOL)
        return self._exactly(size_bytes)

    def _exactly(self, size_bytes: int) -> bytes:
        data = bytearray()
        while len(data) < size_bytes:
            part = os.read(self._fd, min(CHUNK_BYTES, size_bytes - len(data)))
            if not part:
                os._exit(EXIT_EOF)
            data += part
        return bytes(data)
