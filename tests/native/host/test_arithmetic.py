"""Numbers of any length as an application in C sees them, against Python's: chapter 8, in both versions of the API."""

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tee_sim.gp_api.arithmetic import MAX_CONFIDENCE, primality
from tee_sim.gp_api.property_sets import MAX_BIG_INT_BITS
from tee_sim.secure.hosts.messages import Ask, CoreAnswer, HostReturn, Panicked
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.params import Param, ParamType
from tee_sim.shared.rng import SeededRng
from tests.native.api.native import App
from tests.native.host.bare import Bare
from tests.native.host.conftest import KIT, TAS, built, needs

SOURCE = (TAS / "arith" / "arith.c").read_text("ascii")
DO = {name: int(number) for name, number in re.findall(r"^    ([A-Z0-9_]+) = (\d+),$", SOURCE, re.MULTILINE)}
OVERFLOW, SHORT_BUFFER = TeeResult.OVERFLOW, TeeResult.SHORT_BUFFER
FAST = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
EDGES = st.sampled_from([0, 1, 2, 3, 255, 256, (1 << 32) - 1, 1 << 32, (1 << 64) + 1, (1 << 2048) - 1, 1 << 2047])
MAGNITUDES = EDGES | st.integers(0, 1 << 70) | st.integers(0, (1 << 2048) - 1)
NUMBERS = st.builds(lambda magnitude, negative: -magnitude if negative else magnitude, MAGNITUDES, st.booleans())
MODULI = MAGNITUDES.filter(lambda n: n >= 2)


@dataclass
class Arith:
    """An application in a process, with the core's answers."""

    host: Bare
    session: int = 0

    def start(self) -> None:
        """A new instance, and a session in it."""
        self.host.create()
        opened = self.host.open()
        assert isinstance(opened, HostReturn)
        self.session = opened.context

    def __call__(self, name: str, *numbers: int, argument: int = 0, room_bits: int = 4096) -> tuple[list[int], int]:
        """The three results, and what was returned. Raises Ended if the application panics."""
        given = b"".join(encoded(number) for number in numbers)
        params = (
            Param.memref(given),
            Param.value(argument & 0xFFFFFFFF, room_bits),
            Param.output(2048),
            Param(kind=ParamType.VALUE_OUTPUT),
        )
        done = self.host.invoke(DO[name], params, context=self.session)
        if isinstance(done, Panicked):
            self.host.destroy(1, panicked=True)
            self.start()
            raise Ended
        assert isinstance(done, HostReturn), done
        return decoded(done.params[2].buffer), done.params[3].a

    def one(self, name: str, *numbers: int, argument: int = 0, room_bits: int = 4096) -> int:
        """The first result."""
        return self(name, *numbers, argument=argument, room_bits=room_bits)[0][0]

    def returned(self, name: str, *numbers: int, argument: int = 0) -> int:
        """What was returned, with its sign."""
        value = self(name, *numbers, argument=argument)[1]
        return value - (1 << 32) if value >> 31 else value


class Ended(Exception):
    """The application panicked."""


def encoded(number: int) -> bytes:
    size = (number.bit_length() + 7) // 8
    return bytes([number < 0]) + size.to_bytes(2, "little") + abs(number).to_bytes(size, "big")


def decoded(data: bytes) -> list[int]:
    found = []
    while data:
        size = int.from_bytes(data[1:3], "little")
        magnitude = int.from_bytes(data[3 : 3 + size], "big")
        found.append(-magnitude if data[0] else magnitude)
        data = data[3 + size :]
    return found


def toward_zero(dividend: int, divisor: int) -> int:
    quotient = abs(dividend) // abs(divisor)
    return -quotient if (dividend < 0) != (divisor < 0) else quotient


@pytest.fixture(scope="module", params=["1.3.1", "1.1"])
def arith(request: pytest.FixtureRequest, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arith]:
    needs("gcc", "make")
    choice = ("CFG_TA_OPTEE_CORE_API_COMPAT_1_1=y",) if request.param == "1.1" else ()
    ta = built("arith", tmp_path_factory.mktemp("arith"), *choice)
    app = App()

    def answer(asked: Ask) -> CoreAnswer:
        return CoreAnswer(result=TeeResult.SUCCESS, value=app.api.answer(asked.words))

    with Bare(runtime, ta, answer=answer) as host:
        started = Arith(host)
        started.start()
        yield started


@FAST
@given(a=NUMBERS, b=NUMBERS)
@example(a=-(1 << 2048) + 1, b=(1 << 2048) - 1)
def test_sums_products_and_comparisons(arith: Arith, a: int, b: int) -> None:
    assert arith.one("ADD", a, b) == a + b
    assert arith.one("SUB", a, b) == a - b
    assert arith.one("MUL", a, b) == a * b
    assert arith.one("SQUARE", a) == a * a
    assert arith.one("NEG", a) == -a
    assert arith("ABS", a) == ([abs(a), 0, 0], 0)
    assert arith("ASSIGN", a) == ([a, 0, 0], 0)
    assert arith.one("ECHO", a) == a
    assert arith("IN_PLACE", a, b)[0][:2] == [2 * a, -b - 2 * a]
    assert arith.returned("CMP", a, b) == (a > b) - (a < b)
    assert arith.returned("CMP", a, a) == 0


@FAST
@given(a=NUMBERS, b=NUMBERS.filter(bool))
@example(a=-7, b=2)
@example(a=7, b=-2)
@example(a=-6, b=-3)
def test_quotients_go_toward_zero_and_remainders_have_the_sign_of_the_dividend(arith: Arith, a: int, b: int) -> None:
    quotient = toward_zero(a, b)
    assert arith("DIV", a, b)[0][:2] == [quotient, a - quotient * b]
    assert arith("QUOTIENT_ALONE", a, b)[0] == [quotient, a - quotient * b, math.gcd(a, b)]


@FAST
@given(a=NUMBERS, b=NUMBERS, n=MODULI)
def test_residues(arith: Arith, a: int, b: int, n: int) -> None:
    assert arith.one("MOD", a, n) == a % n
    assert arith.one("ADD_MOD", a, b, n) == (a + b) % n
    assert arith.one("SUB_MOD", a, b, n) == (a - b) % n
    assert arith.one("MUL_MOD", a, b, n) == a * b % n
    assert arith.one("SQUARE_MOD", a, n) == a * a % n
    assert arith.one("FMM", a, b, n) == arith.one("FMM_1_0", a, b, n) == a * b % n


@FAST
@given(a=NUMBERS, e=st.integers(0, 1 << 64) | st.integers(0, 1 << 512), n=MODULI)
@example(a=0, e=0, n=2)
def test_powers_and_inverses(arith: Arith, a: int, e: int, n: int) -> None:
    assert arith.one("EXP_MOD", a, e, n) == pow(a, e, n)
    if math.gcd(a, n) == 1:
        assert arith.one("INV_MOD", a, n) == pow(a, -1, n)
    else:
        with pytest.raises(Ended):
            arith("INV_MOD", a, n)


@FAST
@given(a=NUMBERS, b=NUMBERS)
@example(a=0, b=0)
@example(a=0, b=-5)
@example(a=12, b=-18)
def test_common_divisors(arith: Arith, a: int, b: int) -> None:
    divisor, u, v = arith("EXTENDED_GCD", a, b)[0]
    assert divisor == math.gcd(a, b) == u * a + v * b
    if a and b:
        assert abs(u) <= max(1, abs(b) // divisor)
        assert abs(v) <= max(1, abs(a) // divisor)
    assert arith.returned("RELATIVE_PRIME", a, b) == (divisor == 1)


@FAST
@given(a=NUMBERS, at=st.integers(0, 4095), small=st.integers(-(1 << 31), (1 << 31) - 1))
@example(a=-(1 << 31), at=31, small=-(1 << 31))
@example(a=1 << 31, at=0, small=(1 << 31) - 1)
@example(a=-1, at=0, small=-1)
def test_bits_and_numbers_of_32_bits(arith: Arith, a: int, at: int, small: int) -> None:
    magnitude, sign = abs(a), -1 if a < 0 else 1
    assert arith.returned("GET_BIT", a, argument=at) == magnitude >> at & 1
    assert arith.returned("BIT_COUNT", a) == magnitude.bit_length()
    assert arith.one("SET_BIT", a, argument=at) == (sign * (magnitude | 1 << at) if a else 1 << at)
    assert arith.one("CLEAR_BIT", a, argument=at) == sign * (magnitude & ~(1 << at))
    assert arith.one("SHIFT_RIGHT", a, argument=at) == sign * (magnitude >> at)
    assert arith.one("FROM_S32", argument=small) == small
    assert arith.returned("CMP_S32", a, argument=small) == (a > small) - (a < small)
    assert arith.returned("CMP_S32", small, argument=small) == 0
    fits = -(1 << 31) <= a < 1 << 31
    assert arith("TO_S32", a) == ([a if fits else 0, 0, 0], 0 if fits else OVERFLOW)


def test_a_result_without_room_is_a_panic_or_an_overflow(arith: Arith) -> None:
    for name, numbers in (("ADD", (1 << 63, 1 << 63)), ("SUB", (-(1 << 63), 1 << 63)), ("MUL", (1 << 32, 1 << 32)),
                          ("SQUARE", (1 << 40,)), ("NEG", (1 << 64,)), ("MOD", (1 << 70, 1 << 80))):  # fmt: skip
        with pytest.raises(Ended):
            arith(name, *numbers, room_bits=64)
    for name in ("ASSIGN", "ABS"):
        assert arith(name, 1 << 64, room_bits=64) == ([0, 0, 0], OVERFLOW)
        assert arith(name, (1 << 64) - 1, room_bits=64)[0][0] == (1 << 64) - 1
    assert arith("SET_BIT", 1, argument=64, room_bits=64) == ([1, 0, 0], OVERFLOW)
    with pytest.raises(Ended):
        arith("FROM_S32", argument=5, room_bits=0)
    with pytest.raises(Ended):
        arith("FROM_S32", argument=5, room_bits=4097)


def test_the_octets_of_a_number_and_the_room_that_they_need(arith: Arith) -> None:
    for number, size in ((0, 0), (1, 1), (-255, 1), (256, 2), (1 << 64, 9)):
        for room in range(1, 12):
            found, result = arith("TO_OCTETS", number, argument=room)
            assert (found[0], result) == (size, SHORT_BUFFER if room < size else 0)
    assert arith("TO_OCTETS", 256, argument=0)[0][0] == 2


def test_what_must_not_be_asked_is_a_panic(arith: Arith) -> None:
    for name, numbers in (
        ("DIV", (1, 0)), ("MOD", (1, 1)), ("MOD", (1, -5)), ("ADD_MOD", (1, 1, 0)), ("SUB_MOD", (1, 1, 1)),
        ("MUL_MOD", (1, 1, 1)), ("SQUARE_MOD", (2, 1)), ("INV_MOD", (2, 4)), ("INV_MOD", (0, 7)),
        ("EXP_MOD", (2, -1, 7)), ("EXP_MOD", (2, 1, 1)), ("FMM", (1, 1, 1)), ("FMM", (1, 1, -7)), ("ADD", (1,)),
        ("NEG", ()),
    ):  # fmt: skip
        with pytest.raises(Ended):
            arith(name, *numbers)


def test_memory_that_is_no_number_any_more_is_a_panic(arith: Arith) -> None:
    for word in (0, 1):
        with pytest.raises(Ended):
            arith("OVERWRITTEN", (1 << 95) + 5, argument=word)
    arith("OVERWRITTEN", (1 << 95) + 5, argument=2)


PRIMES = [2, 3, 41, 43, (1 << 61) - 1, (1 << 89) - 1, (1 << 127) - 1, (1 << 521) - 1]
COMPOSITES = [0, 1, 4, 1763, 561, 3_215_031_751, ((1 << 61) - 1) ** 2, ((1 << 521) - 1) * ((1 << 89) - 1), -7]
"""Among them a Carmichael number, and one that passes for the bases 2, 3, 5 and 7."""


def test_a_part_of_the_rounds_is_what_the_core_works_on_at_once() -> None:
    source = (KIT / "runtime" / "api_arith_core.c").read_text("ascii")
    assert f"#define CONFIDENCE_OF_A_PART {MAX_CONFIDENCE}u" in source
    header = (KIT / "runtime" / "api_arith.h").read_text("ascii")
    assert f"#define BIG_MOST_BITS {MAX_BIG_INT_BITS}u" in header


def test_primes(arith: Arith) -> None:
    for prime in PRIMES:
        assert arith.returned("PROBABLE_PRIME", prime, argument=80) == (1 if prime < 1 << 81 else -1)
    asked = len(arith.host.asked)
    for confidence, parts in ((0, 10), (80, 10), (81, 11), (100_000, 64)):
        assert arith.returned("PROBABLE_PRIME", (1 << 127) - 1, argument=confidence) == -1
        assert len(arith.host.asked) == asked + parts
        asked += parts
    for composite in COMPOSITES:
        assert arith.returned("PROBABLE_PRIME", composite, argument=0) == 0


@FAST
@given(number=st.integers(2, 1 << 20))
def test_small_primes_are_those_of_trial_division(number: int) -> None:
    is_prime = all(number % d for d in range(2, math.isqrt(number) + 1))
    assert primality(number, 80, SeededRng(b"")) == is_prime


def test_random_bases_find_large_composites() -> None:
    drawn = random.Random(5)
    for _ in range(20):
        factors = [drawn.getrandbits(200) | 1 | 1 << 199 for _ in range(2)]
        assert primality(factors[0] * factors[1], 80, SeededRng(b"")) == 0
