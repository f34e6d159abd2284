"""Statements: every byte is the core's, and whoever asks for one chooses an object and a word of the request."""

import math
import struct
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from tee_sim.secure.made.boot_statements import BootStatements
from tee_sim.secure.made.call import NotMadeError
from tee_sim.secure.made.digests import PEPPER_LABEL
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.statement import Statement
from tests.tee_sim.made.kit import Made, request

ECHO = struct.pack("<Q", 77)
OBJECT = b"a"


def mac(key: bytes, data: bytes) -> bytes:
    """Another implementation: OpenSSL's by `cryptography`."""
    hmac = HMAC(key, SHA256())
    hmac.update(data)
    return hmac.finalize()


def refused(made: Made, **what: object) -> TeeResult:
    with pytest.raises(TeeError) as caught:
        made.env.keys.state(**what)  # type: ignore[arg-type]
    return TeeResult(caught.value.result)


def test_a_statement_is_made_of_what_the_core_knows(made: Made) -> None:
    ids = made.drawn()
    with made.asked(request(77), time_ms=123_456):
        stated = made.env.keys.state("token", object_id=OBJECT, echo=ECHO)
    parts = b"\0" + ECHO + ids + bytes.fromhex("00000002") + struct.pack(">Q", 123_456)
    assert stated == parts + mac(made.key("token"), parts)


def test_without_an_echo_it_is_zeros(made: Made) -> None:
    ids = made.drawn(words=1)
    with made.asked():
        assert made.env.keys.state("short", object_id=OBJECT) == ids + mac(made.key("short"), ids)


def test_an_echo_of_what_is_not_in_the_request_is_a_panic(made: Made) -> None:
    made.drawn()
    for given, echo in (
        (request(76), ECHO),
        (request(bytes(1) + ECHO), ECHO),
        (request(b"x" * 33 + ECHO), ECHO),
        (request("77"), ECHO),
        (request(77), ECHO[::-1]),
    ):
        with made.asked(given) as call:
            with pytest.raises(NotMadeError, match="an echo of what is not in the request"):
                made.env.keys.state("token", object_id=OBJECT, echo=echo)
            assert call.broken


def test_an_echo_of_what_a_peer_answered_is_none_of_the_request(made: Made) -> None:
    made.drawn()
    with made.asked(request(1)) as call:
        call.received(request(77))
        with pytest.raises(NotMadeError):
            made.env.keys.state("token", object_id=OBJECT, echo=ECHO)


def test_another_application_s_object_is_not_there(made: Made) -> None:
    with made.others.entered(request(), 5):
        made.put(b"theirs", made.other, ids=made.other.rng.bytes(16))
    with made.asked():
        assert refused(made, name="token", object_id=b"theirs") is TeeResult.ITEM_NOT_FOUND


def test_an_object_without_all_of_its_ids_is_a_panic(made: Made) -> None:
    made.drawn(b"one", words=1)
    made.drawn(b"three", words=3)
    with made.asked():
        made.put(b"none")
        made.put(b"zero", ids=made.env.rng.bytes(8) + bytes(8))
    for object_id in (b"one", b"three", b"none", b"zero"):
        with made.asked(), pytest.raises(NotMadeError, match="a statement about an object without its ids"):
            made.env.keys.state("token", object_id=object_id)


def test_nothing_is_stated_about_an_object_that_is_called_what_a_client_likes(made: Made) -> None:
    """Else whoever asks would have a statement about anybody made: a token of a person who was never here."""
    victim = b"S" * 16
    with made.asked(request(victim)):
        with pytest.raises(NotMadeError, match="an id that was neither drawn nor received"):
            made.put(b"a", ids=victim)
        made.put(b"u" + victim, ids=victim)
        with pytest.raises(NotMadeError, match="a statement about an object that its ids name"):
            made.env.keys.state("token", object_id=b"u" + victim)


def test_a_name_is_no_id_of_anything_else_later(made: Made) -> None:
    """An object that had a client's word for a name keeps it for one: not in another order, nor beside others."""
    one, two = b"1" * 8, b"2" * 8
    with made.asked(request(one, two)):
        made.put(b"u" + one, ids=one)
        made.put(b"u" + one + two, ids=one + two)
    for object_id, ids in (
        (b"u" + one, one + two),
        (b"u" + one, one + bytes(8)),
        (b"u" + one + two, two + one),
        (b"u" + one + two, one),
    ):
        with made.asked(request(one, two)), pytest.raises(NotMadeError, match="neither drawn nor received"):
            made.put(object_id, ids=ids)
    with made.asked(), pytest.raises(NotMadeError, match="neither drawn nor received"):
        made.put(b"u" + one, ids=one + made.env.rng.bytes(8))
    with made.asked():
        made.put(b"u" + one + two, ids=two)
        with pytest.raises(NotMadeError, match="a statement about an object that its ids name"):
            made.env.keys.state("short", object_id=b"u" + one + two)


def test_only_what_the_manifest_says_is_made_and_checked(made: Made) -> None:
    """One that may check a key may not make anything under it, and the other way round."""
    made.drawn(words=1)
    with made.asked(), made.others.entered(request(), 5):
        assert refused(made, name="seal", object_id=OBJECT) is TeeResult.ACCESS_DENIED, "it may be checked"
        assert refused(made, name="nothing", object_id=OBJECT) is TeeResult.ACCESS_DENIED
        made.put(OBJECT, made.other, ids=made.other.rng.bytes(8))
        sealed = made.other.keys.state("seal", object_id=OBJECT)
        assert made.env.keys.check("seal", sealed)
        for env, name in ((made.other, "seal"), (made.env, "token"), (made.env, "nothing")):
            with pytest.raises(TeeError, match="the manifest does not name this key under shared_keys") as caught:
                env.keys.check(name, sealed)
            assert caught.value.result is TeeResult.ACCESS_DENIED


def test_a_changed_statement_is_wrong_at_every_bit_and_length(made: Made) -> None:
    made.drawn()
    with made.asked(request(77)), made.others.entered(request(), 5):
        stated = made.env.keys.state("token", object_id=OBJECT, echo=ECHO)
        assert made.other.keys.check("token", stated)
        for bit in range(8 * len(stated)):
            changed = bytearray(stated)
            changed[bit // 8] ^= 1 << bit % 8
            assert not made.other.keys.check("token", bytes(changed))
        for other in (b"", stated[:-1], stated[1:], stated + b"\0", stated[:37], stated[37:], bytes(69)):
            assert not made.other.keys.check("token", other)


def test_the_time_is_that_of_the_request_however_long_it_takes(made: Made) -> None:
    made.drawn()
    with made.asked(time_ms=1000):
        early = made.env.keys.state("token", object_id=OBJECT)
        made.world._stepped.advance(5000)  # type: ignore[union-attr]
        assert made.env.clock.boot_ms() >= 5000
        assert made.env.keys.state("token", object_id=OBJECT) == early
    assert early[29:37] == struct.pack(">Q", 1000)


def test_what_is_chosen_is_counted(made: Made) -> None:
    for number in range(8):
        made.drawn(bytes([number]))
    with made.asked(request(1, 2, 3)) as call:
        made.env.keys.state("token", object_id=b"\x03", echo=struct.pack("<Q", 2))
        assert call.chosen_bits == math.log2(8) + math.log2(4)
    with made.asked(request(1, 2, 3)) as call:
        made.env.keys.state("token", object_id=b"\x03")
        made.env.keys.state("token", object_id=b"\x04")
        assert call.chosen_bits == 2 * (math.log2(8) + math.log2(4)), "zeros are a choice too"


def test_what_was_stated_in_this_call_is_known_and_nothing_else(made: Made) -> None:
    made.drawn()
    with made.asked() as call:
        stated = made.env.keys.state("token", object_id=OBJECT)
        assert call.has_stated("token", stated)
        assert not call.has_stated("short", stated)
        assert not call.has_stated("token", stated[:-1] + b"\0")
    with made.asked() as call:
        assert not call.has_stated("token", stated), "of the call before"


def test_ids_of_a_statement_that_was_found_right_are_known(made: Made) -> None:
    """As an application enrolls under the owner whom the token of a PIN names."""
    ids = made.drawn()
    with made.asked():
        stated = made.env.keys.state("token", object_id=OBJECT)
    with made.others.entered(request(), 5):
        assert made.other.keys.check("token", stated)
        made.put(b"theirs", made.other, ids=ids)
    for changed in (stated[:-1] + bytes([stated[-1] ^ 1]), bytes(69)):
        with made.others.entered(request(changed), 5):
            assert not made.other.keys.check("token", changed)
            with pytest.raises(NotMadeError):
                made.put(b"more", made.other, ids=ids)


def test_the_pepper_of_digests_is_no_key_of_the_application(made: Made) -> None:
    with pytest.raises(TeeError, match="the key of digests is the core's") as caught:
        made.env.keys.derive(PEPPER_LABEL, b"context", 16)
    assert caught.value.result is TeeResult.ACCESS_DENIED
    assert len(made.env.keys.derive("another label")) == 32


def test_what_could_be_of_two_layouts_gives_no_ids() -> None:
    """Else the echo of one, which a client has chosen, would be an id in the other."""
    one, other = (Statement(key="k", parts=parts) for parts in (("echo:8", "id:8"), ("id:8", "echo:8")))
    boot = BootStatements({"k": bytes(32)}, {"k": (one, other)})
    stated = boot.make(one, echo=b"e" * 8, ids=b"i" * 8, time_ms=0)
    assert boot.ids_in("k", stated) == ()
    assert BootStatements({"k": bytes(32)}, {"k": (one, one)}).ids_in("k", stated) == (b"i" * 8,)
    assert boot.ids_in("k", stated[:-1] + b"\0") is None


def test_a_statement_is_read_by_its_own_layout_alone() -> None:
    layout = Statement(key="k", parts=("0a0b", "echo:8", "id:8", "time:8", "id:8"))
    filled = layout.filled(echo=b"e" * 8, ids=b"i" * 8 + b"j" * 8, time_ms=1)
    assert filled == b"\x0a\x0b" + b"e" * 8 + b"i" * 8 + bytes(7) + b"\1" + b"j" * 8
    assert layout.size_bytes == len(filled) + 32
    assert layout.ids_in(filled + bytes(32)) == (b"i" * 8, b"j" * 8)
    assert layout.ids_in(filled + bytes(31)) is None
    assert layout.ids_in(b"\x0a\x0c" + filled[2:] + bytes(32)) is None
    assert replace(layout, parts=("0a0b", "id:8")).ids_in(filled + bytes(32)) is None
