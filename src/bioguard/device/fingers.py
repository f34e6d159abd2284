"""Names of finger positions (ISO/IEC 19794-2:2005 table 2)."""

from bioguard.errors import InputRefused

FINGERS = {
    "right-thumb": 1,
    "right-index": 2,
    "right-middle": 3,
    "right-ring": 4,
    "right-little": 5,
    "left-thumb": 6,
    "left-index": 7,
    "left-middle": 8,
    "left-ring": 9,
    "left-little": 10,
}
UNNAMED = "unnamed"
"""A finger of which nobody said which one it is, position 0: Android names no fingers."""
_NAMES = {position: name for name, position in FINGERS.items()}


def finger_position(name: str) -> int:
    """Position 1..10 of a finger's name.

    Raises:
        InputRefused: no such finger, with the nearest name as hint.
    """
    said = name if isinstance(name, str) else str(name)
    position = FINGERS.get(said)
    if position is None:
        from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

        near = get_close_matches(said, FINGERS, n=1)
        raise InputRefused(
            f"{said[:40]!r} is not a finger",
            hint=f"did you mean {near[0]}?" if near else "one of " + ", ".join(FINGERS),
            code="enroll.finger",
        )
    return position


def finger_name(position: int) -> str:
    """Name of position 1..10; `unnamed` for 0."""
    return _NAMES.get(position, UNNAMED)
