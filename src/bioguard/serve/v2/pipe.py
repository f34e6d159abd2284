"""A conversation over two descriptors: waits for bytes of the client, and for what time brings."""

import os
import select
from collections.abc import Callable
from typing import BinaryIO, Final

from bioguard.errors import InputRefused
from bioguard.serve.v2.conversation import Conversation
from bioguard.serve.v2.wire import malformed
from tee_sim.shared.wire import FrameReader, NoFrameError

_CHUNK_BYTES: Final = 65_536
_TICK_MS: Final = 50
"""How late an event that time brings may be told."""


def writer(sink: BinaryIO) -> Callable[[bytes], None]:
    """Frames go out one by one: a client that watches sees what happens when it does."""

    def send(frame: bytes) -> None:
        sink.write(frame)
        sink.flush()

    return send


def converse(source: int, conversation: Conversation) -> int:
    """Carry out requests until the input ends; return how many.

    Args:
        source: descriptor, of which nothing was read into a buffer.

    Raises:
        InputRefused: a frame could not be read; the other side got a refusal.
    """
    reader, count = FrameReader(), 0
    readable = select.poll()
    readable.register(source, select.POLLIN)
    conversation.begin()
    try:
        while True:
            while conversation.awaits_time and not readable.poll(_TICK_MS):
                conversation.due()
            data = os.read(source, _CHUNK_BYTES)
            if not data:
                if reader.is_empty:
                    return count
                raise malformed("the input ends within a frame")
            body = reader.feed(data)
            while body is not None:
                conversation.take(body)
                count += 1
                body = reader.feed()
    except NoFrameError as error:
        refused = malformed(error.message)
        conversation.refuse(refused)
        raise refused from None
    except InputRefused as error:
        conversation.refuse(error)
        raise
    finally:
        conversation.end()
