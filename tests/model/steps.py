"""What may happen to a device, as small numbers: short to print, easy to leave out when a trace is made shorter."""

from dataclasses import dataclass

import numpy as np

FACE, FINGER = 2, 1
"""Modalities, numbered as in `bioguard.commands.biometric`."""

USERS, SLOTS, IDENTITIES = 3, 2, 2
PROBES = {
    FACE: {"strong": 0.2, "weak": 0.35, "near": 0.15, "far": 0.25, "other-size": 0.05},
    FINGER: {"strong": 0.4, "far": 0.6},
}
WAITS_MS = (1, 400, 15_000, 29_999, 30_000, 30_001, 120_000, 299_999, 600_000, 3_600_000)
TWISTS = {"nothing": 0.6, "revoke": 0.1, "other sensor": 0.1, "other user": 0.1, "in time": 0.05, "late": 0.05}
"""What comes between the PIN and the enrollment of a visit to the settings."""
DELAYS_MS = (0, 600_000, 600_001)
"""Between the PIN and what it opens."""
SIEGES = 0.01
"""How often somebody is guessed at until only the PIN helps."""
WALKS = 0.003
"""How often somebody is searched for, near the threshold, until no search finds them."""
LATEST = 6
"""Tokens, challenges and records are named from the latest one back."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens."""

    kind: str
    args: tuple[object, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(map(repr, self.args))})"


def _modality(rng: np.random.Generator) -> int:
    return FACE if rng.random() < 0.8 else FINGER


def _probe(rng: np.random.Generator, *claimed: int) -> tuple[object, ...]:
    """Whose sample, and how near: mostly of the person claimed."""
    modality = _modality(rng)
    whose = claimed[0] if claimed and rng.random() < 0.7 else int(rng.integers(USERS))
    levels = PROBES[modality]
    level = str(rng.choice(list(levels), p=list(levels.values())))
    return (*claimed, modality, whose, int(rng.integers(IDENTITIES)), level)


KINDS = {
    "add_user": (1, lambda r: (int(r.integers(USERS)),)),
    "remove_user": (0.3, lambda r: (int(r.integers(USERS)), r.choice(["operator", "token"]), int(r.integers(LATEST)))),
    "set_pin": (0.5, lambda r: (int(r.integers(USERS)),)),
    "change_pin": (0.7, lambda r: (int(r.integers(USERS)), bool(r.random() < 0.7))),
    "delete_pin": (0.2, lambda r: (int(r.integers(USERS)),)),
    "verify_pin": (
        8,
        lambda r: (
            int(r.integers(USERS)),
            r.choice(["right", "right", "right", "wrong", "old handle"]),
            int(r.integers(-1, LATEST)),
        ),
    ),
    "challenge": (3, lambda r: (int(r.integers(USERS)), _modality(r))),
    "revoke": (0.5, lambda r: (int(r.integers(USERS)), _modality(r), int(r.integers(LATEST)))),
    "enroll": (
        5,
        lambda r: (
            int(r.integers(USERS)),
            _modality(r),
            int(r.integers(SLOTS)),
            int(r.integers(IDENTITIES)),
            int(r.integers(-1, LATEST)),
            bool(r.random() < 0.3),
        ),
    ),
    "visit": (
        6,
        lambda r: (
            int(r.integers(USERS)),
            _modality(r),
            int(r.integers(SLOTS)),
            int(r.integers(IDENTITIES)),
            str(r.choice(list(TWISTS), p=list(TWISTS.values()))),
        ),
    ),
    "erase": (
        1,
        lambda r: (
            int(r.integers(USERS)),
            int(r.integers(4)),
            r.choice(["operator", "token"]),
            int(r.integers(LATEST)),
        ),
    ),
    "authenticate": (12, lambda r: _probe(r, int(r.integers(USERS)))),
    "identify": (12, _probe),
    "lock_status": (3, lambda r: (int(r.integers(USERS)), _modality(r))),
    "search_status": (2, lambda r: (_modality(r),)),
    "reset_lockout": (2, lambda r: (int(r.integers(USERS)), _modality(r), int(r.integers(LATEST)))),
    "unlock": (
        3,
        lambda r: (int(r.integers(USERS)), _modality(r), int(r.choice(DELAYS_MS, p=(0.6, 0.2, 0.2)))),
    ),
    "authenticator_id": (2, lambda r: (int(r.integers(USERS)), _modality(r))),
    "invalidate": (0.4, lambda r: (int(r.integers(USERS)), _modality(r))),
    "check_token": (2, lambda r: (int(r.integers(LATEST)),)),
    "open": (2, lambda r: (int(r.integers(3)),)),
    "use": (1.5, lambda r: (int(r.integers(LATEST)),)),
    "close": (0.7, lambda r: (int(r.integers(LATEST)),)),
    "wait": (5, lambda r: (int(r.choice(WAITS_MS)),)),
    "restart": (0.6, lambda r: ()),
    "reboot": (0.4, lambda r: ()),
    "die": (1.5, lambda r: (int(r.integers(3)),)),
}
"""Kind, how often, and its arguments."""


DELAY_MS = {"in time": 599_999, "late": 600_000}


def asked_of(u: int, m: int, twist: str) -> tuple[int, int]:
    """Whom a visit asks for its challenge."""
    return ((u + 1) % USERS if twist == "other user" else u), (FACE + FINGER - m if twist == "other sensor" else m)


def random_steps(seed: int, count: int, *, deaths: bool = False) -> list[Step]:
    """A story. Attempts come in rows, so that limits are reached.

    Args:
        deaths: also of applications, which takes a process for each.
    """
    rng = np.random.default_rng(seed)
    names = [name for name in KINDS if deaths or name != "die"]
    weights = np.array([KINDS[name][0] for name in names], float)
    steps = [Step("add_user", (u,)) for u in range(USERS)]
    steps += [Step("set_pin", (u,)) for u in range(1, USERS)]
    while len(steps) < count:
        if rng.random() < SIEGES:
            u = int(rng.integers(USERS))
            steps += [*[Step("authenticate", (u, FACE, u, 0, "far"))] * 5, Step("wait", (30_001,))] * 4
        if rng.random() < WALKS:
            u = int(rng.integers(1, USERS))
            steps += [Step("visit", (u, FACE, 0, 0, "nothing"))]
            steps += [*[Step("identify", (FACE, u, 0, "near"))] * 4, Step("unlock", (u, FACE, 0))] * 14
            steps += [Step("identify", (FACE, u, 0, "strong"))] * 2
        kind = str(rng.choice(names, p=weights / weights.sum()))
        args = tuple(str(a) if isinstance(a, np.str_) else a for a in KINDS[kind][1](rng))
        rows = (
            int(rng.integers(1, 9)) if kind in ("authenticate", "identify", "verify_pin") and rng.random() < 0.4 else 1
        )
        steps += [Step(kind, args)] * rows
    return steps[:count]
