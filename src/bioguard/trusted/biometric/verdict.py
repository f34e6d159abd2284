"""From scores to one answer, and to what it told: who is accepted, and which records came near. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bioguard.trusted.biometric.levels import Levels


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record in one decision: the best score of its samples, and the thresholds that hold for it."""

    user: bytes
    record_id: bytes
    score: float
    levels: Levels


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a decision comes to.

    Attributes:
        accepted: the record that is the answer, or None.
        near: records of which the answer may have told something.
        strong: the accepted one if its score was strong: then nobody near it could have been the answer instead.
        beaten: records of other people that would have been the answer without the strong one.
    """

    accepted: Sighting | None = None
    near: tuple[bytes, ...] = ()
    strong: bytes | None = None
    beaten: tuple[bytes, ...] = ()


NOTHING = Verdict()


def judge(seen: Sequence[Sighting], spent: Callable[[bytes], bool]) -> Verdict:
    """The best record is the answer if it is good enough; equal to the threshold is. The first one wins a tie.

    Args:
        spent: whether a record accepts strong scores only (`bioguard.trusted.sensor.exposure`).
    """
    if not seen:
        return NOTHING
    best = max(seen, key=lambda sighting: sighting.score)
    if best.score >= max(best.levels.strong, best.levels.accept):
        beaten = tuple(s.record_id for s in seen if s.user != best.user and s.score >= s.levels.own)
        return Verdict(accepted=best, strong=best.record_id, beaten=beaten)
    near = tuple(s.record_id for s in seen if s.score >= s.levels.near)
    accepted = best.score >= best.levels.accept and not spent(best.record_id)
    return Verdict(accepted=best if accepted else None, near=near)
