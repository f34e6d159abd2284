"""Products that break POL-01 to POL-04, POL-06, POL-07 and POL-08: what is kept, where, and in which form."""

from tests.campaigns.broken_products.model import row
from tests.campaigns.broken_products.operators import (
    added,
    answers,
    before_return,
    begins,
    instead,
    text,
    without,
)
from tests.campaigns.broken_products.places import (
    APP,
    COMMANDS,
    CONFIGURATION,
    DECISION,
    DIGESTS,
    ENGINE,
    FACADE,
    FIRST_VIEW,
    HANDLERS,
    KEYS,
    NAMES,
    PERSONAL,
    PINS,
    RECOGNITION,
    REGISTRY,
    SEALER,
    SEALING,
    SEALING_DEVICE,
    SUPPLICANT,
    SYSCALLS,
    VAULT,
    sends,
    writes,
)

VIEWS = row(
    1,
    ("one-view", "only the first view of an enrollment is sent", begins(RECOGNITION, "Recognition.enroll", "samples = samples[:1]")),
    ("two-views", "two views are enough, whatever is shown", begins(RECOGNITION, "Recognition.enroll", "samples = samples[:2]")),
    ("first-view-kept", "the secure world keeps one view of all",
     instead(VAULT, "Vault.enroll", "() if profile is Profile.DIGEST_ONLY else request.samples", "() if profile is Profile.DIGEST_ONLY else request.samples[:1]")),
    ("first-view-compared", "other views are kept and never compared",
     instead(DECISION, "sightings", "max(record_scores(probe, record, encoder))", "record_scores(probe, record, encoder)[0]")),
    ("half-of-all", "every second unlock of the right person is refused",
     begins(DECISION, "judge", "global _calls\n_calls = globals().get('_calls', 0) + 1\nif _calls % 2:\n    return NOTHING")),
    ("slow", "an unlock takes four seconds", begins(FACADE, "Device.authenticate", "import time\ntime.sleep(4)")),
    ("no-fingers", "fingerprints cannot be enrolled",
     begins(APP, "BiometricApp._enroll", "if self._vault.sensor(request.sensor).kind is Modality.FINGERPRINT:\n    raise Refused(ReplyStatus.BAD_REQUEST)")),
)  # fmt: skip

LOCAL = row(
    2,
    ("side-file", "features in clear beside the store",
     begins(FACADE, "Device.enroll", writes("self.directory / 'names.json.cache'", FIRST_VIEW))),
    ("known-name", "features in clear in a file with a known name and ending",
     begins(FACADE, "Device.enroll", writes("self.directory / 'storage.db-old'", FIRST_VIEW))),
    ("temporary-file", "features in clear in the temporary directory",
     begins(FACADE, "Device.enroll", "import os, tempfile\n" + writes("os.path.join(tempfile.gettempdir(), 'bg-thumbs')", FIRST_VIEW))),
    ("home", "features in clear in the home directory",
     begins(FACADE, "Device.enroll", "import os\n" + writes("os.path.expanduser('~/.bg-thumbs')", FIRST_VIEW))),
    ("shared-memory", "features in clear in shared memory", begins(FACADE, "Device.authenticate", writes("'/dev/shm/bg-probe'", "sample.to_bytes()"))),
    ("attribute", "features in an extended attribute of a file",
     begins(FACADE, "Device.enroll", f"import os\nos.setxattr(self.directory / 'names.json', 'user.view', {FIRST_VIEW})")),
    ("standard-error", "features in hexadecimal on standard error",
     begins(FACADE, "Device.enroll", f"import sys\nsys.stderr.write({FIRST_VIEW}.hex())")),
    ("other-name", "features in a file that is named like the incidents",
     begins(FACADE, "Device.enroll", "import json\n_p = self.directory / 'incidents.json.view'\n_p.write_text(json.dumps([s.to_bytes().hex() for s in samples]))")),
    ("packed", "compressed features beside the store",
     begins(FACADE, "Device.enroll", "import zlib\n" + writes("self.directory / 'password-handles.bin'", f"zlib.compress({FIRST_VIEW})"))),
    ("copy-of-the-store", "a copy of the store at each end",
     begins(FACADE, "Device.close", "import shutil\nshutil.copyfile(self.directory / 'storage.db', self.directory / 'storage.db-bak')")),
    ("pin-in-clear", "PINs in clear beside the password handles",
     begins(PINS, "verify_pin", writes("device.directory / 'pins.json.last'", "pin"))),
)  # fmt: skip

SOCKET_NUMBERS = text(
    SYSCALLS,
    '            "read": 0,\n',
    '            "socket": 41,\n            "connect": 42,\n            "sendto": 44,\n            "read": 0,\n',
)
NEVER_UPLOADED = row(
    3,
    ("datagram", "each enrolled sample is sent to a host", begins(FACADE, "Device.enroll", sends(FIRST_VIEW))),
    ("probe", "each probe of an unlock is sent to a host", begins(FACADE, "Device.authenticate", sends("sample.to_bytes()"))),
    ("search-probe", "each probe of a search is sent to a host", begins(FACADE, "Device.identify", sends("sample.to_bytes()"))),
    ("child", "another program sends each sample",
     begins(FACADE, "Device.enroll", f"import subprocess\nsubprocess.run(['bash', '-c', 'cat > /dev/udp/127.0.0.1/9'], input={FIRST_VIEW}, check=False)")),
    ("rows", "each row of the store is sent to a host as it is written",
     begins(SUPPLICANT, "SqliteBlobs.commit", sends("b''.join(changes.puts.values())[:60000]"))),
    ("name-lookup", "a name is looked up for each user that is added",
     begins(FACADE, "Device.add_user", "import ctypes as _c\n_c.CDLL(None).gethostbyname(name.encode() + b'.example')")),
    ("no-filter", "the secure world runs without its filter", without(ENGINE, "_seccomp", "filters.load(program)")),
    ("permissive", "the filter refuses and does not kill",
     begins(ENGINE, "engage", "from dataclasses import replace as _r\nplan = _r(plan, profile='permissive-debug')")),
    ("any-write", "the filter lets write to every descriptor",
     text(SYSCALLS, '(Equal(0, request_fd),)), Rule("write", (Equal(0, reply_fd),))', '(Equal(0, request_fd),)), Rule("write")')),
    ("sockets", "the filter lets sockets be made and used",
     (text(SYSCALLS, 'Rule("getrandom")', 'Rule("getrandom"), Rule("socket"), Rule("connect"), Rule("sendto")'), SOCKET_NUMBERS)),
    ("trusted-import", "a trusted application imports what talks to the network",
     begins(APP, "BiometricApp.create", "try:\n    import _socket\nexcept ImportError:\n    _socket = None")),
    ("open-waiter", "the process that waits for the core has no filter",
     without(ENGINE, "_wait_locked", "_Recorder().try_('seccomp'")),
)  # fmt: skip

DUMP = """
@dataclass(frozen=True, slots=True, kw_only=True)
class Dumped(Record):
    status: ReplyStatus
    template: Annotated[bytes, Fixed(1028)] | None = None


DUMP = Command(29, Show, Dumped)
"""
NOT_DISCLOSED = row(
    4,
    ("dump", "a command answers with the enrolled template",
     (added(COMMANDS, DUMP),
      begins(APP, "BiometricApp._bind_all", "self._bind(commands.DUMP, lambda request: commands.Dumped(status=ReplyStatus.OK, template=self._vault.open_record(request.record_id)[1].views[0][:1028].ljust(1028, b'\\0')))"))),
    ("score", "a decision carries the score",
     (text(COMMANDS, "    token: Annotated[bytes, Stated(69, \"auth-token\")] | None = None\n", "    token: Annotated[bytes, Stated(69, \"auth-token\")] | None = None\n    score: Annotated[int, UpTo(1_000_000)] = 0\n"),
      instead(APP, "BiometricApp._authenticate", "commands.Decision(status=ReplyStatus.OK, match=True, record_id=verdict.accepted.record_id, token=token)",
              "commands.Decision(status=ReplyStatus.OK, match=True, record_id=verdict.accepted.record_id, token=token, score=int(max(0.0, verdict.accepted.score) * 1000) % 1000001)"))),
    ("near", "a refusal says whether it was close",
     (text(COMMANDS, "    token: Annotated[bytes, Stated(69, \"auth-token\")] | None = None\n", "    token: Annotated[bytes, Stated(69, \"auth-token\")] | None = None\n    near: bool = False\n"),
      instead(APP, "BiometricApp._authenticate", "commands.Decision(status=ReplyStatus.OK, match=False)", "commands.Decision(status=ReplyStatus.OK, match=False, near=bool(verdict.near))"))),
    ("candidates", "a search answers with everybody who is alike",
     (text(COMMANDS, '    """The one accepted identity, or none. Candidate lists do not leave."""\n\n    status: ReplyStatus\n',
           '    """The accepted identity and others."""\n\n    status: ReplyStatus\n    others: Annotated[tuple[bytes, ...], Items(16, _ID)] = ()\n'),
      instead(APP, "BiometricApp._identify", "commands.Identified(status=ReplyStatus.OK, match=True, user=found.user, record_id=found.record_id)",
              "commands.Identified(status=ReplyStatus.OK, match=True, user=found.user, record_id=found.record_id, others=tuple(verdict.near)[:16])"))),
    ("free-bytes", "an erasure answers with bytes of any length",
     text(COMMANDS, "class Erased(Record):\n    \"\"\"What was erased, by its digest.\"\"\"\n\n    status: ReplyStatus\n",
          "class Erased(Record):\n    \"\"\"What was erased, by its digest.\"\"\"\n\n    status: ReplyStatus\n    note: Annotated[bytes, AtMost(4096)] = b\"\"\n")),
    ("record-id", "a record's id is a piece of the face",
     instead(VAULT, "Vault._store", "self._env.rng.bytes(16)", "(samples[0] + bytes(64))[24:40]")),
    ("digest", "a record's digest is a piece of the face",
     text(APP, "            digest=summary.digest,\n            views=summary.views,\n", "            digest=samples[0].to_bytes()[8:40],\n            views=summary.views,\n")),
    ("threshold", "the configuration carries the threshold",
     text(CONFIGURATION, "    configuration: Configuration | None = None\n", "    configuration: Configuration | None = None\n    threshold: Annotated[int, UpTo(1 << 20)] = 549\n")),
    ("printed", "a template is printed where the secure world may",
     begins(APP, "BiometricApp._authenticate", "import sys\nsys.stderr.write(request.sample.hex())")),
    ("kept-for-others", "samples of everybody are kept in the process and shown with each record",
     (begins(FACADE, "Device.enroll", f"self.__dict__.setdefault('_seen', {{}})[name] = {FIRST_VIEW}"),
      before_return(PERSONAL, "personal_data", "data['sample'] = device.__dict__.get('_seen', {}).get(user, b'').hex()"))),
)  # fmt: skip

TREATED = row(
    6,
    ("template-kept", "the digest-only profile keeps the template",
     instead(VAULT, "Vault.enroll", "() if profile is Profile.DIGEST_ONLY else request.samples", "request.samples")),
    ("profile-ignored", "every device is of the standard profile",
     instead(SEALING_DEVICE, "DeviceSealing.seal", "replace(configuration, comparison=tuple((p.digest for p in calibration.profiles)))",
             "replace(configuration, profile=Profile.STANDARD, comparison=tuple(p.digest for p in calibration.profiles))")),
    ("beside", "the digest-only profile keeps the first view in an object of its own",
     instead(VAULT, "Vault._store", "put_user(transaction, user, replace(state, records=(*others, new)))",
             "(put_user(transaction, user, replace(state, records=(*others, new))), transaction.put(b'V' + record_id, samples[0], kind='view', owner=user))")),
    ("plain-hash", "the digest is a plain hash of the template", answers(DIGESTS, "salted_digest", "return hashlib.sha256(message).digest()")),
    ("one-salt", "every record has the same salt", instead(DIGESTS, "AppDigests.make", "self.salts.bytes(SALT_BYTES)", "bytes(SALT_BYTES)")),
    ("no-pepper", "the digest is keyed with nothing of the device", begins(DIGESTS, "salted_digest", "pepper = bytes(32)")),
    ("unsalted", "salts are drawn and not used", begins(DIGESTS, "salted_digest", "salt = bytes(16)")),
    ("no-features", "the digest says nothing about the features",
     text(VAULT, "modality=modality, position=position, views=samples)\n        salt, digest", "modality=modality, position=position, views=(record_id,))\n        salt, digest")),
    ("first-view", "the digest is of the first view alone",
     text(VAULT, "modality=modality, position=position, views=samples)\n        salt, digest", "modality=modality, position=position, views=samples[:1])\n        salt, digest")),
    ("short-digest", "most of the digest is zero",
     before_return(DIGESTS, "salted_digest", "return hashlib.blake2b(message, digest_size=4, key=pepper, salt=salt, person=person).digest() + bytes(28)")),
)  # fmt: skip

PAD = """import hashlib
import hmac


def _pad(body: bytes) -> bytes:
    pad = hashlib.sha256(b"pad").digest() * (len(body) // 32 + 1)
    return bytes(a ^ b for a, b in zip(body, pad))


def seal_body(key: bytes, nonce: bytes, device_id: bytes, header: bytes, body: bytes) -> bytes:
    sealed = _pad(body)
    return sealed + hmac.digest(key, sealed + nonce + device_id + header, "sha256")[:16]


def open_body(key: bytes, nonce: bytes, device_id: bytes, header: bytes, ciphertext: bytes) -> bytes:
    sealed, tag = ciphertext[:-16], ciphertext[-16:]
    if not hmac.compare_digest(tag, hmac.digest(key, sealed + nonce + device_id + header, "sha256")[:16]):
        raise TeeError(TeeResult.CORRUPT_OBJECT, "sealed object does not open")
    return _pad(sealed)
"""
CTR = "from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes\n"
ENCRYPTED = row(
    7,
    ("pad", "a repeating pad in place of AES-GCM, with a good tag", added(SEALING, PAD)),
    ("clear", "bodies are not encrypted",
     (answers(SEALING, "seal_body", "return body + bytes(16)"), answers(SEALING, "open_body", "return ciphertext[:-16]"))),
    ("no-tag", "bodies are encrypted and never authenticated",
     answers(SEALING, "open_body", CTR + "return Cipher(algorithms.AES(key), modes.CTR(nonce + b'\\0\\0\\0\\2')).decryptor().update(ciphertext[:-16])")),
    ("zero-key", "every body is encrypted under a key of zeros",
     (begins(SEALING, "seal_body", "key = bytes(32)"), begins(SEALING, "open_body", "key = bytes(32)"))),
    ("key-of-the-nonce", "the key of a body is the hash of its nonce, which lies beside it",
     (begins(SEALING, "seal_body", "import hashlib\nkey = hashlib.sha256(nonce).digest()"),
      begins(SEALING, "open_body", "import hashlib\nkey = hashlib.sha256(nonce).digest()"))),
    ("public-wrapper", "object keys are wrapped under a key that anybody can compute",
     answers(KEYS, "KeyLadder.wrap_key", "return hashlib.sha256(ta.bytes_le).digest()")),
    ("no-fuses", "every device has the same root keys",
     begins(KEYS, "KeyLadder.__init__", "huk = bytes(len(huk))\n_one = bytes(16)\ndevice_id = _one")),
    ("fuses-left-out", "the fuses are left out of the key ladder",
     begins(KEYS, "KeyLadder.__init__", "huk = bytes(len(huk))")),
    ("open-names", "a row's name is a hash that anybody can compute",
     answers(SEALER, "ObjectSealer.name", "import hashlib\nreturn object_name(hashlib.sha256(ta.bytes + object_id).digest())")),
    ("no-padding", "a row has the length of what is in it",
     (instead(SEALER, "ObjectSealer.seal", "pad(body)", "body"),
      instead(SEALER, "ObjectSealer.open", "padded_size(entry.body_size)", "entry.body_size"),
      without(SEALER, "ObjectSealer.open", "if pad(body) != padded"))),
    ("anybody", "a claim is held against everybody's records",
     instead(APP, "BiometricApp._authenticate", "self._vault.user(user).of(request.sensor)",
             "[ref for other in self._vault.users() for ref in self._vault.user(other).of(request.sensor)]")),
    ("same-nonce", "all bodies are encrypted under one key and one nonce",
     (begins(SEALING, "seal_body", "key, nonce = b'k' * 32, b'n' * 12"), begins(SEALING, "open_body", "key, nonce = b'k' * 32, b'n' * 12"))),
    ("damage-unseen", "what does not open is read as if nothing had ever been there",
     instead(SEALING, "open_body", "TeeError(TeeResult.CORRUPT_OBJECT, 'sealed object does not open')",
             "TeeError(TeeResult.ITEM_NOT_FOUND, 'no object')")),
)  # fmt: skip

DE_IDENTIFIED = row(
    8,
    ("hash-of-name", "the handle of a user is a hash of the name",
     instead(REGISTRY, "UserRegistry.add", "NamedUser(handle=secrets.token_bytes(16), salt=secrets.token_bytes(16))",
             "NamedUser(handle=__import__('hashlib').md5(name.encode()).digest(), salt=secrets.token_bytes(16))")),
    ("hash-and-no-salt", "handle and label are the same on every device",
     instead(REGISTRY, "UserRegistry.add", "NamedUser(handle=secrets.token_bytes(16), salt=secrets.token_bytes(16))",
             "NamedUser(handle=__import__('hashlib').md5(name.encode()).digest(), salt=bytes(16))")),
    ("no-salt", "a label has no salt",
     instead(REGISTRY, "UserRegistry.add", "NamedUser(handle=secrets.token_bytes(16), salt=secrets.token_bytes(16))",
             "NamedUser(handle=secrets.token_bytes(16), salt=bytes(16))")),
    ("salt-unused", "a label is a hash of the name alone", answers(NAMES, "NamedUser.label", "return sha256(b'label' + name.encode()).digest()")),
    ("name-as-label", "the secure world is told the name", answers(NAMES, "NamedUser.label", "return name.encode().ljust(32, b'\\0')[:32]")),
    ("name-as-handle", "the handle is the name",
     instead(REGISTRY, "UserRegistry.add", "NamedUser(handle=secrets.token_bytes(16), salt=secrets.token_bytes(16))",
             "NamedUser(handle=name.encode().ljust(16, b'_')[:16], salt=secrets.token_bytes(16))")),
    ("counted", "record ids are numbers in a row",
     instead(VAULT, "Vault._store", "self._env.rng.bytes(16)", "len(self.record_ids()).to_bytes(16, 'big')")),
    ("id-of-user", "a record's id begins with its user's",
     instead(VAULT, "Vault._store", "self._env.rng.bytes(16)", "user[:12] + self._env.rng.bytes(4)")),
    ("name-in-log", "the name is in the entry of an erased user",
     instead(HANDLERS, "mark_underage", "policy.log.note(Event.MARKED_UNDERAGE, subject=request.user)",
             "policy.log.note(Event.MARKED_UNDERAGE, subject=policy.vault.user(request.user).label[:16])")),
)  # fmt: skip

PRODUCTS = (*VIEWS, *LOCAL, *NEVER_UPLOADED, *NOT_DISCLOSED, *TREATED, *ENCRYPTED, *DE_IDENTIFIED)
