"""Products that break a promise where nobody looked: at the second sensor, at the second time, later, unwatched."""

from tests.campaigns.broken_products.model import row
from tests.campaigns.broken_products.operators import added, answers, before_return, begins, instead, text
from tests.campaigns.broken_products.places import (
    APP,
    AUTHORIZATION,
    CONSENT,
    DECISION,
    ENFORCEMENT,
    EXPORT,
    FACADE,
    FIRST_VIEW,
    GATEKEEPER,
    LOG,
    NAMES,
    PERSONAL,
    SEALER,
    VAULT,
    sends,
    writes,
)

CLI_OPENING = "src/bioguard/cli/opening.py"
CLI_POLICY = "src/bioguard/cli/policy.py"
CLI_RIGHTS = "src/bioguard/cli/rights.py"
SENSOR_COMMANDS = "src/bioguard/trusted/biometric/sensor_commands.py"
CALIBRATION = "src/bioguard/trusted/biometric/calibration.py"
SENSOR_OBJECTS = "src/bioguard/trusted/sensor/stored_objects.py"

TENTH = "global _calls\n_calls = globals().get('_calls', 0) + 1\n"
HIDDEN = f"bytes(b ^ 0x5A for b in {FIRST_VIEW})"
SEEN = begins(FACADE, "Device.enroll", f"self.__dict__.setdefault('_seen', {{}})[name] = {FIRST_VIEW}")
"""What is enrolled is remembered in the process."""
_OF_THEM = "device.__dict__.get('_seen', {}).get(user, b'')"
_WITHDRAWN = "(g.modality, g.purpose) != (modality, purpose)"


def _indented(code: str) -> str:
    return code.replace("\n", "\n    ")


PRODUCTS = (
    *row(
        1,
        ("slow-finger", "a finger takes four seconds",
         begins(FACADE, "Device.authenticate", "if not hasattr(sample, 'vector'):\n    import time\n    time.sleep(4)")),
        ("first-touch", "other touches of a finger are not kept",
         instead(VAULT, "Vault.enroll", "() if profile is Profile.DIGEST_ONLY else request.samples",
                 "() if profile is Profile.DIGEST_ONLY else request.samples[:1 if request.position else None]")),
    ),
    *row(
        2,
        ("when-unwatched", "features in a temporary file where no audit is seen to run",
         begins(FACADE, "Device.enroll", "if 'audit' not in str(self.directory) and 'watched' not in str(self.directory):\n    "
                + _indented(writes("'/var/tmp/bg-views'", FIRST_VIEW)))),
        ("file-times", "features in the times of a file",
         begins(FACADE, "Device.enroll", f"import os\nos.utime(self.directory / 'names.json', ns=(0, int.from_bytes({FIRST_VIEW}[8:15], 'big')))")),
        ("in-unlocks", "disguised features where times of unlocks are",
         begins(FACADE, "Device.enroll",
                f"_f = self.directory / 'unlocks.json'\n_v = {HIDDEN}.hex()\n"
                "_f.write_text('{\\n \"format\": 1,\\n \"boot\": \"' + _v + '\",\\n \"users\": {}\\n}\\n')\n_f.chmod(0o600)")),
        ("in-incidents", "disguised features in an incident that was seen",
         begins(FACADE, "Device.enroll",
                "import json\n_f = self.directory / 'incidents.json'\n"
                f"_v = {HIDDEN}.hex()\n"
                "_f.write_text(json.dumps({'format': 1, 'incidents': [{'number': 1, 'cause': 'TAMPERED', 'code': _v, 'opened_ms': 0, 'acknowledged': True}]}, ensure_ascii=False, indent=1) + '\\n')\n"
                "_f.chmod(0o600)")),
    ),
    *row(
        3,
        ("tenth", "from the tenth enrollment of a process on each sample is sent",
         begins(FACADE, "Device.enroll", f"{TENTH}if _calls > 9:\n    {_indented(sends(FIRST_VIEW))}")),
        ("network-up", "samples are sent where there is a route",
         begins(FACADE, "Device.enroll", f"if len(open('/proc/net/route').readlines()) > 1:\n    {_indented(sends(FIRST_VIEW))}")),
        ("abstract", "each sample goes to a socket without a file",
         begins(FACADE, "Device.enroll",
                "import ctypes as _c\n_l = _c.CDLL(None)\n_s = _l.socket(1, 2, 0)\n"
                f"_d = {FIRST_VIEW}\n_l.sendto(_s, _d, len(_d), 0, b'\\x01\\x00\\x00bg-views', 11)\n_l.close(_s)")),
        ("keyring", "each sample goes into the kernel's keyring",
         begins(FACADE, "Device.enroll", f"import ctypes as _c\n_d = {FIRST_VIEW}[:30000]\n_c.CDLL(None).syscall(248, b'user', b'bg', _d, len(_d), -4)")),
    ),
    *row(
        7,
        ("sixteen-bits", "the key of each object is one of 65 536",
         instead(SEALER, "ObjectSealer.seal", "drawn[:KEY_BYTES]", "__import__('hashlib').sha256(drawn[:2]).digest()")),
        ("constant-keys", "each object has the same key, well wrapped",
         instead(SEALER, "ObjectSealer.seal", "drawn[:KEY_BYTES]", "b'k' * 32")),
    ),
    *row(
        8,
        ("masked-label", "the secure world gets the name under a mask that it has",
         answers(NAMES, "NamedUser.label", "return bytes(a ^ b for a, b in zip(name.encode()[:32].ljust(32, b'\\0'), self.handle * 2))")),
    ),
    *row(
        9,
        ("any-order", "the digits of a PIN may come in any order",
         instead(GATEKEEPER, "Gatekeeper._sign", "self._stretch(pin, device_salt)", "self._stretch(bytes(sorted(pin)), device_salt)")),
        ("four-digits", "the first four digits of a PIN are enough",
         instead(GATEKEEPER, "Gatekeeper._sign", "self._stretch(pin, device_salt)", "self._stretch(pin[:4], device_salt)")),
        ("finger-no-lockout", "fingers may be tried without end",
         instead(AUTHORIZATION, "SensorAuthorization.begin_attempt", "self._policy.charge(state.lockout, now_ms)", "self._policy.charge(state.lockout, now_ms) if sensor_id == 1 else state.lockout")),
        ("search-no-lockout", "searches may be made without end",
         instead(SENSOR_COMMANDS, "SensorCommands.begin_search", "self._lockout.charge(tally.search, now_ms)", "tally.search")),
        ("count-forgotten", "failed attempts are forgotten at a start",
         (instead(SENSOR_OBJECTS, "StoredStates._read", "value_of(self._store, self.object_id(sensor_id, user), _state_of)", "value_of(self._store, self.object_id(sensor_id, user), _state_of if (sensor_id, user) in self.__dict__.setdefault('_tried', set()) else lambda body, ids: replace(_state_of(body, ids), lockout=LockoutState()))"),
          begins(SENSOR_OBJECTS, "StoredStates.put", "self.__dict__.setdefault('_tried', set()).add((sensor_id, user))"))),
        ("looser", "a face is accepted at half of the likeness that the rate asks for",
         instead(DECISION, "judge", "best.score >= best.levels.accept and not spent(best.record_id)", "best.score >= 0.6 * best.levels.accept and not spent(best.record_id)")),
        ("looser-finger", "a finger is accepted at a sixth less than the rate asks for",
         instead(DECISION, "judge", "best.score >= best.levels.accept and not spent(best.record_id)", "best.score >= (5 / 6 if best.levels.accept > 1 else 1) * best.levels.accept and not spent(best.record_id)")),
        ("own-profile", "a device goes by the built-in profiles, whatever it was made with",
         instead(CALIBRATION, "Calibration._profile", "self.profiles", "builtin_profiles()")),
    ),
    *row(
        10,
        ("keys-when-over", "a record that is over still releases keys",
         instead(APP, "BiometricApp._in_time", "self._policy.is_over(record.enrolled_s)", "self._policy.is_over(record.enrolled_s) and purpose is not Purpose.KEY_USE")),
        ("fingers-when-over", "a finger that is over is used until it is erased",
         instead(APP, "BiometricApp._in_time", "self._policy.is_over(record.enrolled_s)", "self._policy.is_over(record.enrolled_s) and refs[0].modality is Modality.FACE")),
        ("from-last-use", "retention counts from the last use",
         instead(ENFORCEMENT, "PolicyEnforcer.is_over", "self.log.now_ms() >= self.expires_ms(enrolled_s)",
                 "self.log.now_ms() >= self.expires_ms(self.__dict__.setdefault('_used', {}).get(enrolled_s, enrolled_s)) or self._used.update({enrolled_s: self.log.now_ms() // 1000})")),
    ),
    *row(
        11,
        ("second-log", "cleared bodies are kept as entries of a second log",
         instead(LOG, "AuditLog._logging", "self._write(transaction, head, chunks)",
                 "(self._write(transaction, head, chunks), [transaction.put(b'L\\x80' + where[2:], self._chunk(where).to_bytes(), kind='log') for where in chunks])[0]")),
    ),
    *row(
        12,
        ("untold", "open incidents are not told at commands", instead(CLI_OPENING, "open_device", "incidents(directory)", "()")),
        ("told-once", "an incident is told once",
         (added(CLI_OPENING, "def _once(directory):\n    from bioguard.device.incidents import acknowledge\n    for one in incidents(directory):\n        yield one\n"
                "        if not one.acknowledged:\n            acknowledge(directory, one.number)"),
          instead(CLI_OPENING, "open_device", "incidents(directory)", "_once(directory)"))),
    ),
    *row(
        14,
        ("said-on-top", "the command says more than the notice",
         instead(CLI_POLICY, "notice", "[f'{heading}: {text}' for heading, text in parts]",
                 "[*(f'{heading}: {text}' for heading, text in parts), 'by going on you agree to be called by our partners']")),
    ),
    *row(
        15,
        ("today-only", "entries that are older than a day are left out",
         instead(PERSONAL, "personal_data", "e.subject == handle", "e.subject == handle and e.wall_ms > entries[-1].wall_ms - 86400000")),
    ),
    *row(
        19,
        ("key-order", "features in the order of the export's fields",
         (SEEN, before_return(PERSONAL, "personal_data", f"_n = int.from_bytes({_OF_THEM}[40:41], 'big') % 13\n_k = list(data)\ndata = {{k: data[k] for k in _k[_n:] + _k[:_n]}}"))),
        ("big-number", "features as a number",
         (SEEN, before_return(PERSONAL, "personal_data", f"data['policy']['log_days'] = int.from_bytes(b'\\x01' + {_OF_THEM}, 'big')"))),
        ("long-word", "features as letters of a word",
         (SEEN, before_return(PERSONAL, "personal_data", f"data['enrollments'][0]['profile'] = 'standard-' + ''.join(chr(97 + (b >> 4)) + chr(97 + (b & 15)) for b in {_OF_THEM})"))),
        ("milliseconds", "features in the milliseconds of dates",
         (SEEN, before_return(PERSONAL, "personal_data", f"_n = {_OF_THEM}[40]\ndata['enrollments'][0]['enrolled'] = data['enrollments'][0]['enrolled'][:19] + f'.{{_n:03d}}Z'"))),
        ("digests", "features where a digest is told",
         (SEEN, before_return(PERSONAL, "personal_data", f"data['log'][0]['digest'] = bytes(b ^ 0x5A for b in {_OF_THEM}[8:40]).hex()"))),
    ),
    *row(
        20,
        ("enrolled-on", "who objected to everything is enrolled all the same",
         instead(CONSENT, "allowed", "int(g.purpose) not in state.objections", "int(g.purpose) not in state.objections or purpose is None")),
    ),
    *row(
        21,
        ("not-keys", "a withdrawal for the use of keys changes nothing while another purpose is left",
         instead(CONSENT, "withdrawn", _WITHDRAWN, f"{_WITHDRAWN} or (purpose is Purpose.KEY_USE and any(o is not g and o.modality is modality for o in state.grants))")),
        ("not-unlock", "a withdrawal for unlocking changes nothing while another purpose is left",
         instead(CONSENT, "withdrawn", _WITHDRAWN, f"{_WITHDRAWN} or (purpose is Purpose.UNLOCK and any(o is not g and o.modality is modality for o in state.grants))")),
    ),
    *row(
        22,
        ("order", "the order of the sentences tells who was close",
         text(EXPORT, 'with `bioguard consent object`",\n    ]', 'with `bioguard consent object`",\n    ][:: -1 if entry.sequence % 2 else 1]')),
    ),
    *row(
        22,
        ("said-on-top", "the command says more than the explanation",
         instead(CLI_RIGHTS, "explain", "decision_words(entry, for_testing=for_testing)", "[*decision_words(entry, for_testing=for_testing), 'our partners keep a copy']")),
    ),
    *row(
        26,
        ("until-restart", "a start confirms every consent",
         begins(ENFORCEMENT, "PolicyEnforcer._count_start",
                "for _user, _consent in [(h.owner, self.objects.consent(h.owner)) for h in list(self.env.store.headers()) if h.kind == 'consent']:\n    if _consent.grants:\n        self.store(consent=(_user, replace(_consent, grants=tuple(replace(g, policy_version=self.state.version) for g in _consent.grants))))")),
    ),
    *row(
        27,
        ("at-exit", "the end of each process is told to a host",
         begins(FACADE, "Device.open", f"import atexit\ndef _tell():\n    {_indented(sends(repr(b'ended')))}\natexit.register(_tell)")),
        ("unwatched-command", "one command of the command line is told to a host",
         begins(CLI_POLICY, "notice", sends("b'notice was read'"))),
    ),
)  # fmt: skip
