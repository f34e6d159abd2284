"""A broken product, and what became of it."""

import json
from dataclasses import asdict, dataclass
from enum import Enum, unique
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from tests.campaigns.broken_products.operators import Edit, Stale, changes

ROOT = Path(__file__).parents[3]


@unique
class Outcome(Enum):
    """What the audit made of a broken product."""

    KILLED = "killed"
    """A check of its own row failed."""
    ELSEWHERE = "elsewhere"
    """Its row stayed green; the whole audit failed a check of another."""
    UNKNOWN = "unknown"
    """Nothing failed, but the audit could not answer for its row, or came to no report: no pass, and no proof."""
    GREEN = "green"
    """Its row stayed green, and the whole audit was not asked yet."""
    SURVIVED = "survived"
    STILLBORN = "stillborn"
    """It does not start, so nobody would ship it. Not counted."""
    STALE = "stale"
    """An edit no longer applies: an error of the campaign."""

    @property
    def caught(self) -> bool:
        return self in (Outcome.KILLED, Outcome.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Product:
    """One broken product.

    Attributes:
        id: number of its row and a word of its own.
        promise: the row that it breaks.
        breaks: what it does to people.
        edits: how.
    """

    id: str
    promise: str
    breaks: str
    edits: tuple[Edit, ...]

    @property
    def operators(self) -> str:
        return "+".join(sorted({edit.operator for edit in self.edits}))

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(edit.file for edit in self.edits))

    def fingerprint(self) -> str:
        """Of what it changes: a result of another fingerprint is one of another product."""
        try:
            made = changes(ROOT, self.edits)
        except Stale:
            return ""
        return sha256(repr([(file, after) for file, _, after in made]).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one product. by: ids of the checks that failed, or why there is no answer."""

    id: str
    promise: str
    outcome: Outcome
    by: tuple[str, ...]
    seconds: int
    fingerprint: str

    def to_line(self) -> str:
        return json.dumps(asdict(self) | {"outcome": self.outcome.value})

    @classmethod
    def parse(cls, line: str) -> Self:
        raw: dict[str, Any] = json.loads(line)
        return cls(**raw | {"outcome": Outcome(raw["outcome"]), "by": tuple(raw["by"])})


def row(promise: int, *products: tuple[str, str, tuple[Edit, ...] | Edit]) -> tuple[Product, ...]:
    """The broken products of one promise: a word, what it breaks, and the edits."""
    return tuple(
        Product(
            f"{promise:02d}-{word}", f"POL-{promise:02d}", breaks, (edits,) if isinstance(edits, Edit) else tuple(edits)
        )
        for word, breaks, edits in products
    )
