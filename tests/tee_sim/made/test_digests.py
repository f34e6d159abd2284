"""Digests: the salt comes after the message, and there are few of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.encoding import RawEncoder
from nacl.hash import blake2b

from tee_sim.secure.made.call import MAX_DIGESTS, NotMadeError
from tee_sim.secure.made.digests import salted_digest
from tee_sim.shared.errors import TeeError, TeeResult
from tests.tee_sim.made.kit import Made


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16))
def test_it_is_what_libsodium_makes(message: bytes, pepper: bytes, salt: bytes) -> None:
    theirs = blake2b(message, 32, key=pepper, salt=salt, person=b"test-v1".ljust(16, b"\0"), encoder=RawEncoder)
    assert salted_digest(pepper, salt, "test-v1", message) == theirs


def test_two_digests_of_one_message_differ_and_each_checks_under_its_own_salt(made: Made) -> None:
    with made.asked():
        (salt, digest), (another, other) = (made.env.digests.make(b"message") for _ in range(2))
        assert (len(salt), len(digest)) == (16, 32)
        assert salt != another
        assert digest != other
        assert made.env.digests.check(salt, b"message", digest)
        assert not made.env.digests.check(another, b"message", digest)
        assert not made.env.digests.check(salt, b"massage", digest)
        assert not made.env.digests.check(salt, b"message", digest[:-1])
        assert not made.env.digests.check(salt[:-1], b"message", digest)


def test_its_key_is_of_this_device_application_and_label(made: Made) -> None:
    """docs/formats/keys.md: the key of the application with the label "salted digest"."""
    pepper = made.env.keys.derivation("salted digest", b"", 32)  # type: ignore[attr-defined]
    with made.asked():
        salt, digest = made.env.digests.make(b"message")
    assert digest == salted_digest(pepper, salt, "test-v1", b"message")
    assert pepper != made.other.keys.derivation("salted digest", b"", 32)  # type: ignore[attr-defined]


def test_an_application_whose_manifest_names_none_has_none(made: Made) -> None:
    with made.others.entered(None, 0):  # type: ignore[arg-type]
        for ask in (lambda d: d.make(b""), lambda d: d.check(bytes(16), b"", bytes(32))):
            with pytest.raises(TeeError, match="the manifest names no digest") as caught:
                ask(made.other.digests)
            assert caught.value.result is TeeResult.ACCESS_DENIED


@pytest.mark.parametrize("checks", [0, 1, MAX_DIGESTS])
def test_grinding_ends_with_the_64th_whether_made_or_checked(made: Made, checks: int) -> None:
    """Whoever wants a digest with chosen bits makes many and puts one: six bits, and they are counted."""
    with made.asked():
        made.put()
    with made.asked() as call:
        for _ in range(checks):
            made.env.digests.check(bytes(16), b"m", bytes(32))
        digests = [made.env.digests.make(b"m")[1] for _ in range(MAX_DIGESTS - checks)]
        if digests:
            made.put(commitment=min(digests))
            assert call.chosen_bits == math.log2(len(digests)) <= 6
        with pytest.raises(NotMadeError, match="more than 64 digests in one call"):
            made.env.digests.make(b"m")
        assert call.broken
    with made.asked():
        made.env.digests.make(b"another call")
