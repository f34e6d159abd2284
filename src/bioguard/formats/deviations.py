"""Where a file leaves its format and can be read all the same.

One parser reads every file: a fault that leaves no reading raises, anything else is noted here and the parser goes
on. Only then do the options decide whether the notes are refusals or warnings. So a refusal can promise that
`--lenient` reads the file, because it has been read, and both modes see the same bytes in the same way.
"""

from enum import Enum, unique

from bioguard.formats.errors import ImportWarning, refuse
from bioguard.formats.options import ImportOptions
from tee_sim.shared.dataclass import dataclass


@unique
class AcceptedBy(Enum):
    """What lets a deviation pass."""

    ALWAYS = "both readings are in use and neither changes a minutia"
    TRAILING = "--trailing keep"
    LENIENT = "--lenient"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One place.

    Attributes:
        code: of the refusal, without `format.`.
        warning: code of the warning where it is accepted.
        message: what is there, with its offset.
        effect: how it was read.
        accepted_by: see there.
    """

    code: str
    warning: str
    message: str
    effect: str
    accepted_by: AcceptedBy = AcceptedBy.LENIENT


class Deviations:
    """The deviations of one file in file order. Of those alike only the first is kept, and how many there are."""

    __slots__ = ("_counts", "_first")

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], Deviation] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, deviation: Deviation) -> None:
        key = (deviation.code, deviation.warning)
        self._first.setdefault(key, deviation)
        self._counts[key] = self._counts.get(key, 0) + 1

    @property
    def kinds(self) -> int:
        """How many different kinds would be refused without an option."""
        return sum(d.accepted_by is not AcceptedBy.ALWAYS for d in self._first.values())

    def judged(self, options: ImportOptions) -> list[ImportWarning]:
        """Every deviation as a warning.

        Raises:
            InputRefused: `format.<code>` of the first one that the options do not accept; the hint names what does.
        """
        passing = {
            AcceptedBy.ALWAYS: True,
            AcceptedBy.TRAILING: options.keeps_trailing,
            AcceptedBy.LENIENT: options.lenient,
        }
        refused = [d for d in self._first.values() if not passing[d.accepted_by]]
        if refused:
            needed = {d.accepted_by for d in refused}
            if AcceptedBy.LENIENT in needed and options.trailing is None:
                needed = {AcceptedBy.LENIENT}  # which then keeps trailing bytes as well
            flags = " and ".join(a.value for a in AcceptedBy if a in needed)
            raise refuse(refused[0].code, refused[0].message, f"the rest is well-formed: {flags} reads it and warns")
        return [
            ImportWarning(d.warning, f"{d.message}{f' ({n} times)' if n > 1 else ''}: {d.effect}")
            for d, n in zip(self._first.values(), self._counts.values(), strict=True)
        ]
