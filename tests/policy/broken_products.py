"""Products that break one promise each, and the observation by which the check must notice.

What is broken is the product: a function of it in the normal world, or a build of the secure world. The trials and
their lab stay as they are. Trials that import a product function by name have it replaced there: it is the same one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bioguard.commands import biometric as commands
from bioguard.commands.policy import Purged
from bioguard.commands.status import ReplyStatus
from bioguard.device import Verification, consent, incidents
from bioguard.device.facade import Device
from bioguard.device.names import NamedUser
from bioguard.errors import InputRefused, NotPermitted
from bioguard.evidence.policy_trials import rights
from bioguard.records.audit_events import Cause
from tests.broken_build import Change, install

Patch = pytest.MonkeyPatch
NOTHING_PURGED = Purged(status=ReplyStatus.OK)


@dataclass(frozen=True, slots=True)
class Broken:
    """A product that breaks a promise.

    Attributes:
        shows: the observation of the check that must not hold.
        patch: breaks the normal world.
        build: breaks the secure world.
    """

    shows: str
    patch: Callable[[Patch], None] = lambda _p: None
    build: tuple[Change, ...] = ()

    def put_in_place(self, patch: Patch, folder: Path) -> None:
        """From now on, and until `patch` is undone, this is the product."""
        self.patch(patch)
        if self.build:
            install(patch, folder / "build", self.build)


def yielding(answer: object) -> Callable[..., Any]:
    """A function that does nothing and gives `answer`."""
    return lambda *_args, **_kwargs: answer


def forgiving(real: Callable[..., Any], answer: object) -> Callable[..., Any]:
    """The real function, but what it forbids happens all the same."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return real(*args, **kwargs)
        except (InputRefused, NotPermitted):
            return answer

    return call


def _one_view(p: Patch) -> None:
    real = Device.enroll
    p.setattr(Device, "enroll", lambda self, name, samples, **more: real(self, name, samples[:1], **more))


def _one_profile(p: Patch) -> None:
    real = Device.init
    p.setattr(Device, "init", lambda directory, options, **_more: real(directory, options, require_pin=False))


def _handle_from_name(p: Patch) -> None:
    def add_user(self: Device, name: str) -> None:
        handle = name.encode()[:16].ljust(16, b"_")
        user = NamedUser(handle=handle, salt=bytes(16))
        self.ask(commands.ADD_USER, commands.AddUser(user=handle, label=user.label(name)))
        self._users._names.users[name] = user
        self._users._names.save()

    p.setattr(Device, "add_user", add_user)


def _anybody(p: Patch) -> None:
    """The claimed name is not looked at."""

    def authenticate(self: Device, _name: str, sample: Any, **_more: Any) -> Verification:
        found = self.identify(sample)
        return Verification(
            match=found.match,
            record_id=found.record_id,
            target_fmr="1/50000",
            for_testing=False,
            calibration=found.calibration,
        )

    p.setattr(Device, "authenticate", authenticate)


def _of_age_anyway(p: Patch) -> None:
    real = consent.grant
    p.setattr(consent, "grant", lambda *a, **k: real(*a, **{**k, "of_age": True}))


def _unchecked_requests(p: Patch) -> None:
    p.setattr(consent, "open_request", forgiving(consent.open_request, SimpleNamespace(number=0)))
    p.setattr(consent, "answer_request", yielding(None))


def _other_retention(p: Patch) -> None:
    real = rights.notice
    p.setattr(rights, "notice", lambda state, **k: real(replace(state, retention_days=state.retention_days + 1), **k))


def _with_template(p: Patch) -> None:
    real = rights.personal_data
    p.setattr(rights, "personal_data", lambda *a, **k: {**real(*a, **k), "templates": {"included": True}})


def _without_records(p: Patch) -> None:
    real = rights.personal_data
    p.setattr(rights, "personal_data", lambda *a, **k: {**real(*a, **k), "enrollments": []})


def _matching(p: Patch) -> None:
    answer = SimpleNamespace(match=True, token=None, record_id=None)
    p.setattr(Device, "authenticate", forgiving(Device.authenticate, answer))


def _extended_without_reason(p: Patch) -> None:
    real = consent.extend_request
    p.setattr(consent, "extend_request", lambda d, n, reason: reason is Cause.FULFILLED or real(d, n, reason))


ROW_KEPT: tuple[Change, ...] = (
    ("tee_sim/secure/storage/store.py", "[*rows.deletes, *map(page_name", "[*map(page_name"),
)
"""Erasing takes an object out of the directory and leaves its row on the disk."""

SAME_KEYS: tuple[Change, ...] = (
    (
        "tee_sim/secure/storage/object_sealer.py",
        "(self._rng.bytes(n) for n in (KEY_BYTES, NONCE_BYTES, NONCE_BYTES))",
        "(hmac.digest(self._filler_key, header.object_id, 'sha256'), *map(self._rng.bytes, (12, 12)))",
    ),
)
"""The key of an object is made of its id: all of a store differ, and what is written anew has the old one."""
TAG_NOT_CHECKED: tuple[Change, ...] = (
    (
        "tee_sim/secure/sealing.py",
        "import AESGCM\n",
        "import AESGCM\nfrom cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes\n",
    ),
    (
        "tee_sim/secure/sealing.py",
        "        return AESGCM(key).decrypt(nonce, ciphertext, _BODY_LABEL + device_id + header)\n",
        '        counter = modes.CTR(nonce + b"\\0\\0\\0\\2")\n'
        "        return Cipher(algorithms.AES(key), counter).decryptor().update(ciphertext[:-16])\n",
    ),
)
"""AES-GCM without its tag is AES-CTR: a changed byte of ciphertext is a changed byte of the body."""

ONE_KEY_FOR_ALL: tuple[Change, ...] = (
    (
        "tee_sim/secure/storage/store.py",
        "        if rpmb is None:\n",
        "        ladder = KeyLadder(bytes(32), bytes(16))\n        if rpmb is None:\n",
    ),
)
"""The store's keys come from the same numbers on every device."""

NO_REPLAY_PROTECTION: tuple[Change, ...] = (
    ("tee_sim/secure/storage/store.py", "        if rpmb is None:\n", "        if 1:\n"),
)
"""The anchor lies on the disk: a copy of the whole disk is as good as new."""

BROKEN: dict[str, Broken] = {
    "BG-POL-001": Broken("three or more views are in one record", _one_view),
    "BG-POL-005": Broken("no unlocking without consent to it", _matching),
    "BG-POL-006": Broken("the record is of the digest-only profile", _one_profile),
    "BG-POL-008": Broken("the name is on no pipe to or from the secure world", _handle_from_name),
    "BG-POL-009": Broken(
        "no enrollment without a token", lambda p: p.setattr(Device, "enroll", forgiving(Device.enroll, None))
    ),
    "BG-POL-010": Broken(
        "`purge` erases it afterwards", lambda p: p.setattr(consent, "purge", yielding(NOTHING_PURGED))
    ),
    "BG-POL-011": Broken(
        "no body is older than 30 days", lambda p: p.setattr(consent, "purge", yielding(NOTHING_PURGED))
    ),
    "BG-POL-012": Broken("one incident is open", lambda p: p.setattr(incidents, "record_incident", yielding(None))),
    "BG-POL-013": Broken("access is refused with no token", _unchecked_requests),
    "BG-POL-014": Broken("it names the retention in force", _other_retention),
    "BG-POL-015": Broken("every record of the person is told", _without_records),
    "BG-POL-016": Broken(
        "the old one cannot be opened", lambda p: p.setattr(Device, "show", forgiving(Device.show, None))
    ),
    "BG-POL-017": Broken("the store is what the published format says", build=ROW_KEPT),
    "BG-POL-018": Broken("comparisons are refused", lambda p: p.setattr(consent, "restrict", yielding(None))),
    "BG-POL-019": Broken("it says that templates are not in it, and why", _with_template),
    "BG-POL-020": Broken(
        "unlocking is refused right after the objection", lambda p: p.setattr(consent, "object_to", yielding(None))
    ),
    "BG-POL-021": Broken(
        "withdrawing one of two purposes erases nothing and stops that one",
        lambda p: p.setattr(consent, "withdraw", yielding(())),
    ),
    "BG-POL-022": Broken(
        "no score is in it",
        lambda p: p.setattr(rights, "decision_words", yielding(["score 0.973"])),
    ),
    "BG-POL-023": Broken("no extension without a reason", _extended_without_reason),
    "BG-POL-024": Broken("no consent without the age attestation", _of_age_anyway),
    "BG-POL-026": Broken(
        "a newer version suspends the grant", lambda p: p.setattr(consent, "set_policy", yielding(None))
    ),
    "BG-STO-001": Broken("the person's own record is asked for, and refused", build=TAG_NOT_CHECKED),
    "BG-STO-002": Broken("another device cannot open the store", build=ONE_KEY_FOR_ALL),
    "BG-STO-003": Broken("an old store does not open", build=NO_REPLAY_PROTECTION),
    "BG-STO-006": Broken("none of an object or a page stands for anything else too", build=SAME_KEYS),
    "BG-STO-004": Broken("it does not answer for another user", _anybody),
}
