"""Products broken on purpose in one way each, and the promise that the break ends.

Each change is what a developer could write: a shortcut, a convenience, a measure of marketing. None of them touches the
audit.
"""

from dataclasses import dataclass

from tests.broken_build import Change


@dataclass(frozen=True, slots=True)
class Break:
    """A product that breaks promises.

    Attributes:
        rows: the promises that are broken; each has to turn red.
        changes: what is different from the product.
        checks: rows of the report that have to say so, whatever else does.
    """

    rows: tuple[str, ...]
    changes: tuple[Change, ...]
    checks: tuple[str, ...] = ()


FACADE = "src/bioguard/device/facade.py"
_ENROLLED = "        made = self._recognition.enroll(\n"

CLEAR_COPY = Break(
    ("POL-02",),
    (
        (
            FACADE,
            _ENROLLED,
            '        with open(self.directory / "names.json.cache", "ab") as cache:\n'
            "            cache.writelines(sample.to_bytes() for sample in samples)\n"
            "        import tempfile\n"
            "        with tempfile.NamedTemporaryFile(delete=False) as again:\n"
            "            again.writelines(sample.to_bytes() for sample in samples)\n" + _ENROLLED,
        ),
    ),
)
"""S1: enrolled features in clear in a file beside the known ones, and in the folder for temporary files."""

UPLOAD = Break(
    ("POL-03", "POL-25", "POL-27"),
    (
        (
            FACADE,
            _ENROLLED,
            "        import ctypes, struct\n"
            "        c = ctypes.CDLL(None)\n"
            "        s = c.socket(2, 2, 0)\n"
            '        to = struct.pack("<H", 2) + struct.pack(">H", 9999) + bytes((127, 0, 0, 1)) + bytes(8)\n'
            "        for sample in samples:\n"
            "            data = sample.to_bytes()\n"
            "            c.sendto(s, data, len(data), 0, to, 16)\n" + _ENROLLED,
        ),
    ),
)
"""S2: every enrolled sample goes out in a datagram, without any module of the network."""

NAMES_HASHED = Break(
    ("POL-08",),
    (
        (
            "src/bioguard/device/user_registry.py",
            "        user = NamedUser(handle=secrets.token_bytes(16), salt=secrets.token_bytes(16))\n"
            "        self._ask(",
            "        from hashlib import md5\n"
            "        user = NamedUser(handle=md5(name.encode()).digest(), salt=bytes(16))\n        self._ask(",
        ),
    ),
)
"""S6: a user's id is the MD5 of the name, and the label has no salt: the same person on two devices is one."""

PINS_KEPT = Break(
    ("POL-02",),
    (
        (
            "src/bioguard/device/pins.py",
            "    handles = PasswordHandles.load(device.directory)\n    user = device.user_handle(name, fresh=True)\n"
            "    request = gatekeeper.EnrollPin(",
            '    (device.directory / "pins.json.last").write_bytes(pin)\n'
            "    handles = PasswordHandles.load(device.directory)\n    user = device.user_handle(name, fresh=True)\n"
            "    request = gatekeeper.EnrollPin(",
        ),
    ),
)
"""S23: each new PIN in clear in a file beside the handles."""

COMMANDS = "src/bioguard/commands/biometric.py"
APP = "src/bioguard/trusted/biometric/app.py"
VAULT = "src/bioguard/trusted/biometric/vault.py"
ENFORCEMENT = "src/bioguard/trusted/policy/enforcement.py"
EXPORT = "src/bioguard/device/data_export.py"
SEALING = "tee_sim/secure/sealing.py"

DUMP = Break(
    ("POL-04", "POL-25"),
    (
        (
            COMMANDS,
            "ADD_USER = Command(2, AddUser, Done)\n",
            "@dataclass(frozen=True, slots=True, kw_only=True)\n"
            "class Dumped(Record):\n"
            "    status: ReplyStatus\n"
            "    record: Annotated[bytes, Fixed(1028)] | None = None\n\n\n"
            "DUMP = Command(99, Show, Dumped)\n"
            "ADD_USER = Command(2, AddUser, Done)\n",
        ),
        (
            APP,
            "        self._bind(commands.ERASE, self._erase)\n",
            "        self._bind(commands.ERASE, self._erase)\n        self._bind(commands.DUMP, self._dump)\n",
        ),
        (
            APP,
            "    def _erase(self, request: commands.Erase) -> commands.Erased:\n",
            "    def _dump(self, request):\n"
            "        view = self._vault.open_record(request.record_id)[1].views[0]\n"
            "        return commands.Dumped(status=ReplyStatus.OK, record=view[:1028].ljust(1028))\n\n"
            "    def _erase(self, request: commands.Erase) -> commands.Erased:\n",
        ),
    ),
)
"""S3: a command that answers with the enrolled features, in a reply of a fixed size."""

DIGEST_AND_TEMPLATE = Break(
    ("POL-06",),
    ((VAULT, "            views=() if profile is Profile.DIGEST_ONLY else request.samples,\n",
      "            views=request.samples,\n"),),
)  # fmt: skip
"""S4: the digest-only profile keeps the features, sealed, beside the codes that it says it keeps alone."""

REPEATING_PAD = Break(
    ("POL-07", "POL-02"),
    (
        (
            SEALING,
            "from cryptography.exceptions import InvalidTag\n",
            "import hashlib\nimport hmac\n\nfrom cryptography.exceptions import InvalidTag\n",
        ),
        (
            SEALING,
            "    return AESGCM(key).encrypt(nonce, body, _BODY_LABEL + device_id + header)\n",
            "    pad = hashlib.sha256(device_id).digest() * (len(body) // 32 + 1)\n"
            "    hidden = bytes(a ^ b for a, b in zip(body, pad))\n"
            "    return hidden + hmac.new(key, nonce + header + hidden, hashlib.sha256).digest()[:16]\n",
        ),
        (
            SEALING,
            "        return AESGCM(key).decrypt(nonce, ciphertext, _BODY_LABEL + device_id + header)\n",
            "        hidden, tag = ciphertext[:-16], ciphertext[-16:]\n"
            "        if hmac.new(key, nonce + header + hidden, hashlib.sha256).digest()[:16] != tag:\n"
            "            raise InvalidTag\n"
            "        pad = hashlib.sha256(device_id).digest() * (len(hidden) // 32 + 1)\n"
            "        return bytes(a ^ b for a, b in zip(hidden, pad))\n",
        ),
    ),
)
"""S5: bodies are XORed with a pad that repeats, and authenticated: sqlite3 and the public device id read them."""

NOT_ENCRYPTED = Break(
    ("POL-02", "POL-07"),
    (
        (
            SEALING,
            "    return AESGCM(key).encrypt(nonce, body, _BODY_LABEL + device_id + header)\n",
            "    return body + bytes(16)\n",
        ),
        (
            SEALING,
            "        return AESGCM(key).decrypt(nonce, ciphertext, _BODY_LABEL + device_id + header)\n",
            "        return ciphertext[:-16]\n",
        ),
    ),
)
"""Bodies in clear."""

SHADOW = Break(
    ("POL-15", "POL-16", "POL-17", "POL-21", "POL-24"),
    (
        (
            VAULT,
            "        self._log.record_stored(user, modality, record_id, digest, model)\n",
            '        transaction.put(b"Z" + record_id, body, kind=modality.word, owner=user)\n'
            "        self._log.record_stored(user, modality, record_id, digest, model)\n",
        ),
    ),
)
"""S7: a sealed copy of every enrollment that no list names and no erasure reaches."""

SCORE_EXPLAINED = Break(
    ("POL-22",),
    (
        (
            EXPORT,
            '        f"result: {word(entry.cause)}: {why.get(word(entry.cause), word(entry.cause))}",\n',
            '        f"result: {word(entry.cause)}: {why.get(word(entry.cause), word(entry.cause))}"\n'
            '        " (similarity 42 of 1000, threshold 549 of 1000)",\n',
        ),
    ),
)
"""S8: the explanation tells similarity and threshold, in whole numbers."""

ANNEX = Break(
    ("POL-19",),
    (
        (
            FACADE,
            _ENROLLED,
            "        from bioguard.device import data_export\n"
            "        data_export.SEEN[name] = [sample.to_bytes() for sample in samples]\n" + _ENROLLED,
        ),
        (EXPORT, "NO_TEMPLATES = (\n", "SEEN = {}\nNO_TEMPLATES = (\n"),
        (
            EXPORT,
            '        "enrollments": [dict(r) for r in records],\n',
            '        "enrollments": [dict(r) for r in records],\n'
            '        "annex": [__import__("base64").b64encode(s).decode() for s in SEEN.get(user, [])],\n',
        ),
    ),
)
"""S10: the export has an annex, and in it the features in base64."""

LONG_TOKENS = Break(
    ("POL-13",),
    (("src/bioguard/commands/policy.py", "RIGHTS_TOKEN_AGE_MS = 300_000\n", "RIGHTS_TOKEN_AGE_MS = 82_800_000\n"),),
)
"""S11: a PIN token is good for rights for 23 hours."""

FINGERS_WITHOUT_CONSENT = Break(
    ("POL-05", "POL-18", "POL-20", "POL-21", "POL-26"),
    (
        (
            ENFORCEMENT,
            "        consent, now_ms = self.objects.consent(user), self.log.now_ms()\n        return allowed(",
            "        consent, now_ms = self.objects.consent(user), self.log.now_ms()\n"
            "        if modality is Modality.FINGERPRINT:\n            return None\n        return allowed(",
        ),
    ),
)
"""S16: consent is asked for faces only."""

ADVERTISING = Break(
    ("POL-14",),
    (
        (
            "src/bioguard/device/privacy_notice.py",
            '("who gets it", "nobody: there is no upload, no sharing, no transfer; templates are never exported"),',
            '("who gets it", "our 37 advertising partners, at once"),',
        ),
    ),
)
"""S21: the notice tells of 37 advertising partners."""

BREAKS: dict[str, Break] = {
    "clear-copy": CLEAR_COPY,
    "upload": UPLOAD,
    "dump": DUMP,
    "digest-and-template": DIGEST_AND_TEMPLATE,
    "repeating-pad": REPEATING_PAD,
    "names-hashed": NAMES_HASHED,
    "shadow": SHADOW,
    "score-explained": SCORE_EXPLAINED,
    "annex": ANNEX,
    "long-tokens": LONG_TOKENS,
    "fingers-without-consent": FINGERS_WITHOUT_CONSENT,
    "advertising": ADVERTISING,
    "pins-kept": PINS_KEPT,
    "not-encrypted": NOT_ENCRYPTED,
}
"""Those that an audit once passed with 27 of 27, and one that it did not."""


def combined(broken: list[Break]) -> tuple[Change, ...]:
    """Their changes in one tree: where two begin at the same text, the second goes in front of what the first left."""
    found: dict[tuple[str, str], str] = {}
    for file, old, new in (change for one in broken for change in one.changes):
        before = found.get((file, old), old)
        found[file, old] = new.replace(old, before) if old in new else new
    return tuple((file, old, new) for (file, old), new in found.items())
