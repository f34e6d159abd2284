"""What a relay passes on without reading it: which answers it must read all the same, and whose session is whose."""

from collections.abc import Iterator

import pytest

from tee_sim.normal.asked import is_plain_success
from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.machine.sessions import SessionNumbers
from tee_sim.normal.relay import _Heads
from tee_sim.shared import codec
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.params import NO_PARAMS, Param, operation
from tee_sim.shared.wire import HEAD_BYTES, MAX_COUNTED_BITS, CloseSession, Invoke, Message, OpenSession, Return, pack


def body(message: Message) -> bytes:
    return pack(message)[HEAD_BYTES:]


def counts() -> Iterator[int]:
    yield from range(0, 70_000, 7)
    yield from (0x17, 0x18, 0xFF, 0x100, 0x1800, 0xFFFF, 0x10000, 0x01180005, MAX_COUNTED_BITS)
    yield from (end << 8 | low for end in range(8) for low in range(0x18))


@pytest.mark.parametrize("end", HostEnd)
def test_no_end_of_a_process_is_passed_over(end: HostEnd) -> None:
    sure = 0
    for bits in counts():
        answer = body(Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, host_end=end, bits=bits))
        assert not (is_plain_success(answer) and end is not HostEnd.NONE), bits
        sure += is_plain_success(answer)
    assert (sure > 9_000) == (end is HostEnd.NONE)


@pytest.mark.parametrize("result", [TeeResult.GENERIC, TeeResult.TARGET_DEAD, TeeResult(1), TeeResult(0x17)])
def test_what_is_no_success_is_read(result: TeeResult) -> None:
    assert not is_plain_success(body(Return(result=result, origin=Origin.TEE)))


def test_what_is_too_short_for_an_answer_is_read() -> None:
    whole = body(Return(result=TeeResult.SUCCESS, origin=Origin.TEE))
    assert is_plain_success(whole)
    assert not any(is_plain_success(whole[:size]) for size in range(2, len(whole)))


def invoke(session: int) -> Invoke:
    return Invoke(session=session, command=7, params=operation(Param.memref(b"x" * 99)), cancellable=True)


def test_a_session_has_its_own_number_inside() -> None:
    numbers = SessionNumbers()
    opened = Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=5)
    assert numbers.outward(OpenSession(uuid=bytes(16), params=NO_PARAMS), opened).session == 1
    assert numbers.inward_invoke(body(invoke(1))) == body(invoke(5))
    with pytest.raises(TeeError) as unknown:
        numbers.inward_invoke(body(invoke(5)))
    assert (unknown.value.result, unknown.value.origin) == (TeeResult.BAD_PARAMETERS, Origin.API)
    numbers.end_all()
    with pytest.raises(MachineError) as gone:
        numbers.inward_invoke(body(invoke(1)))
    assert gone.value.code == "machine.session"


def test_a_number_of_more_bytes_is_read() -> None:
    numbers = SessionNumbers()
    for inside in (*range(1, 23), 300, 24):
        opened = Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=inside)
        numbers.outward(OpenSession(uuid=bytes(16), params=NO_PARAMS), opened)
    assert numbers.inward_invoke(body(invoke(22))) == body(invoke(22))
    assert numbers.inward_invoke(body(invoke(23))) is None, "300 inside"
    assert numbers.inward_invoke(body(invoke(24))) is None
    assert numbers.inward_invoke(body(CloseSession(session=1))) is None
    assert numbers.inward_invoke(body(invoke(1))[:2]) is None


def test_a_head_is_known_again_by_its_bytes() -> None:
    heads = _Heads()

    def head(ms: int, number: int, login: object = None) -> bytes:
        return codec.encode([ms, number, login])

    assert heads.same(head(60_000, 7 << 32)) is None, "none was read yet"
    heads.remember(head(60_000, 7 << 32), 60_000)
    number = 9 << 32 | 12
    frame = b"\x0a\0\0\0" + codec.encode([number])
    assert heads.same(head(60_000, number)) == (60_000, number, frame)
    for other in (head(60_001, number), head(60_000, 5), head(60_000, number, [1, 2, None, b""]), b"", b"\xf6"):
        assert heads.same(other) is None
    heads.remember(head(1, 5), 1)
    assert heads.same(head(60_000, number)) is not None, "one whose number is shorter is not kept"
