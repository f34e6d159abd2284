"""How the values of a scenario are written in TOML: each reader checks and converts, as those of manifests do."""

import re
from collections.abc import Mapping

from bioguard.device.options import parse_clock
from bioguard.errors import InputRefused
from bioguard.simulate.knobs.grammar import MAX_WAIT_MS, Latency
from tee_sim.shared.manifest_values import ManifestError, Misfit, kind_of, shown

_RATE = re.compile(r"1/([1-9][0-9]{0,7})")


def wrong_type(wanted: str, value: object) -> ManifestError:
    """Something else was found."""
    return ManifestError(Misfit.WRONG_TYPE, f"expected {wanted}, found {kind_of(value)}")


def flag(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise wrong_type("true or false", value)
    return value


def rate(value: object) -> int:
    """N of a rate that is written "1/N"; which rates a device offers is said when it is made."""
    if not isinstance(value, str):
        raise wrong_type("a rate in quotes", value)
    found = _RATE.fullmatch(value)
    if found is None:
        raise ManifestError(Misfit.WRONG_VALUE, f"{shown(value)} is not a rate")
    return int(found[1])


def clock(value: object) -> int:
    """Milliseconds since 1970 of "fixed:2026-01-31T12:00:00Z"."""
    if not isinstance(value, str):
        raise wrong_type("a string", value)
    try:
        return parse_clock(value)
    except InputRefused:
        raise ManifestError(Misfit.WRONG_VALUE, f"{shown(value)} is not a clock") from None


def _ms(value: object) -> int:
    if type(value) is not int:
        raise wrong_type("milliseconds or a list of two", value)
    if not 0 <= value <= MAX_WAIT_MS:
        raise ManifestError(Misfit.OUT_OF_RANGE, f"expected 0 to {MAX_WAIT_MS}")
    return value


def latency(value: object) -> Latency:
    """Milliseconds, or [lowest, highest]."""
    if not isinstance(value, list):
        return Latency(_ms(value), _ms(value))
    if len(value) != 2:
        raise ManifestError(Misfit.OUT_OF_RANGE, f"{len(value)} numbers, expected two: lowest and highest")
    low_ms, high_ms = map(_ms, value)
    if low_ms > high_ms:
        raise ManifestError(Misfit.OUT_OF_RANGE, "the lowest is above the highest")
    return Latency(low_ms, high_ms)


def words_of(table: Mapping[str, object]) -> dict[str, str]:
    """For `one_of`: words that stand for themselves."""
    return {word: word for word in table}
