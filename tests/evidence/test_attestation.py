"""PSA tokens: pycddl validates the claims; twins must fail. python-cwt verifies the signature: test_cwt.py."""

import hashlib
import sys
from dataclasses import replace

import cbor2
import pycddl
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard import __version__
from bioguard.proofs import cose
from bioguard.proofs.device_claims import (
    AttestedHosts,
    AttestedSettings,
    attested_files,
    attested_profiles,
    device_claims,
    settings_words,
)
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.psa_token import NONCE_SIZES, Claims, EatProfile, Lifecycle, SoftwareComponent

KEY = cose.private_key(hashlib.sha512(b"test only").digest())
PUBLIC = cose.public_key_bytes(KEY)
SIGNER_ID = hashlib.sha256(b"nobody").digest()

# Written for this test from the field list of RFC 9783 section 4 (numbers in decimal, for pycddl).
CDDL = """
token = {
  10 => nonce, 256 => bytes .size 33, 265 => "tag:psacertified.org,2023:psa#tfm",
  2394 => int, 2395 => lifecycle, 2396 => bytes .size 32, seed,
  2399 => [+ { 1 => text, 2 => hash, 4 => text, 5 => hash, 6 => text }],
}
nonce = bytes .size 32 / bytes .size 48 / bytes .size 64
hash = bytes .size 32 / bytes .size 48 / bytes .size 64
lifecycle = 0..255 / 4096..4351 / 8192..8447 / 16384..16639 / 20480..20735 / 24576..24831
"""
SCHEMAS = {
    EatProfile.RFC9783: pycddl.Schema(CDDL.replace("seed,", "? 268 => bytes .size (8..32),")),
    EatProfile.TFM: pycddl.Schema(CDDL.replace("seed,", "2397 => bytes .size 32,")),
}


def _claims(nonce: bytes = b"n" * 32, lifecycle: Lifecycle = Lifecycle.RECOVERABLE_PSA_ROT_DEBUG) -> Claims:
    return Claims(
        nonce=nonce,
        instance_id=b"\x01" + hashlib.sha256(PUBLIC).digest(),
        implementation_id=hashlib.sha256(b"simulator").digest(),
        boot_seed=b"b" * 32,
        lifecycle=lifecycle,
        components=(
            SoftwareComponent("PRoT_CONFIG", b"f" * 32, "ENFORCED", SIGNER_ID),
            SoftwareComponent("TS", b"r" * 32, "log size 12", SIGNER_ID),
        ),
    )


def _token(claims: Claims, profile: EatProfile) -> bytes:
    payload = claims.to_payload(profile)
    return cose.assemble(payload, cose.sign(payload, KEY))


@pytest.mark.parametrize("profile", EatProfile)
@pytest.mark.parametrize("size", sorted(NONCE_SIZES))
def test_a_token_passes_the_cddl_and_our_own_verifier(profile: EatProfile, size: int) -> None:
    token = _token(_claims(bytes(size)), profile)
    SCHEMAS[profile].validate_cbor(cose.payload_of(token))
    assert Claims.verify(token, PUBLIC, bytes(size)) == (_claims(bytes(size)), profile)


SETTINGS = [
    AttestedSettings(clock=clock, randomness=randomness, for_testing=for_testing, uncalibrated=models)
    for models in ((), ("face",), ("fingerprint", "face"))
    for clock in ("host", "stepped")
    for randomness in ("system", "SEEDED")
    for for_testing in (False, True)
]


FILES = (("bioguard", b"b" * 32), ("tee_sim", b"t" * 32), ("bioguard/match/_kernels.abi3.so", b"o" * 32))
PROFILES = (("face edgeface-xs-512", b"e" * 32), ("fingerprint minutiae-pooled", b"m" * 32))
HOSTS = AttestedHosts(b"h" * 32, (("biometric", 4), ("keystore", 1)))


def _of_device(
    settings: AttestedSettings, profile: EatProfile = EatProfile.RFC9783, hosts: AttestedHosts = HOSTS
) -> bytes:
    claims = device_claims(
        nonce=b"n" * 32, attestation_key=PUBLIC, boot_seed=bytes(32), verdict="ENFORCED", filter_hash=bytes(32),
        components=[("biometric", bytes(32)), ("keystore", b"k" * 32)], files=FILES, hosts=hosts, settings=settings,
        profiles=PROFILES, log_size=1, log_root=bytes(32),
    )  # fmt: skip
    return _token(claims, profile)


@pytest.mark.parametrize("profile", EatProfile)
@pytest.mark.parametrize("sealed", SETTINGS, ids=AttestedSettings.words)
def test_settings_are_read_back_and_pass_the_cddl(profile: EatProfile, sealed: AttestedSettings) -> None:
    token = _of_device(sealed, profile)
    SCHEMAS[profile].validate_cbor(cose.payload_of(token))
    claims, _ = Claims.verify(token, PUBLIC, b"n" * 32)
    assert AttestedSettings.of(claims) == sealed
    assert settings_words(claims) == sealed.words()
    rates = {False: "sealed", True: "FREE FOR TESTING"}[sealed.for_testing]
    any_model = {0: "", 1: ", UNCALIBRATED face", 2: ", UNCALIBRATED fingerprint and face"}[len(sealed.uncalibrated)]
    assert sealed.words() == f"clock {sealed.clock}, randomness {sealed.randomness}, rates {rates}{any_model}"
    assert attested_profiles(claims) == PROFILES


@pytest.mark.parametrize(
    ("words", "hashed"),
    [
        ("clock host, randomness system, rates any", None),
        ("clock host, randomness system", None),
        ("clock host, randomness system, rates sealed", "clock host, randomness system, rates FREE FOR TESTING"),
    ],
)
def test_other_settings_are_refused(words: str, hashed: str | None) -> None:
    stated = SoftwareComponent("PRoT_SETTINGS", hashlib.sha256((hashed or words).encode()).digest(), words, SIGNER_ID)
    with pytest.raises(ProofInvalid, match="settings"):
        AttestedSettings.of(replace(_claims(), components=(stated,)))


@pytest.mark.parametrize("profile", EatProfile)
def test_measured_files_are_read_back_and_pass_the_cddl(profile: EatProfile) -> None:
    token = _of_device(SETTINGS[0], profile)
    SCHEMAS[profile].validate_cbor(cose.payload_of(token))
    claims, _ = Claims.verify(token, PUBLIC, b"n" * 32)
    assert attested_files(claims) == FILES
    stated = [(c.kind, c.version) for c in claims.components if c.measurement in dict(FILES).values()]
    assert stated == [
        ("App", f"bioguard {__version__}"),
        ("PRoT", f"tee_sim {__version__}"),
        ("ARoT_NATIVE", "bioguard/match/_kernels.abi3.so"),
    ]
    assert attested_files(_claims()) == ()


@pytest.mark.parametrize("profile", EatProfile)
@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        (HOSTS, "processes: core, biometric 4, keystore 1"),
        (AttestedHosts(), "no process of an application stated"),
    ],
)
def test_processes_are_read_back_and_pass_the_cddl(profile: EatProfile, hosts: AttestedHosts, words: str) -> None:
    token = _of_device(SETTINGS[0], profile, hosts)
    SCHEMAS[profile].validate_cbor(cose.payload_of(token))
    claims, _ = Claims.verify(token, PUBLIC, b"n" * 32)
    assert AttestedHosts.of(claims) == hosts
    assert AttestedHosts.of(claims).words() == words


_H, _K = b"h" * 32, b"k" * 32


@pytest.mark.parametrize(
    "stated",
    [
        [("biometric, processes 4", _H)],
        [("biometric, processes 4", _H), ("keystore, processes 1", _K)],
        [("keystore, processes 4", _H), ("biometric, processes 1", _H)],
        [("biometric, processes 4", _H), ("biometric, processes 4", _H), ("keystore, processes 1", _H)],
        [("biometric, processes 4", _H), ("another, processes 1", _H)],
        [("biometric, processes 0", _H), ("keystore, processes 1", _H)],
        [("biometric, processes 04", _H), ("keystore, processes 1", _H)],
        [("biometric, processes 400", _H), ("keystore, processes 1", _H)],
        [("biometric", _H), ("keystore", _H)],
    ],
)
def test_processes_that_are_not_those_of_the_applications_are_refused(stated: list[tuple[str, bytes]]) -> None:
    claims, _ = Claims.from_payload(cose.payload_of(_of_device(SETTINGS[0], hosts=AttestedHosts())))
    more = tuple(SoftwareComponent("PRoT_HOST", digest, words, SIGNER_ID) for words, digest in stated)
    with pytest.raises(ProofInvalid, match="its processes are not those of its applications"):
        AttestedHosts.of(replace(claims, components=(*claims.components, *more)))


def test_settings_are_stated_once() -> None:
    claims, _ = Claims.from_payload(cose.payload_of(_of_device(SETTINGS[0])))
    (stated,) = claims.component("PRoT_SETTINGS")
    with pytest.raises(ProofInvalid, match="settings"):
        AttestedSettings.of(replace(claims, components=(*claims.components, stated)))


def test_each_profile_is_refused_by_the_other_schema() -> None:
    for profile, other in ((EatProfile.RFC9783, EatProfile.TFM), (EatProfile.TFM, EatProfile.RFC9783)):
        with pytest.raises(pycddl.ValidationError):
            SCHEMAS[other].validate_cbor(_claims().to_payload(profile))


@pytest.mark.parametrize("profile", EatProfile)
@pytest.mark.parametrize("bent", [{10: b"short"}, {2395: 0x9999}, {2399: []}, {70000: 1}, {256: "text"}], ids=repr)
def test_the_cddl_rejects_a_bent_payload(profile: EatProfile, bent: dict[int, object]) -> None:
    payload = _claims().to_payload(profile)
    SCHEMAS[profile].validate_cbor(payload)
    with pytest.raises(pycddl.ValidationError):
        SCHEMAS[profile].validate_cbor(cbor2.dumps({**cbor2.loads(payload), **bent}))


@given(st.integers(0), st.integers(1, 255))
@settings(max_examples=300)
def test_no_byte_of_a_token_can_be_changed(position: int, flip: int) -> None:
    token = bytearray(TOKEN)
    token[position % len(token)] ^= flip
    with pytest.raises(ProofInvalid):
        Claims.verify(bytes(token), PUBLIC, b"n" * 32)


TOKEN = _token(_claims(), EatProfile.RFC9783)


def test_a_lifecycle_of_secured_cannot_be_said_and_is_not_believed() -> None:
    assert 0x3000 not in [int(v) for v in Lifecycle]
    raw = cbor2.loads(_claims().to_payload(EatProfile.TFM))
    raw[2395] = 0x3000
    payload = cbor2.dumps(raw, canonical=True)
    with pytest.raises(pycddl.ValidationError):
        SCHEMAS[EatProfile.TFM].validate_cbor(payload)
    with pytest.raises(ProofInvalid, match="a simulator must not claim"):
        Claims.verify(cose.assemble(payload, cose.sign(payload, KEY)), PUBLIC, b"n" * 32)


def _without(key: int) -> bytes:
    raw = cbor2.loads(_claims().to_payload(EatProfile.TFM))
    del raw[key]
    return cbor2.dumps(raw, canonical=True)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (_without(10), "missing or malformed"),
        (_without(2397), "missing or malformed"),
        (_without(2394), "unknown or not canonical"),
        (cbor2.dumps({**cbor2.loads(_without(2394)), 2394: 7}, canonical=True), "unknown or not canonical"),
        (_claims().to_payload(EatProfile.TFM) + b"\x00", "missing or malformed"),
        (b"\xa0", "missing or malformed"),
        (b"\xff", "missing or malformed"),
    ],
)
def test_claims_that_must_be_refused_though_signed(payload: bytes, why: str) -> None:
    with pytest.raises(ProofInvalid, match=why):
        Claims.verify(cose.assemble(payload, cose.sign(payload, KEY)), PUBLIC, b"n" * 32)


def test_an_answer_to_another_nonce_is_refused() -> None:
    with pytest.raises(ProofInvalid, match="another nonce"):
        Claims.verify(TOKEN, PUBLIC, b"m" * 32)


@pytest.mark.parametrize("size", [0, 8, 31, 33, 65])
def test_only_three_nonce_lengths_are_allowed(size: int) -> None:
    with pytest.raises(ProofInvalid, match="32, 48 or 64 bytes"):
        _claims(bytes(size))


def test_the_nonce_of_a_signature_is_that_of_rfc_6979(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its vector for P-256 with SHA-256 (RFC 6979, A.2.5): who has the key can tell a chosen one."""
    secret = int("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", 16)
    signature = (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )
    assert cose.sign(b"payload", KEY) == cose.sign(b"payload", KEY)
    monkeypatch.setattr(cose, "signing_input", bytes)
    assert cose.sign(b"sample", ec.derive_private_key(secret, ec.SECP256R1())).hex().upper() == signature


def test_another_key_does_not_verify() -> None:
    other = cose.public_key_bytes(cose.private_key(hashlib.sha512(b"another").digest()))
    with pytest.raises(ProofInvalid, match="signature does not verify"):
        Claims.verify(TOKEN, other, b"n" * 32)


def _message(*items: object, tag: bytes = b"\xd2") -> bytes:
    return tag + cbor2.dumps(list(items), canonical=True)


PAYLOAD = cose.payload_of(TOKEN)
SIGNATURE = cose.sign(PAYLOAD, KEY)
ALG = bytes.fromhex("a10126")
FORM = "not a COSE_Sign1 ES256 message of this form: "
OTHER_FORMS = {
    "kid beside": (
        _message(ALG, {4: b"k1"}, PAYLOAD, SIGNATURE),
        "its unprotected header holds 4 (kid), and nobody signed that",
    ),
    "kid inside": (
        _message(cbor2.dumps({1: -7, 4: b"k1"}, canonical=True), {}, PAYLOAD, SIGNATURE),
        "its protected header holds 1 (alg), 4 (kid), expected alg alone",
    ),
    "crit": (
        _message(cbor2.dumps({1: -7, 2: [4]}, canonical=True), {}, PAYLOAD, SIGNATURE),
        "its protected header holds 1 (alg), 2 (crit), expected alg alone",
    ),
    "EdDSA": (_message(bytes.fromhex("a10127"), {}, PAYLOAD, SIGNATURE), "its algorithm is -8, expected -7 (ES256)"),
    "no alg": (_message(b"\xa0", {}, PAYLOAD, SIGNATURE), "its algorithm is None, expected -7 (ES256)"),
    "alg beside": (_message(b"", {1: -7}, PAYLOAD, SIGNATURE), "its protected header is no map in a byte string"),
    "detached": (_message(ALG, {}, None, SIGNATURE), "its payload is detached"),
    "DER": (_message(ALG, {}, PAYLOAD, b"\x30" * 71), "its signature has 71 bytes, ES256 has 64: r || s, not DER"),
    "untagged": (_message(ALG, {}, PAYLOAD, SIGNATURE, tag=b""), "it does not begin with tag 18"),
    "Mac0": (_message(ALG, {}, PAYLOAD, bytes(32), tag=b"\xd1"), "it does not begin with tag 18"),
    "CWT": (b"\xd8\x3d" + TOKEN, "it does not begin with tag 18"),
    "long tag": (b"\xd8\x12" + TOKEN[1:], "it does not begin with tag 18"),
    "indefinite": (b"\xd2\x9f" + TOKEN[2:] + b"\xff", "message is not canonical: indefinite length or reserved header"),
    "hexadecimal": (TOKEN.hex().encode(), "it does not begin with tag 18"),
    "cut": (TOKEN[:-1], "message is not canonical: a string runs past the end"),
    "three": (_message(ALG, {}, PAYLOAD), "its body is not an array of four"),
    "long": (TOKEN + bytes(17_000), f"it has {len(TOKEN) + 17_000} bytes, at most 16384 are read"),
}


@pytest.mark.parametrize("name", OTHER_FORMS)
def test_a_well_formed_message_of_another_form_is_refused_for_what_it_is(name: str) -> None:
    token, reason = OTHER_FORMS[name]
    with pytest.raises(ProofInvalid) as caught:
        cose.verify(token, PUBLIC)
    assert caught.value.message == FORM + reason
    assert ("altered" in caught.value.hint) == (name in ("indefinite", "cut"))


SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
OTHER_KEYS = {
    "octet string": (b"\x04\x41" + PUBLIC, "67 bytes, expected 65: a DER octet string around the point, as PKCS#11"),
    "SPKI": (SPKI, "91 bytes, expected 65: a SubjectPublicKeyInfo"),
    "bare": (PUBLIC[1:], "64 bytes, expected 65: x and y without the leading 04"),
    "compressed": (
        KEY.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
        "33 bytes, expected 65: give the uncompressed point",
    ),
}


@pytest.mark.parametrize("name", OTHER_KEYS)
def test_a_key_of_another_form_is_named(name: str) -> None:
    key, reason = OTHER_KEYS[name]
    with pytest.raises(ProofInvalid) as caught:
        Claims.verify(TOKEN, key, b"n" * 32)
    assert caught.value.message.startswith(f"the attestation key has {reason}")
    with pytest.raises(ProofInvalid, match="the attestation key is no point of P-256"):
        Claims.verify(TOKEN, b"\x04" + b"\xff" * 64, b"n" * 32)


def _tagged(tag: int, item: bytes) -> bytes:
    return (bytes([0xC0 + tag]) if tag < 24 else b"\xd9" + tag.to_bytes(2, "big")) + item


HOSTILE_TAGS = {
    "big float": _tagged(5, bytes.fromhex("821a0098968001")),
    "big float, larger": _tagged(5, bytes.fromhex("821b7fffffffffffffff01")),
    "decimal fraction": _tagged(4, bytes.fromhex("821b7fffffffffffffff01")),
    "big number": _tagged(2, b"\x59\x10\x00" + b"\xff" * 4096),
    "rational over zero": _tagged(30, bytes.fromhex("820100")),
    "pattern": _tagged(35, b"\x67((((((("),
    "message": _tagged(36, b"\x65a: b\n"),
    "address": _tagged(260, b"\x44\xff\xff\xff\xff"),
    "shared": _tagged(28, b"\x81" + _tagged(29, b"\x00")),
    "reference": _tagged(29, b"\x18\xff"),
    "string reference": _tagged(256, b"\x80"),
    "date": _tagged(1, bytes.fromhex("1b7fffffffffffffff")),
    "unknown": _tagged(40_000, b"\x00"),
}


@pytest.mark.parametrize("name", HOSTILE_TAGS)
def test_no_tag_is_acted_on(name: str) -> None:
    """A CBOR library computes with tagged values: 2 ** 10 000 000 as decimal.Decimal ended a verifier."""
    item, part = HOSTILE_TAGS[name], PAYLOAD[:40]
    loaded = set(sys.modules)
    for token in (
        b"\xd2\x84" + item + b"\xa0\x41x\x58\x40" + bytes(64),
        b"\xd2\x84\x43\xa1\x01\x26\xa1\x04" + item + b"\x41x\x58\x40" + bytes(64),
        b"\xd2" + item,
        cose.assemble(item, cose.sign(item, KEY)),
        cose.assemble(part + item, cose.sign(part + item, KEY)),
    ):
        with pytest.raises(ProofInvalid):
            Claims.verify(token, PUBLIC, b"n" * 32)
    assert set(sys.modules) == loaded


def test_the_token_that_ended_a_verifier() -> None:
    token = bytes.fromhex("d284c5821a0098968001a041785840") + bytes(64)
    for look in (cose.payload_of, lambda t: cose.verify(t, PUBLIC)):
        with pytest.raises(ProofInvalid, match="message is not canonical: tag, float or simple value"):
            look(token)
