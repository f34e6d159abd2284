"""Serves one end of a pipe pair: that of the core to the normal world, and that of a host to the core.

It waits without a deadline: whoever is at the other end has one, and ends this process.
"""

import os

from tee_sim.shared.wire import EXIT_PROTOCOL, FrameReader, NoFrameError

CHUNK_BYTES = 1 << 16
EXIT_EOF = 0


class BlockingPipe:
    """Frames over two inherited pipes. The other end's closing ends the process.

    Attributes:
        writing: whether a frame is half sent, so that none can come between.
    """

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._reader = FrameReader()
        self.writing = False

    def body(self) -> bytes:
        """The body of the next frame. A length that none has ends the process: nothing after it can be trusted."""
        data = b""
        while True:
            try:
                body = self._reader.feed(data)
            except NoFrameError:
                os._exit(EXIT_PROTOCOL)
            if body is not None:
                return body
            data = os.read(self._read_fd, CHUNK_BYTES)
            if not data:
                os._exit(EXIT_EOF)

    def write(self, frame: bytes) -> None:
        """Send one frame."""
        self.writing = True
        view = memoryview(frame)
        while view:
            try:
                view = view[os.write(self._write_fd, view) :]
            except BrokenPipeError:
                os._exit(EXIT_EOF)
        self.writing = False
