"""The middle of the floor: the messages of one invocation, read and written as the core does, and nothing else.

    python floor.py FLOOR-END

Standard input and output are the pipes to the caller; FLOOR-END is started behind two more.
"""

import os
import subprocess
import sys
from collections.abc import Callable

from tee_sim.secure.hosts import messages
from tee_sim.shared.errors import Origin, TeeResult
from tee_sim.shared.login import PUBLIC
from tee_sim.shared.task import Task
from tee_sim.shared.wire import REQUESTS, FrameReader, Invoke, Return, pack, unpack


def _reader(fd: int) -> Callable[[], bytes]:
    frames = FrameReader()

    def receive() -> bytes:
        body = None
        while body is None:
            data = os.read(fd, 1 << 16)
            if not data:
                sys.exit(0)
            body = frames.feed(data)
        return body

    return receive


def main() -> None:
    """Answer until the caller closes its end."""
    end = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert end.stdin is not None
    assert end.stdout is not None
    down = end.stdin.fileno()
    from_caller, from_end = _reader(0), _reader(end.stdout.fileno())
    task = Task(client=PUBLIC, cancellable=True)
    while True:
        invoke = unpack(from_caller(), REQUESTS)
        assert isinstance(invoke, Invoke)
        run = messages.Run(instance=1, context=1, task=task, command=invoke.command, params=invoke.params)
        os.write(down, messages.pack(run))
        left = messages.unpack(from_end(), messages.FROM_HOST)
        assert isinstance(left, messages.HostReturn)
        answer = Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=1, params=left.params, bits=1)
        os.write(1, pack(answer))


if __name__ == "__main__":
    main()
