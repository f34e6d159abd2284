"""COSE_Sign1 with ES256 (RFC 9052 section 4.2, RFC 9053 section 2.1), nothing else.

Tag 18, protected header {1: -7}, empty unprotected header, attached payload, signature raw r || s (64 bytes).
Signing and assembling are separate, so that the key can stay in another world.

A message is decoded without tags but the first, by `tee_sim.shared.codec`: a CBOR library acts on tags, and hostile
ones make it compute powers, compile patterns or load modules. What is well-formed and not of this form is refused for
what it is.
"""

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from bioguard.proofs.encoding import ProofInvalid
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError

TAG_SIGN1 = b"\xd2"
"""Tag 18 in one byte."""
PROTECTED = bytes.fromhex("a10126")
"""{1 (alg): -7 (ES256)}."""
SIGNATURE_BYTES = 64
PUBLIC_KEY_BYTES = 65
"""SEC 1 section 2.3.3, uncompressed point."""
MAX_TOKEN_BYTES = 16 * 1024
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256 (FIPS 186-5, SP 800-186)."""


def private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """A P-256 key from 40 or more secret bytes (FIPS 186-5 A.2.1: 64 bits above the order, so the bias vanishes)."""
    if len(secret) < 40:
        raise ValueError("a P-256 key needs at least 40 secret bytes")
    return ec.derive_private_key(int.from_bytes(secret, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def public_key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The 65 bytes a verifier needs."""
    numbers = key.public_key().public_numbers()  # `public_bytes` wants a module that loads every format of keys
    return b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def signing_input(payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052 section 4.4."""
    return codec.encode(["Signature1", PROTECTED, b"", payload])


def sign(payload: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The bare 64-byte signature over `payload`.

    Its nonce follows from key and payload (RFC 6979): whoever has the key can tell whether it was chosen.
    """
    es256 = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(key.sign(signing_input(payload), es256))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def assemble(payload: bytes, signature: bytes) -> bytes:
    """The tagged token."""
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("an ES256 signature has 64 bytes")
    return TAG_SIGN1 + codec.encode([PROTECTED, {}, payload, signature])


def _refuse(why: str, hint: str = "ask for a token of this form, docs/formats/attestation.md") -> ProofInvalid:
    return ProofInvalid(f"not a COSE_Sign1 ES256 message of this form: {why}", hint=hint)


def _parts(token: bytes) -> tuple[bytes, bytes]:
    if len(token) > MAX_TOKEN_BYTES:
        raise _refuse(f"it has {len(token)} bytes, at most {MAX_TOKEN_BYTES} are read")
    if token[:1] != TAG_SIGN1:
        raise _refuse("it does not begin with tag 18", "COSE_Sign1 with its tag is d2 84 ...; a CWT tag is not taken")
    try:
        body = codec.decode(token[1:])
    except TeeError as error:
        raise _refuse(error.message, "fetch the token again, as bytes: it was cut, altered or written anew") from None
    if not isinstance(body, list) or len(body) != 4:
        raise _refuse("its body is not an array of four")
    protected, unprotected, payload, signature = body
    if not isinstance(protected, bytes) or protected != PROTECTED:
        raise _refuse(_header(protected))
    if unprotected != {}:
        raise _refuse(f"its unprotected header holds {_labels(unprotected)}, and nobody signed that")
    if payload is None:
        raise _refuse("its payload is detached")
    if not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise _refuse("its payload or signature is no byte string")
    if len(signature) != SIGNATURE_BYTES:
        raise _refuse(f"its signature has {len(signature)} bytes, ES256 has {SIGNATURE_BYTES}: r || s, not DER")
    return payload, signature


_NAMES: Mapping[object, str] = {1: "alg", 2: "crit", 3: "content type", 4: "kid", 5: "IV", 33: "x5chain", 34: "x5t"}
"""RFC 9052 section 3.1, RFC 9360 section 2."""


def _labels(header: object) -> str:
    if not isinstance(header, dict):
        return "something that is no map"
    return ", ".join(f"{k!r:.20} ({_NAMES[k]})" if k in _NAMES else f"{k!r:.20}" for k in list(header)[:4])


def _header(protected: object) -> str:
    try:
        header = codec.decode(protected) if isinstance(protected, bytes) else None
    except TeeError:
        header = None
    if not isinstance(header, dict):
        return "its protected header is no map in a byte string"
    if header.get(1) != -7:
        return f"its algorithm is {header.get(1)!r:.20}, expected -7 (ES256)"
    return f"its protected header holds {_labels(header)}, expected alg alone"


def payload_of(token: bytes) -> bytes:
    """The payload of a well-formed token. NOT verified: for inspection only."""
    return _parts(token)[0]


_KEY_FORMS: Mapping[int, str] = {
    64: "x and y without the leading 04 of SEC 1",
    67: "a DER octet string around the point, as PKCS#11 gives CKA_EC_POINT: leave out its first two bytes",
    91: "a SubjectPublicKeyInfo (RFC 5480): take its last 65 bytes",
}


def verifying_key(public_key: bytes) -> ec.EllipticCurvePublicKey:
    """The key in `public_key` (65 bytes). Raises ProofInvalid for another form, which it names, or no point."""
    hint = "the key is the uncompressed point of SEC 1 section 2.3.3: 04 || x || y"
    if len(public_key) != PUBLIC_KEY_BYTES:
        form = _KEY_FORMS.get(len(public_key), "give the uncompressed point")
        raise ProofInvalid(
            f"the attestation key has {len(public_key)} bytes, expected {PUBLIC_KEY_BYTES}: {form}", hint=hint
        )
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    except ValueError:
        raise ProofInvalid("the attestation key is no point of P-256", hint=hint) from None


def verify(token: bytes, public_key: bytes) -> bytes:
    """Return the payload of a token that `public_key` (65 bytes) signed.

    Raises:
        ProofInvalid: malformed or of another form, another algorithm, a key of another form, or a bad signature.
    """
    payload, signature = _parts(token)
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    point = verifying_key(public_key)
    try:
        point.verify(der, signing_input(payload), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        raise ProofInvalid(
            "the attestation signature does not verify", hint="check that the key belongs to this device"
        ) from None
    return payload
