"""Sending a picture to a sensor's process: through a pipe of its own, which leads nowhere else."""

import os
import select
import time

from tee_sim.shared.wire import PICTURE_HEAD


def send_picture(fd: int, number: int, picture: bytes, answer_fd: int, deadline: float) -> bool:
    """Send it, until its reader or whoever answers has had enough of it. Returns whether that was in time.

    Args:
        fd: of the pipe; it does not block.
        number: of the capture.
        answer_fd: where the secure world answers: once it has, nobody reads the rest.
        deadline: on the monotonic clock, in seconds.
    """
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.register(answer_fd, select.POLLIN)
    rest = [memoryview(PICTURE_HEAD.pack(number, len(picture))), memoryview(picture)]
    while rest:
        try:
            rest[0] = rest[0][os.write(fd, rest[0]) :]
        except BlockingIOError:
            ready = dict(poll.poll(max(0.0, (deadline - time.monotonic()) * 1000)))
            if not ready:
                return False
            if answer_fd in ready:
                return True
        except OSError:  # its reader has ended: the answer says how
            return True
        if not rest[0]:
            del rest[0]
    return True
