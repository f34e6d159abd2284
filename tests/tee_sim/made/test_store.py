"""What may be put: digests of this call, ids that the application can know, and what the object has already."""

import math

import pytest

from tee_sim.secure.made.call import MAX_DRAWN, NotMadeError
from tee_sim.shared.errors import TeeError
from tests.tee_sim.made.kit import Made, request

A, B = b"A" * 8, b"B" * 8


def refused(made: Made, **header: bytes) -> str:
    with pytest.raises(NotMadeError) as caught:
        made.put(b"new", **header)
    assert made.call.broken
    assert made.env.store.find(b"new") is None, "nothing of it was stored"
    return str(caught.value)


NO_DIGEST, NO_ID = "a commitment that the core has not made", "an id that was neither drawn nor received"


def test_only_what_the_core_made_is_put(made: Made) -> None:
    with made.asked():
        _, digest = made.env.digests.make(b"m")
        ids = made.env.rng.bytes(16)
        made.put(commitment=digest, ids=ids)
        header = made.env.store.get(b"a").header
        assert (header.commitment, header.ids) == (digest, ids)
    with made.asked():
        assert refused(made, commitment=digest) == NO_DIGEST, "of another object, and another call"
        assert refused(made, commitment=bytes(32)) == NO_DIGEST
        assert refused(made, ids=ids) == NO_ID
        made.put(commitment=digest, ids=ids)
        made.put(commitment=digest)
        made.put(ids=bytes(16))


def test_what_was_erased_is_not_had_any_more(made: Made) -> None:
    ids = made.drawn()
    with made.asked():
        with made.env.store.transaction() as transaction:
            transaction.erase(b"a")
        with pytest.raises(NotMadeError):
            made.put(b"a", ids=ids)


def test_a_digest_that_was_only_checked_is_not_made(made: Made) -> None:
    with made.asked():
        salt, digest = made.env.digests.make(b"m")
    with made.asked():
        assert made.env.digests.check(salt, b"m", digest)
        assert refused(made, commitment=digest) == NO_DIGEST


def test_ids_come_from_a_name_in_the_request_a_peer_s_answer_or_a_draw_of_this_call(made: Made) -> None:
    with made.asked(request(A, 7)):
        made.put(b"named " + A, ids=A)
        made.put(b"named " + A + bytes([7, *bytes(7)]), ids=A + bytes([7, *bytes(7)]))
        assert refused(made, ids=A) == NO_ID, "of the request, and not its name"
        with pytest.raises(NotMadeError):
            made.put(b"named " + B, ids=B)
    with made.asked() as call:
        call.received(request([B + A]))
        made.put(b"b", ids=A + B)
    with made.asked() as call:
        made.put(b"c", ids=made.env.rng.bytes(8))
        call.received(request(A))
        made.put(b"d", ids=A)
        drawn = made.env.rng.bytes(8)
    with made.asked():
        assert refused(made, ids=drawn) == NO_ID, "drawn in the call before"
    with made.asked():
        assert refused(made, ids=A) == NO_ID, "received in the call before"


@pytest.mark.parametrize("size_bytes", [1, 7, 9, 33, 40, 64, 4096])
def test_random_bytes_of_another_length_are_no_ids(made: Made, size_bytes: int) -> None:
    """Of a long draw an application could choose the eight bytes that it likes."""
    with made.asked():
        drawn = made.env.rng.bytes(size_bytes)
        if size_bytes >= 8:
            assert refused(made, ids=drawn[:8]) == NO_ID


def test_the_system_s_randomness_gives_salts_and_no_ids(made: Made) -> None:
    with made.asked():
        assert refused(made, ids=made.env.system_rng.bytes(8)) == NO_ID


def test_words_of_two_draws_are_not_mixed_within(made: Made) -> None:
    with made.asked():
        one, two = made.env.rng.bytes(8), made.env.rng.bytes(8)
        assert refused(made, ids=one[:4] + two[4:]) == NO_ID
        made.put(b"c", ids=two + one + two)


@pytest.mark.parametrize("size_bytes", [1, 7, 12, 40])
def test_ids_have_eight_bytes_and_there_are_four(made: Made, size_bytes: int) -> None:
    with made.asked(request(b"\1" * 8)):
        with pytest.raises(TeeError, match="object header: ids is out of bounds"):
            made.put(ids=b"\1" * size_bytes)
        with pytest.raises(TeeError, match="object header: commitment is out of bounds"):
            made.put(commitment=bytes(size_bytes))


def test_no_more_ids_are_drawn_than_64_in_a_call_and_the_choice_is_counted(made: Made) -> None:
    with made.asked() as call:
        drawn = [made.env.rng.bytes(8) for _ in range(MAX_DRAWN + 1)]
        made.put(b"x", ids=min(drawn[:-1]))
        assert call.chosen_bits == 8 + math.log2(MAX_DRAWN + 1), "its id is new, and is nobody's but its own choice"
        assert refused(made, ids=drawn[-1]) == NO_ID


def test_what_an_object_has_already_is_no_choice(made: Made) -> None:
    ids = made.drawn()
    with made.asked() as call:
        call.received(request(A))
        made.put(ids=ids)
        assert call.chosen_bits == 0
        made.put(ids=ids[8:] + ids[:8])
        assert call.chosen_bits == 2 * math.log2(1 + 2 + 1), "in another order: none, either of two, or the peer's"


def test_an_object_that_was_put_in_this_transaction_has_what_it_was_put_with(made: Made) -> None:
    with made.asked():
        _, digest = made.env.digests.make(b"m")
        with made.env.store.transaction() as transaction:
            transaction.put(b"t", b"1", kind="k", commitment=digest)
            transaction.put(b"t", b"2", kind="k", commitment=digest)
            transaction.put(b"t", b"3", kind="k")
        assert made.env.store.get(b"t").header.commitment == b""
