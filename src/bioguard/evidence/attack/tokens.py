"""Attacks on tokens: made without a match, changed, swapped, replayed, and read out of the application."""

from collections.abc import Callable

from bioguard.commands import biometric, gatekeeper, keystore, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.gatekeeper import GATEKEEPER_UUID
from bioguard.commands.keystore import KEYSTORE_UUID
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.kit import FACE, Attack, Kit, flipped
from tee_sim.shared.codec import encode
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.params import Param

HEIST = "The Biometric AuthToken Heist (DARKNAVY, 2026)"
CONTRACT = "hw_auth_token_t, ISession.aidl, KeyMint tags"
BODY_BYTES = 37
MAC_BYTES = 32
COMMAND_NUMBERS = range(256)


def _known(module: object) -> set[int]:
    return {c.number for c in vars(module).values() if type(c).__name__ == "Command"}


_KNOWN = {
    BIOMETRIC_UUID: _known(biometric) | _known(sensor) | _known(policy),
    GATEKEEPER_UUID: _known(gatekeeper),
    KEYSTORE_UUID: _known(keystore),
}


def _windows(data: bytes) -> set[bytes]:
    """Every stretch of 69 bytes that could be a token."""
    size = BODY_BYTES + MAC_BYTES
    return {data[i : i + size] for i in range(len(data) - size + 1) if data[i] == 0}


def signing_oracle(kit: Kit) -> str | None:
    """Send a made-up token body to every command that is not in the contract."""
    body = bytes([0]) + b"\x11" * 24 + bytes([0, 0, 0, 2]) + bytes(8)
    requests = (body + bytes(MAC_BYTES), body, encode([body + bytes(MAC_BYTES)]), encode([body]))
    for manifest in kit.target.manifests:
        for number in sorted(set(COMMAND_NUMBERS) - _KNOWN.get(manifest.ta_uuid, set())):
            for request in requests:
                _, out = kit.target.raw(manifest.ta_uuid, number, request)
                if any(kit.target.is_genuine(w) for w in _windows(out)):
                    return f"command {number} of {manifest.name} signs a token that the caller made up"
    return None


def token_without_match(kit: Kit) -> str | None:
    """Present an impostor, and a user who never enrolled, and look for a token."""
    victim, stranger = kit.person(enrolled=True), kit.person()
    for person in (victim, stranger):
        answer = kit.authenticate(person, kit.sample(kit.direction()), 7)
        if answer.token is not None or answer.match:
            return "a token, or a match, without a matching sample"
    return None


def biometric_token_for_the_pin(kit: Kit) -> str | None:
    """Use a token of a face where a PIN is required."""
    victim = kit.person(enrolled=True)
    key = kit.key(victim.secure_user_id, types=1)
    return "a key for PIN tokens takes a biometric token" if kit.uses(key, kit.match_token(victim)) else None


def pin_token_for_the_biometric(kit: Kit) -> str | None:
    """Use a PIN token where a biometric is required."""
    victim = kit.person(enrolled=True)
    key = kit.key(victim.secure_user_id, types=2)
    return "a key for biometric tokens takes a PIN token" if kit.uses(key, kit.pin_token(victim)) else None


def key_in_logs(kit: Kit) -> str | None:
    """Make every MAC check fail and read what is printed and logged."""
    victim = kit.person(enrolled=True)
    challenge = kit.challenge(victim)
    bad = flipped(kit.pin_token(victim, challenge), 300)
    kit.enroll(victim, bad)
    kit.reset_lockout(victim, bad)
    kit.uses(kit.key(victim.secure_user_id), bad)
    kit.target.call(KEYSTORE_UUID, keystore.CHECK_TOKEN, keystore.CheckToken(token=bad))
    where = kit.target.leaked_key()
    return f"the token key is in {where}" if where else None


def length_confusion(kit: Kit) -> str | None:
    """Send lengths and offsets beyond every buffer to all commands, in every kind of parameter."""
    victim = kit.person(enrolled=True)
    kit.match_token(victim)
    lengths = (64, 4096, 0x7FFF_FFFF, 0xFFFF_FFFF)
    for manifest in kit.target.manifests:
        for number in COMMAND_NUMBERS:
            for length in lengths:
                kit.target.raw(manifest.ta_uuid, number, encode([0, length]))
                four = (Param.value(0, length), Param.output(65_536), Param.none(), Param.none())
                kit.target.invoke(manifest.ta_uuid, number, four)
                four = (Param.memref(b"x"), Param.output(65_536), Param.value(0, length), Param.none())
                kit.target.invoke(manifest.ta_uuid, number, four)
            where = kit.target.leaked_key()
            if where:
                return f"command {number} of {manifest.name} leaks the token key into {where}"
    return None


def malformed_messages(kit: Kit) -> str | None:
    """Garbage, trailing bytes, deep nesting and wrong types: an application must refuse, not die."""
    garbage = (b"", b"\xff" * 40, encode([b"x"] * 20), b"\x81" * 200, encode([0]) + b"\0", encode({}))
    for manifest in kit.target.manifests:
        for number in sorted(_KNOWN.get(manifest.ta_uuid, set())):
            for request in garbage:
                result, _ = kit.target.raw(manifest.ta_uuid, number, request)
                if result in (TeeResult.TARGET_DEAD, TeeResult.SUCCESS):
                    return f"command {number} of {manifest.name} answers garbage with {result.name}"
    return None


def _good_token(kit: Kit, consumer: str) -> tuple[bytes, Callable[[bytes], bool]]:
    victim = kit.person(enrolled=consumer != "enrollment")
    token = kit.pin_token(victim, kit.challenge(victim, FACE))
    key = kit.key(victim.secure_user_id)
    uses: dict[str, Callable[[bytes], bool]] = {
        "keystore": lambda t: kit.uses(key, t),
        "enrollment": lambda t: kit.enroll(victim, t) is not ReplyStatus.TOKEN_REFUSED,
        "lockout": lambda t: kit.reset_lockout(victim, t),
    }
    return token, uses[consumer]


def _changed(consumer: str, changes: Callable[[bytes], list[bytes]], what: str) -> Callable[[Kit], str | None]:
    def play(kit: Kit) -> str | None:
        token, accepts = _good_token(kit, consumer)
        taken = sum(accepts(t) for t in changes(token))
        return f"{consumer} takes {taken} tokens that are {what}" if taken else None

    return play


def _flips(token: bytes) -> list[bytes]:
    return [flipped(token, bit) for bit in range(8 * len(token))]


def _misshapen(token: bytes) -> list[bytes]:
    return [token[:-1], token + b"\0", token[:BODY_BYTES], token[1:], b"\1" + token[1:], token * 2, token[:1]]


def _unsigned(token: bytes) -> list[bytes]:
    return [token[:BODY_BYTES] + bytes(MAC_BYTES), token[:BODY_BYTES] + b"\xff" * MAC_BYTES, bytes(69)]


def replay_after_reboot(kit: Kit) -> str | None:
    """Keep a token over a reboot."""
    victim = kit.person(enrolled=True)
    key = kit.key(victim.secure_user_id, timeout_s=1_000_000)
    tokens = [kit.match_token(victim), kit.pin_token(victim)]
    for token in tokens:
        kit.uses(key, token)
    kit.target.reboot()
    kit.target.clock.advance(1_000)
    return "a token of an earlier boot releases a key" if any(kit.uses(key, t) for t in tokens) else None


ATTACKS = (
    Attack("token.oracle", "make a command sign a token the caller made up", f"{HEIST}, path 1", signing_oracle),
    Attack("token.no-match", "get a token without a match", f"{HEIST}, path 2", token_without_match),
    Attack(
        "token.type-for-pin", "use a biometric token as a PIN token", f"{HEIST}, path 2", biometric_token_for_the_pin
    ),
    Attack("token.key-in-logs", "read the token key in the logs of a failed check", f"{HEIST}, path 3", key_in_logs),
    Attack("token.length", "read memory with lengths beyond a buffer", f"{HEIST}, path 4", length_confusion),
    Attack("token.type-for-biometric", "use a PIN token as a biometric one", CONTRACT, pin_token_for_the_biometric),
    Attack("token.replay-boot", "replay a token of an earlier boot", CONTRACT, replay_after_reboot),
    Attack(
        "channel.malformed", "crash an application with malformed messages", "tee_sim wire contract", malformed_messages
    ),
    *(
        Attack(
            f"token.{name}-{consumer}",
            f"give {consumer} tokens that are {what}",
            CONTRACT,
            _changed(consumer, make, what),
        )
        for consumer in ("keystore", "enrollment", "lockout")
        for name, make, what in (
            ("bit-flip", _flips, "changed in one bit"),
            ("truncated", _misshapen, "of the wrong size or version"),
            ("unsigned", _unsigned, "not signed"),
        )
    ),
)
