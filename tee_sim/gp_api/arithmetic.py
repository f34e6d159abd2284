"""Numbers of any length (sections 8.7 to 8.11): what computes, with Python's integers.

A number travels as a byte for its sign (1: below zero) and its magnitude, big-endian, without zeros in front. Whether a
result fits into where it goes is seen there, in the process of the application.

The representation for fast modular multiplication is the residue itself: there is nothing to precompute.
"""

import math
from collections.abc import Callable
from typing import Any

from tee_sim.gp_api.instance import Instance
from tee_sim.gp_api.property_sets import MAX_BIG_INT_BITS
from tee_sim.gp_api.words import Handler, Shape, breach_unless, u32, u64
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.rng import Rng

MAX_CONFIDENCE = 8
"""Of one question about a prime, in bits: four rounds of 4096 bits take seconds, and the core works on nothing else
meanwhile. The runtime asks until it has what the application wants."""
_COMPOSITE, _PRIME, _PROBABLY_PRIME = 0, 1, -1
_SMALL_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
_PROVEN_BELOW = 3_317_044_064_679_887_385_961_981
"""Below it no composite number passes for the bases above (Sorenson and Webster, 2015)."""


def number(word: object) -> bool:
    """A `Shape`: the bytes of a number, in their one form."""
    if type(word) is not bytes or not 0 < len(word) <= 1 + MAX_BIG_INT_BITS // 8 or word[0] > 1:
        return False
    return word[1] != 0 if len(word) > 1 else word[0] == 0


def to_int(word: bytes) -> int:
    """The number of a word."""
    magnitude = int.from_bytes(word[1:], "big")
    return -magnitude if word[0] else magnitude


def to_word(value: int) -> bytes:
    """The word of a number."""
    magnitude = abs(value)
    return bytes([value < 0]) + magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")


def shifted_right(value: int, bits: int) -> int:
    """The magnitude is shifted; the sign stays."""
    magnitude = abs(value) >> min(bits, MAX_BIG_INT_BITS)
    return -magnitude if value < 0 else magnitude


def divided(dividend: int, divisor: int) -> tuple[int, int]:
    """Quotient toward zero, and a remainder of the dividend's sign."""
    breach_unless(divisor, "a division by zero")
    quotient, remainder = divmod(abs(dividend), abs(divisor))
    sign = -1 if (dividend < 0) != (divisor < 0) else 1
    return sign * quotient, -remainder if dividend < 0 else remainder


def modulus_of(value: int) -> int:
    """A panic below 2."""
    breach_unless(value >= 2, "a modulus below two")
    return value


def inverse(value: int, modulus: int) -> int:
    """A panic if there is none."""
    breach_unless(math.gcd(value, modulus_of(modulus)) == 1, "no inverse")
    return pow(value, -1, modulus)


def power(base: int, exponent: int, modulus: int) -> int:
    """A panic for a negative exponent."""
    breach_unless(exponent >= 0, "an exponent below zero")
    return pow(base, exponent, modulus_of(modulus))


def extended_gcd(first: int, second: int) -> tuple[int, int, int]:
    """Greatest common divisor, and the smallest factors that make it."""
    old, new = (abs(first), 1, 0), (abs(second), 0, 1)
    while new[0]:
        quotient = old[0] // new[0]
        old, new = new, (old[0] - quotient * new[0], old[1] - quotient * new[1], old[2] - quotient * new[2])
    return old[0], -old[1] if first < 0 else old[1], -old[2] if second < 0 else old[2]


def primality(value: int, confidence_bits: int, rng: Rng) -> int:
    """0 for a composite number, 1 for a prime one, -1 for what is prime but for a chance of 2 ** -confidence."""
    if value < 2:
        return _COMPOSITE
    for small in _SMALL_PRIMES:
        if value % small == 0:
            return _PRIME if value == small else _COMPOSITE
    if value < _PROVEN_BELOW:
        return _PRIME if all(_passes(value, base) for base in _SMALL_PRIMES) else _COMPOSITE
    size_bytes = (value.bit_length() + 7) // 8 + 8  # reduced: eight bytes more, and no base is more likely
    for _ in range((confidence_bits + 1) // 2):  # each passes a composite number for at most a quarter of the bases
        base = 2 + int.from_bytes(rng.bytes(size_bytes), "big") % (value - 3)
        if not _passes(value, base):
            return _COMPOSITE
    return _PROBABLY_PRIME


def _passes(value: int, base: int) -> bool:
    """One round of Miller and Rabin."""
    odd = value - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    power_of_base = pow(base, odd, value)
    if power_of_base in (1, value - 1):
        return True
    for _ in range(twos - 1):
        power_of_base = power_of_base * power_of_base % value
        if power_of_base == value - 1:
            return True
    return False


def _handler(count: int, run: Callable[..., int | tuple[int, ...]], *others: Shape) -> Handler:
    """Of a function from numbers, and others behind them, to numbers."""

    def answer(*words: Any) -> list[object]:
        made = run(*map(to_int, words[:count]), *words[count:])
        return [to_word(one) for one in (made if isinstance(made, tuple) else (made,))]

    return Handler(answer, (*([number] * count), *others))


def handlers(instance: Instance) -> dict[Function, Handler]:
    """Of these sections. `TEE_BigIntDiv` and `TEE_BigIntComputeExtendedGcd` answer all that they compute."""
    rng = instance.env.system_rng

    def probable_prime(word: bytes, confidence_bits: int) -> list[object]:
        return [primality(to_int(word), min(max(confidence_bits, 1), MAX_CONFIDENCE), rng)]

    def relative_prime(first: bytes, second: bytes) -> list[object]:
        return [math.gcd(to_int(first), to_int(second)) == 1]

    def residue(value: int, modulus: int) -> int:
        return value % modulus_of(modulus)

    return {
        Function.BIG_INT_SHIFT_RIGHT: _handler(1, shifted_right, u64),
        Function.BIG_INT_ADD: _handler(2, lambda a, b: a + b),
        Function.BIG_INT_SUB: _handler(2, lambda a, b: a - b),
        Function.BIG_INT_MUL: _handler(2, lambda a, b: a * b),
        Function.BIG_INT_SQUARE: _handler(1, lambda a: a * a),
        Function.BIG_INT_DIV: _handler(2, divided),
        Function.BIG_INT_MOD: _handler(2, residue),
        Function.BIG_INT_ADD_MOD: _handler(3, lambda a, b, n: (a + b) % modulus_of(n)),
        Function.BIG_INT_SUB_MOD: _handler(3, lambda a, b, n: (a - b) % modulus_of(n)),
        Function.BIG_INT_MUL_MOD: _handler(3, lambda a, b, n: a * b % modulus_of(n)),
        Function.BIG_INT_SQUARE_MOD: _handler(2, lambda a, n: a * a % modulus_of(n)),
        Function.BIG_INT_INV_MOD: _handler(2, inverse),
        Function.BIG_INT_EXP_MOD: _handler(3, power),
        Function.BIG_INT_RELATIVE_PRIME: Handler(relative_prime, (number, number)),
        Function.BIG_INT_COMPUTE_EXTENDED_GCD: _handler(2, extended_gcd),
        Function.BIG_INT_IS_PROBABLE_PRIME: Handler(probable_prime, (number, u32)),
        Function.BIG_INT_CONVERT_TO_FMM: _handler(2, residue),
        Function.BIG_INT_CONVERT_FROM_FMM: _handler(2, residue),
        Function.BIG_INT_COMPUTE_FMM: _handler(3, lambda a, b, n: a * b % modulus_of(n)),
    }
