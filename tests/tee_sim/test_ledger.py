"""The prefix code of `tee_sim.secure.ledger`: its words are those of a code, and its charges come before the event."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.secure import ledger
from tee_sim.secure.ledger import Ledger, Recent, Sizes, Way, gamma_bits, row_bits, set_bits, step_after
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import MAX_WAIT_MS

KRAFT = 1 + 1e-9


def share(bits: float) -> float:
    return math.pow(2.0, -bits)


def test_what_comes_next_is_one_word_of_a_code() -> None:
    words = [ledger.ANSWERED_BITS, ledger.COMMIT_BITS, ledger.READ_BITS, ledger.PAGES_BITS]
    refused = (len(TeeResult) - 1) * 2 * share(ledger.REFUSED_BITS)
    ended = len(HostEnd) * share(ledger.ENDED_BITS)
    looks = (MAX_WAIT_MS + 1) * share(ledger.LOOK_BITS)
    assert sum(map(share, words)) + refused + ended + looks <= KRAFT


def test_gamma_is_a_code() -> None:
    assert [gamma_bits(n) for n in (1, 2, 3, 4, 7, 8)] == [1, 3, 3, 5, 5, 7]
    assert sum(share(gamma_bits(n)) for n in range(1, 1 << 16)) <= KRAFT


@given(st.integers(1, 400), st.integers(0, 40))
def test_every_row_together_is_a_code(rows: int, related: int) -> None:
    """Each row by its shortest word, and those that could be made besides: no more than there is room for."""
    related = min(related, rows)
    ranks = [rank if rank <= ledger.RECENT else 0 for rank in range(1, rows + 1)]
    there = sum(share(row_bits(rank, related if n < related else 0, rows)) for n, rank in enumerate(ranks))
    remade = (1 << 20) * (rows + 1) * share(ledger.new_row_bits(0, 0, rows))
    about = 3 * (1 << 17) * share(5 + 17 + math.log2(3))
    goes_on = sum(4 * share(ledger.new_row_bits(rank, 0, 1 << 30)) for rank in range(1, ledger.RECENT + 1))
    assert there + remade + about + goes_on <= KRAFT


@given(st.lists(st.floats(1, 20), max_size=8))
def test_a_set_costs_no_less_than_its_rows_without_their_order(each: list[float]) -> None:
    assert set_bits(each) == pytest.approx(gamma_bits(len(each) + 1) + sum(each) - math.log2(math.factorial(len(each))))


def test_all_sets_of_two_of_three_rows_are_a_code() -> None:
    """Three rows of a word each that fill a code: the three sets of two are worth less than all pairs."""
    word = math.log2(3)
    assert 3 * share(set_bits([word, word])) <= share(gamma_bits(3)) * KRAFT


SIZES = [68 + size for size in (256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)]


@pytest.mark.parametrize("before", [*SIZES, None])
def test_sizes_are_a_code(before: int | None) -> None:
    total = sum(
        share(Sizes(row_before=before, row=row, header_before=40, header=header).bits())
        for row in SIZES
        for header in range(113)
    )
    assert total <= KRAFT


def test_a_size_that_stays_tells_little_and_one_that_changes_more() -> None:
    stays = Sizes(row_before=324, row=324, header_before=5, header=5).bits()
    next_class = Sizes(row_before=324, row=452, header_before=5, header=5).bits()
    any_class = Sizes(row_before=324, row=4164, header_before=5, header=5).bits()
    header = Sizes(row_before=324, row=324, header_before=5, header=6).bits()
    assert stays < 0.3
    assert 5 < next_class < any_class
    assert header > 10


def test_there_are_51_moments_and_none_is_more_than_twice_the_one_before() -> None:
    steps = ledger.STEPS_S
    assert len(steps) == 51
    assert share(ledger.TIME_BITS) * len(steps) == pytest.approx(1)
    assert list(steps) == sorted(set(steps))
    assert steps[0] == 0.25e-3
    assert steps[-1] > 3600
    assert all(1.14 < later / one <= 2.001 for one, later in pairwise(steps))


@given(st.floats(0, 4000))
def test_nothing_is_released_before_it_is_there_or_after_the_next_step(elapsed_s: float) -> None:
    released = step_after(elapsed_s)
    assert elapsed_s <= released <= max(0.25e-3, 2.001 * elapsed_s)
    assert step_after(released) == released


def test_an_account_is_over_after_its_last_bit_and_charged_before_the_event() -> None:
    book = Ledger()
    book.charge(Way.REPLY, 99)
    assert not book.spent, "nothing is counted outside of a request"
    with book.request(10) as account:
        book.charge(Way.REPLY, 6)
        book.charge(Way.WRITE, 4)
        assert not book.spent
        book.charge(Way.WRITE, 0.001)
        assert book.spent
        assert account.bits == {Way.REPLY: 6, Way.WRITE: 4.001}
    with book.request(math.inf):
        book.charge(Way.REPLY, 1e9)
        assert not book.spent


def test_only_what_comes_after_an_application_spoke_has_a_moment() -> None:
    book = Ledger()
    with book.request(math.inf) as account:
        assert not book.timed()
        book.heard()
        assert book.timed()
        assert not book.timed(), "what follows is the core's own doing"
        assert account.bits == {Way.TIME: ledger.TIME_BITS}


def test_an_application_that_may_say_anything_is_not_held() -> None:
    book = Ledger()
    with book.request(math.inf, untimed=True) as account:
        book.heard()
        assert not book.timed()
        assert account.bits == {}
    with book.request(math.inf):
        book.heard()
        assert book.timed(), "the next request is another one"


def test_ranks_are_those_of_the_last_uses() -> None:
    recent = Recent(3)
    for name in (b"a", b"b", b"c", b"a", b"d"):
        recent.use(name)
    assert [recent.rank(name) for name in (b"d", b"a", b"c", b"b", b"x")] == [1, 2, 3, 0, 0]
    recent.drop(b"a")
    assert recent.rank(b"c") == 2
