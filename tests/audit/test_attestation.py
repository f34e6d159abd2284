"""PSA tokens: python-cwt verifies the signature, pycddl the claims; twins must fail in both."""

import hashlib

import cbor2
import cwt
import pycddl
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.proofs import cose
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.psa_token import NONCE_SIZES, Claims, Lifecycle, Profile, SoftwareComponent

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
    Profile.RFC9783: pycddl.Schema(CDDL.replace("seed,", "? 268 => bytes .size (8..32),")),
    Profile.TFM: pycddl.Schema(CDDL.replace("seed,", "2397 => bytes .size 32,")),
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


def _token(claims: Claims, profile: Profile) -> bytes:
    payload = claims.to_payload(profile)
    return cose.assemble(payload, cose.sign(payload, KEY))


def _cwt_key() -> cwt.COSEKey:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return cwt.COSEKey.from_pem(pem, alg="ES256")


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("size", sorted(NONCE_SIZES))
def test_a_token_passes_python_cwt_and_the_cddl(profile: Profile, size: int) -> None:
    token = _token(_claims(bytes(size)), profile)
    payload = cwt.COSE.new().decode(token, _cwt_key())
    assert cbor2.loads(payload)[10] == bytes(size)
    SCHEMAS[profile].validate_cbor(cose.payload_of(token))
    assert Claims.verify(token, PUBLIC, bytes(size)) == (_claims(bytes(size)), profile)


@pytest.mark.parametrize("profile", Profile)
def test_a_bent_token_passes_neither(profile: Profile) -> None:
    token = bytearray(_token(_claims(), profile))
    token[token.index(b"ENFORCED")] ^= 1
    with pytest.raises(cwt.VerifyError):
        cwt.COSE.new().decode(bytes(token), _cwt_key())
    with pytest.raises(ProofInvalid, match="signature does not verify"):
        Claims.verify(bytes(token), PUBLIC, b"n" * 32)


def test_each_profile_is_refused_by_the_other_schema() -> None:
    for profile, other in ((Profile.RFC9783, Profile.TFM), (Profile.TFM, Profile.RFC9783)):
        with pytest.raises(pycddl.ValidationError):
            SCHEMAS[other].validate_cbor(_claims().to_payload(profile))


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("bent", [{10: b"short"}, {2395: 0x9999}, {2399: []}, {70000: 1}, {256: "text"}], ids=repr)
def test_the_cddl_rejects_a_bent_payload(profile: Profile, bent: dict[int, object]) -> None:
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


TOKEN = _token(_claims(), Profile.RFC9783)


def test_a_lifecycle_of_secured_cannot_be_said_and_is_not_believed() -> None:
    assert 0x3000 not in [int(v) for v in Lifecycle]
    raw = cbor2.loads(_claims().to_payload(Profile.TFM))
    raw[2395] = 0x3000
    payload = cbor2.dumps(raw, canonical=True)
    with pytest.raises(pycddl.ValidationError):
        SCHEMAS[Profile.TFM].validate_cbor(payload)
    with pytest.raises(ProofInvalid, match="a simulator must not claim"):
        Claims.verify(cose.assemble(payload, cose.sign(payload, KEY)), PUBLIC, b"n" * 32)


def _without(key: int) -> bytes:
    raw = cbor2.loads(_claims().to_payload(Profile.TFM))
    del raw[key]
    return cbor2.dumps(raw, canonical=True)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (_without(10), "missing or malformed"),
        (_without(2397), "missing or malformed"),
        (_without(2394), "unknown or not canonical"),
        (cbor2.dumps({**cbor2.loads(_without(2394)), 2394: 7}, canonical=True), "unknown or not canonical"),
        (_claims().to_payload(Profile.TFM) + b"\x00", "unknown or not canonical"),
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


def test_another_key_does_not_verify() -> None:
    other = cose.public_key_bytes(cose.private_key(hashlib.sha512(b"another").digest()))
    with pytest.raises(ProofInvalid, match="signature does not verify"):
        Claims.verify(TOKEN, other, b"n" * 32)
