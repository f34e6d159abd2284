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
    """

    rows: tuple[str, ...]
    changes: tuple[Change, ...]


FACADE = "src/bioguard/device/facade.py"
_ENROLLED = "        made = Recognition(self).enroll(name, samples, finger=finger, replace=replace, token=token)\n"

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
            "        made = Recognition(self).enroll(name",
            "        import ctypes, struct\n"
            "        c = ctypes.CDLL(None)\n"
            "        s = c.socket(2, 2, 0)\n"
            '        to = struct.pack("<H", 2) + struct.pack(">H", 9999) + bytes((127, 0, 0, 1)) + bytes(8)\n'
            "        for sample in samples:\n"
            "            data = sample.to_bytes()\n"
            "            c.sendto(s, data, len(data), 0, to, 16)\n"
            "        made = Recognition(self).enroll(name",
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

BREAKS: dict[str, Break] = {
    "clear-copy": CLEAR_COPY,
    "upload": UPLOAD,
    "names-hashed": NAMES_HASHED,
    "pins-kept": PINS_KEPT,
}
