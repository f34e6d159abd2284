"""PSA tokens: python-cwt verifies the signature, and its twin must fail.

Apart from test_attestation.py, since python-cwt wants `cbor2<6`, and those tests run on the newest cbor2 as well.
"""

import cbor2
import cwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.psa_token import NONCE_SIZES, Claims, EatProfile
from tests.evidence.test_attestation import KEY, PUBLIC, SETTINGS, _claims, _of_device, _token


def _cwt_key() -> cwt.COSEKey:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return cwt.COSEKey.from_pem(pem, alg="ES256")


@pytest.mark.parametrize("profile", EatProfile)
@pytest.mark.parametrize("size", sorted(NONCE_SIZES))
def test_a_token_passes_python_cwt(profile: EatProfile, size: int) -> None:
    payload = cwt.COSE.new().decode(_token(_claims(bytes(size)), profile), _cwt_key())
    assert cbor2.loads(payload)[10] == bytes(size)


@pytest.mark.parametrize("sealed", SETTINGS, ids=lambda sealed: sealed.words())
def test_what_a_device_was_made_as_is_read_by_python_cwt(sealed) -> None:
    payload = cbor2.loads(cwt.COSE.new().decode(_of_device(sealed), _cwt_key()))
    (words,) = [part[4] for part in payload[2399] if part[1] == "PRoT_SETTINGS"]
    assert words == sealed.words()


@pytest.mark.parametrize("profile", EatProfile)
def test_a_bent_token_passes_neither(profile: EatProfile) -> None:
    token = bytearray(_token(_claims(), profile))
    token[token.index(b"ENFORCED")] ^= 1
    with pytest.raises(cwt.VerifyError):
        cwt.COSE.new().decode(bytes(token), _cwt_key())
    with pytest.raises(ProofInvalid, match="signature does not verify"):
        Claims.verify(bytes(token), PUBLIC, b"n" * 32)
