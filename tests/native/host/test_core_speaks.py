"""What does not fit ends a host: it is the core that speaks, and nobody else may."""

import re
from pathlib import Path

import pytest

from tee_sim.secure.hosts import messages
from tee_sim.secure.hosts.messages import HostMessage, HostReturn, Load, pack
from tee_sim.shared import codec
from tee_sim.shared.limits import MAX_FRAME_BYTES, MAX_PARAM_BYTES
from tee_sim.shared.params import Param
from tee_sim.shared.wire import EXIT_PROTOCOL, framed
from tests.native.host.bare import TASK, Bare
from tests.native.host.test_entry_points import DO, four

HOST_H = Path(__file__).parents[3] / "tee_sim" / "dev_kit" / "runtime" / "host.h"
TASK_PLAIN = TASK.to_plain()


def run(params: object, command: int = 0, context: int = 1) -> list[object]:
    return [4, 1, context, TASK_PLAIN, command, params]


PLAIN = [0, 0, 0, b"", 0, False]
BAD: dict[str, object] = {
    "no message": 5,
    "an empty one": [],
    "another tag": [99],
    "a tag of the host's": [9, 0, [], []],
    "an answer out of turn": [7, 0, [0, 0]],
    "an unknown instance": [3, 9, TASK_PLAIN, [PLAIN] * 4],
    "an unknown session": run([PLAIN] * 4, context=9),
    "no session": run([PLAIN] * 4, context=0),
    "three parameters": run([PLAIN] * 3),
    "five fields": run([PLAIN, PLAIN, PLAIN, PLAIN[:5]]),
    "a number of 33 bits": run([[1, 1 << 32, 0, b"", 0, False], PLAIN, PLAIN, PLAIN]),
    "too much room": run([[6, 0, 0, b"", MAX_PARAM_BYTES + 1, False], PLAIN, PLAIN, PLAIN]),
    "no instance": [2, "one"],
    "a command of 33 bits": run([PLAIN] * 4, command=1 << 32),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_ends_the_host(runtime: Path, rough: Path, name: str) -> None:
    with Bare(runtime, rough).started() as host:
        host.send(framed(codec.encode(BAD[name])))
        assert host.receive() is None
        assert host.ended == EXIT_PROTOCOL


@pytest.mark.parametrize(
    "frame",
    [(MAX_FRAME_BYTES + 1).to_bytes(4, "little"), framed(b""), framed(b"\x18\x01"), framed(b"\x82\x0d"), b"\xff" * 8],
)
def test_what_is_no_frame_ends_the_host(runtime: Path, rough: Path, frame: bytes) -> None:
    with Bare(runtime, rough).started() as host:
        host.send(frame)
        assert host.receive() is None
        assert host.ended == EXIT_PROTOCOL


def test_load_is_not_answered(runtime: Path, rough: Path) -> None:
    with Bare(runtime, rough).started() as host:
        host.send(pack(Load()))
        assert isinstance(host.invoke(DO["COUNT"], four(Param.none())), HostReturn)


def test_the_numbers_of_messages_are_those_of_python() -> None:
    text = HOST_H.read_text()
    tags = messages._MESSAGES._tags
    names = "HostLocked Create Open Run Close Destroy CoreAnswer Ask HostReturn HostRefusal Panicked DebugReport Load"
    known = {re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper(): name for name in names.split()}
    for name, python in known.items():
        kind: type[HostMessage] = next(kind for kind in tags if kind.__name__ == python)
        assert f"    MESSAGE_{name} = {tags[kind]},\n" in text
