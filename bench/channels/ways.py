"""For each way out: which numbers are sent, what of an answer the receiver looks at, and how it reads it."""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from statistics import median
from typing import Any, cast

from bench.channels.capacity import Capacity, carried_bits, exactly, nearest
from bench.channels.sender import RESULTS, Sent, Way
from bench.channels.world import Outside, Seen
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.storage_requests import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one way out is used.

    Attributes:
        way: that the sender puts its number into.
        numbers: that are agreed on.
        look: what the receiver looks at; a float is read as the nearest of training, all else exactly.
        secret: bytes that ride along; `needle` of them is looked for instead of a number.
        once: each number shows once in a life of the core.
    """

    name: str
    way: Way
    numbers: int
    look: Callable[[Seen], Hashable]
    rounds: int = 60
    once: bool = False


def _reply(seen: Seen) -> Hashable:
    return Sent.from_bytes(seen.answer.params[1].buffer).number


def _names(seen: Seen, operation: Operation) -> tuple[bytes, ...]:
    asked = [cast("list[Any]", what) for number, what, _ in seen.storage if number == operation]
    names = [name for what in asked for name in (what if operation is Operation.READ else [put[0] for put in what[0]])]
    return tuple(sorted(name for name in names if name[:1] == b"o"))


def _size(seen: Seen) -> Hashable:
    asked = [cast("list[Any]", what) for number, what, _ in seen.storage if number == Operation.COMMIT]
    puts = [put for what in asked for put in what[0]]
    return max((len(put[1]) for put in puts if put[0][:1] == b"o"), default=0)


PLANS = (
    Plan(name="declared reply", way=Way.REPLY, numbers=256, look=_reply, rounds=100),
    Plan(name="result code", way=Way.RESULT, numbers=len(RESULTS), look=lambda seen: int(seen.answer.result)),
    Plan(
        name="rows asked for (READ)",
        way=Way.READ,
        numbers=64,
        look=lambda seen: _names(seen, Operation.READ),
        rounds=0,
        once=True,
    ),
    Plan(name="row put", way=Way.PUT, numbers=16, look=lambda seen: _names(seen, Operation.COMMIT), rounds=40),
    Plan(name="size of a row", way=Way.SIZE, numbers=8, look=_size, rounds=30),
    Plan(name="number of messages", way=Way.COUNT, numbers=6, look=lambda seen: len(seen.storage), rounds=20),
    Plan(name="time of the answer", way=Way.TIME, numbers=8, look=lambda seen: math.log(seen.elapsed_s), rounds=80),
    Plan(
        name="question about a cancellation",
        way=Way.CANCELLATION,
        numbers=64,
        look=lambda seen: seen.waits_ms[0],
        rounds=60,
    ),
    Plan(name="memory", way=Way.MEMORY, numbers=8, look=lambda seen: float(seen.resident_pages), rounds=24),
    Plan(name="processor time", way=Way.PROCESSOR, numbers=4, look=lambda seen: float(seen.processor_ticks), rounds=24),
)


def measure(plan: Plan, place: Outside, rng: SeededRng) -> Capacity:
    """Train, then send numbers drawn at random and count what was read wrong."""
    ticks = 0
    counted = 0

    def send(number: int) -> tuple[Hashable, float]:
        nonlocal ticks, counted
        seen = place.ask(plan.way, number)
        counted = max(counted, seen.answer.bits)
        before, ticks = ticks, seen.processor_ticks
        looked = float(ticks - before) if plan.way is Way.PROCESSOR else plan.look(seen)
        return looked, seen.elapsed_s

    send(0)
    repeated = 1 if plan.rounds == 0 else 3
    training = [(number, [send(number)[0] for _ in range(repeated)]) for number in range(plan.numbers)]
    floats = isinstance(training[0][1][0], float)
    levels = [(median(float(v) for v in values), number) for number, values in training] if floats else []  # type: ignore[arg-type]
    exact = exactly([(values[0], number) for number, values in training])
    if plan.once:  # each number was told once, and is another from all before
        distinct = len({values[0] for _, values in training})
        wrong, spent_s, rounds = 1 - distinct / plan.numbers, 1.0, plan.numbers
        return _capacity(plan, wrong, spent_s, rounds, counted)
    drawn = [rng.bytes(2)[0] * 256 % plan.numbers if plan.numbers > 256 else rng.bytes(1)[0] % plan.numbers
             for _ in range(plan.rounds)]  # fmt: skip
    wrong_ones, spent_s = 0, 0.0
    for number in drawn:
        looked, elapsed_s = send(number)
        spent_s += elapsed_s
        read = nearest(levels, float(looked)) if floats else exact(looked)  # type: ignore[arg-type]
        wrong_ones += read != number
    return _capacity(plan, wrong_ones / len(drawn), spent_s, len(drawn), counted)


def _capacity(plan: Plan, wrong: float, spent_s: float, sent: int, counted: int) -> Capacity:
    bits = carried_bits(plan.numbers, wrong)
    return Capacity(
        symbols=plan.numbers,
        bits=round(bits, 2),
        bits_per_s=round(bits * sent / spent_s, 1),
        error_rate=round(wrong, 3),
        counted=counted,
        sent=sent,
    )
