"""What a host may say, without a locked process: what is no message and no question is refused, and its end is seen."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.normal.supplicant import Supplicant
from tee_sim.secure.blocking_pipe import EXIT_EOF
from tee_sim.secure.hosts.messages import FROM_HOST, Ask, HostReturn, pack, unpack
from tee_sim.secure.hosts.pipes import HostGoneError, HostPipe
from tee_sim.secure.hosts.questions import Answers, Question
from tee_sim.secure.hosts.remote_app import Hosts
from tee_sim.secure.made.call import Call
from tee_sim.shared.debug_report import DebugKind, DebugReport
from tee_sim.shared.errors import TeeError
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.lock_report import HostLink
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.wire import EXIT_PROTOCOL, HEAD_BYTES, FrameReader, NoFrameError
from tee_sim.testing.in_process import InProcessTee
from tests.security.test_hostile_pipe import BAD_QUESTIONS, NO_MESSAGES
from tests.tee_sim.hosts import player

ONE = player.manifest(1)


@pytest.mark.parametrize("name", NO_MESSAGES)
def test_what_is_no_message_is_refused(name: str) -> None:
    with pytest.raises(NoFrameError):
        unpack(FrameReader().feed(NO_MESSAGES[name]) or b"", FROM_HOST)


@given(st.binary(max_size=60) | st.lists(st.integers(-3, 20) | st.binary(max_size=9), max_size=6).map(cbor2.dumps))
def test_any_bytes_are_a_message_or_refused(body: bytes) -> None:
    try:
        message = unpack(body, FROM_HOST)
    except NoFrameError:
        return
    assert pack(message)[HEAD_BYTES:] == body, "one message has one form"


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    with closing(Supplicant(tmp_path)) as supplicant:
        yield Answers(InProcessTee([ONE], supplicant)._world._environment(ONE, Call()))


@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_a_question_whose_words_do_not_fit_is_refused(answers: Answers, name: str) -> None:
    try:
        asked = Ask.from_plain(BAD_QUESTIONS[name])
    except TeeError:
        return  # not even its form
    with pytest.raises(NoFrameError):
        answers.answer(asked.question, asked.words)


WORDS = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 1 << 33) | st.binary(max_size=70) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=8,
)


OF_THE_CALL = {Question.MASK, Question.LOOK}
"""Answered by the core's own task, which only a call has."""


@pytest.mark.parametrize("question", [one for one in Question if one not in OF_THE_CALL])
def test_any_words_are_answered_refused_or_no_question(answers: Answers, question: Question) -> None:
    """Nothing else is raised: an error of another kind would be the core's own."""

    @given(st.lists(WORDS, max_size=5))
    def play(words: list[object]) -> None:
        try:
            answer = answers.answer(question, words)
        except (NoFrameError, TeeError):
            return
        finally:
            answers.end_call()
        assert isinstance(answer, list)

    play()


# The end of a host


@contextmanager
def host(code: str) -> Iterator[HostPipe]:
    """The core's ends of a process that runs this code with its own two ends, `r` and `w`."""
    with ExitStack() as stack:
        theirs_read, write_fd = os.pipe()
        read_fd, theirs_write = os.pipe()
        program = f"import os, time\nr, w = {theirs_read}, {theirs_write}\n{code}"
        process = subprocess.Popen([sys.executable, "-I", "-c", program], pass_fds=(theirs_read, theirs_write))
        stack.callback(process.wait)
        stack.callback(process.kill)
        kill_fd = os.pidfd_open(process.pid)
        os.close(theirs_read)
        os.close(theirs_write)
        for fd in (read_fd, write_fd):
            os.set_blocking(fd, False)
        for fd in (read_fd, write_fd, kill_fd):
            stack.callback(os.close, fd)
        yield HostPipe(HostLink(process.pid, read_fd, write_fd, kill_fd))


SOON_S = 20.0


@pytest.mark.parametrize(
    ("sent", "status"), [(b"", EXIT_EOF), (b"\x10\0\0\0half", EXIT_EOF), (b"\xff" * 4, EXIT_PROTOCOL)]
)
def test_a_host_ends_when_nothing_or_no_frame_comes(sent: bytes, status: int) -> None:
    program = "from tee_sim.secure.blocking_pipe import BlockingPipe; BlockingPipe(0, 1).body()"
    assert subprocess.run([sys.executable, "-c", program], input=sent, check=False).returncode == status


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("time.sleep(60)", HostEnd.TOO_SLOW),
        ("os.write(w, b'\\x10\\0\\0\\0half'); time.sleep(60)", HostEnd.TOO_SLOW),
        ("os.write(w, b'\\xff' * 4); time.sleep(60)", HostEnd.OUT_OF_TURN),
        ("os._exit(42)", HostEnd.EXITED),
        (f"os.kill(os.getpid(), {int(signal.SIGSEGV)})", HostEnd.SIGNAL),
        (f"os.kill(os.getpid(), {int(signal.SIGSYS)})", HostEnd.FORBIDDEN_CALL),
        ("os.close(w); time.sleep(60)", HostEnd.SIGNAL),
    ],
)
def test_how_it_ended_is_one_of_five_words(code: str, end: HostEnd) -> None:
    """The last closes its end and lives on: it is killed, and the core does not wait for it."""
    slow = end is HostEnd.TOO_SLOW
    with host(code) as pipe:
        began = time.monotonic()
        with pytest.raises(HostGoneError) as caught:
            pipe.body(began + (1.5 if slow else SOON_S))
        assert caught.value.end is end
        assert pipe.has_ended()
        assert time.monotonic() - began < SOON_S
        with pytest.raises(HostGoneError, match=end.words):
            pipe.kill(HostEnd.OUT_OF_TURN)


def test_what_it_says_between_two_calls_ends_it() -> None:
    with host(f"os.write(w, {pack(HostReturn())!r}); time.sleep(60)") as pipe:
        deadline = time.monotonic() + SOON_S
        while not pipe.has_ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert pipe.end is HostEnd.OUT_OF_TURN


@pytest.mark.parametrize("further", [pack(HostReturn()), b"\0"])
def test_what_it_says_along_with_an_answer_ends_it(further: bytes) -> None:
    """It is read with the answer, and no pipe holds it any more: it would be the answer to the next call."""
    answer = pack(HostReturn())
    with host(f"os.write(w, {answer + further!r}); time.sleep(60)") as pipe:
        assert pipe.body(time.monotonic() + SOON_S) == answer[HEAD_BYTES:]
        assert pipe.has_ended()
        assert pipe.end is HostEnd.OUT_OF_TURN


def test_one_that_waits_has_not_ended() -> None:
    with host("os.read(r, 1)") as pipe:
        assert not pipe.has_ended()
        assert pipe.alive


def test_one_that_does_not_read_is_ended() -> None:
    with host("time.sleep(60)") as pipe, pytest.raises(HostGoneError) as caught:
        pipe.write(bytes(1 << 20), time.monotonic() + 0.5)
    assert caught.value.end is HostEnd.TOO_SLOW


def test_a_debug_report_is_passed_on_in_the_name_of_the_application_that_sent_it() -> None:
    said: list[DebugReport] = []
    own = Manifest(uuid=bytes([7]) * 16, name="own", entry="own:Own", code=("own",))
    passes = Hosts([(own, [])], lambda _manifest: 1, said.append)._named(own)
    assert passes is not None
    passes(DebugReport(kind=DebugKind.PANIC, application="other", what="ValueError"))
    assert [report.application for report in said] == ["own"]
    assert Hosts([(own, [])], lambda _manifest: 1)._named(own) is None
