"""Whole conversations with one device: each callback is that of a real comparison."""

import pytest

from bioguard.proofs.checkpoint import Checkpoint
from bioguard.proofs.notes import NoteKey
from bioguard.proofs.psa_token import Claims
from bioguard.records.audit_events import leaf_of
from tests.serve.v2.client import Client, Refused


def test_hello_says_what_there_is(client: Client) -> None:
    version, number, kind, fields = client.hello
    assert (version, number, kind) == (2, 0, 0)
    assert (fields[0], fields[2], fields[4:9]) == (2, True, [True, True, False, True, False])
    assert fields[9:13] == [4, 4, 0, [1_048_576, 16_384, 5, 2]]
    assert [sensor[:4] for sensor in fields[13]] == [[0, 1, 2, 5], [1, 2, 2, 2]]
    assert client.ask("hello") == fields


def test_a_finger_is_enrolled_authenticated_locked_out_and_reset(client: Client) -> None:
    client.person(b"dora", 1)
    (session,) = client.ask("create_session", b"dora", 0)
    ada = client.enroll(session, b"dora", person=1, position=2)
    assert ada == client.ask("records", b"dora")[0][0][3]
    (operation,) = client.ask("authenticate", session, 0, None)
    assert client.names() == []
    assert client.present(session, 1, 2, 5) == ["ACQUIRED", "AUTHENTICATION_SUCCEEDED"]
    (_, _, acquired), (_, _, [matched, token]) = client.events
    assert (acquired, matched) == ([1, 0], ada)
    assert client.ask("check_token", token)[0] == 0
    (second,) = client.ask("authenticate", session, 99, None)
    assert second == operation + 1
    assert client.present(session, 2, 2, 0) == ["ACQUIRED", "AUTHENTICATION_FAILED"]
    assert client.present(session, 1, 2, 6) == ["ACQUIRED", "AUTHENTICATION_SUCCEEDED"]
    token = client.events[1][2][1]
    assert client.ask("check_token", token)[0] == 99
    client.ask("authenticate", session, 0, None)
    for _ in range(4):
        assert client.present(session, 2, 2, 0) == ["ACQUIRED", "AUTHENTICATION_FAILED"]
    assert client.present(session, 2, 2, 0) == ["ACQUIRED", "AUTHENTICATION_FAILED", "LOCKOUT_TIMED"]
    assert client.ask("lock_status", b"dora", 0) == [1, 30_000]
    client.ask("cancel", session, None)
    assert client.events == [(session, "ERROR", [5, 0, ""])]
    client.ask("reset_lockout", session, bytes(69))
    assert client.events == [(session, "ERROR", [2, 0, ""])]
    client.ask("reset_lockout", session, client.ask("verify_pin", b"dora", b"4711", 0)[0])
    assert client.events == [(session, "LOCKOUT_CLEARED", [])]
    client.ask("close", session)
    assert client.events == [(session, "SESSION_CLOSED", [])]
    assert client.refused("authenticate", session, 0, None) == "session.state"


def test_the_end_of_a_lockout_is_told_before_the_answer_of_the_step(client: Client) -> None:
    client.person(b"emil", 1)
    (session,) = client.ask("create_session", b"emil", 0)
    client.enroll(session, b"emil", person=3, position=1)
    client.ask("authenticate", session, 0, None)
    for _ in range(5):
        client.present(session, 4, 1, 0)
    before = client.ask("clock_show")
    assert client.ask("clock_advance", 29_999) == [True, before[1] + 29_999, before[2] + 29_999]
    assert client.events == []
    after = client.ask("clock_advance", 1)
    assert client.events == [(session, "LOCKOUT_CLEARED", [])]
    assert client.frames[0][3][1] == after[2]


def test_nothing_is_granted_unasked(client: Client) -> None:
    client.ask("add_user", b"fay")
    client.ask("set_pin", b"fay", b"4711", None)
    (session,) = client.ask("create_session", b"fay", 1)
    client.ask("enroll", session, client.token(session, b"fay"), None, 0, None, None)
    assert client.events == [(session, "ERROR", [2, 0, "consent.missing"])]
    client.ask("consent", b"fay", 2, [1], 365, True, b"")
    grants = client.ask("consents", b"fay")[0]
    assert [grant[:2] for grant in grants] == [[2, 1]]
    client.enroll(session, b"fay", person=9, position=0)
    client.ask("authenticate", session, 7, None)
    assert client.present(session, 9, 0, 4)[-1] == "ERROR"
    assert client.events[-1][2] == [2, 0, "consent.missing"]
    assert client.ask("identify", 1, *client.sample(9, 0, 4)) == [False, None, None]
    assert client.refused("consent", b"fay", 2, [], 365, True, b"") == "request.argument"
    assert client.refused("consent", b"fay", 2, [1, 1], 365, True, b"") == "request.argument"
    assert client.refused("consent", b"fay", 2, [1], 0, True, b"") == "request.argument"
    token = client.ask("verify_pin", b"fay", b"4711", 0)[0]
    assert len(client.ask("withdraw_consent", b"fay", 2, [1], token)[0]) == 1
    assert client.ask("records", b"fay") == [[]]


def test_one_session_of_each_modality(client: Client) -> None:
    client.person(b"gus", 1, 2)
    (finger,) = client.ask("create_session", b"gus", 0)
    (face,) = client.ask("create_session", b"gus", 1)
    assert (client.refused("create_session", b"gus", 0), face) == ("session.in_use", finger + 1)
    for sensor, number in enumerate((finger, face)):
        with pytest.raises(Refused) as lost_track:
            client.ask("create_session", b"gus", sensor)
        assert lost_track.value.args[1:3] == (
            f"session {number} is open", "close the session that the message names first"
        )  # fmt: skip
    assert client.refused("create_session", b"gus", 7) == "sensor.unknown"
    assert client.refused("create_session", b"nobody", 0) == "user.unknown"
    assert client.refused("lift", 99) == "session.unknown"
    assert client.refused("present", finger, *client.sample(1, 1, 1), None) == "session.state"
    assert client.refused("get_enrollment_config", 0, 0) == "session.interface"
    assert client.ask("get_enrollment_config", 1, 0) == [[[3, [[1, 1]]], [4, [[0, 1], [2, 1]]], [5, [[1, 0], [1, 2]]]]]
    assert client.ask("get_enrollment_config", 1, 1) == [[[3, [[1, 1]]]]]


def test_keys_are_released_by_a_token_of_their_operation(client: Client) -> None:
    client.person(b"hal", 1)
    (session,) = client.ask("create_session", b"hal", 0)
    assert client.refused("key_create", b"hal", 128, True, True, None) == "key.not_enrolled"
    client.enroll(session, b"hal", person=11, position=3)
    key_id, secure_ids, public_key = client.ask("key_create", b"hal", 128, True, True, None)
    assert (len(secure_ids), public_key) == (1, None)
    (operation,) = client.ask("key_begin", key_id, b"")
    assert client.refused("key_finish", operation, b"pay", b"") == "key.not_authenticated"
    (operation,) = client.ask("key_begin", key_id, b"")
    client.ask("authenticate", session, operation, None)
    client.present(session, 11, 3, 7)
    token = client.events[-1][2][1]
    (signature,) = client.ask("key_finish", operation, b"pay", token)
    assert len(signature) == 32
    assert client.refused("key_finish", operation, b"pay", token) == "key.invalid_operation_handle"
    assert client.ask("key_verdict", b"hal", secure_ids) == [True]
    client.enroll(session, b"hal", person=11, position=4)
    assert client.ask("key_verdict", b"hal", secure_ids) == [False]
    client.ask("key_delete", key_id)
    assert client.refused("key_begin", key_id, b"") == "key.invalid_key_blob"


def test_log_checkpoint_and_attestation(client: Client) -> None:
    size, root, first_body, _key = client.ask("log_head")
    items: list[list[bytes]] = []
    while page := client.ask("log_read", len(items))[0]:
        items += page
    assert (len(items), first_body) == (size, 0)
    assert all(leaf == leaf_of(entry) for leaf, entry in items)
    text, vkey = client.ask("log_checkpoint")
    signed = Checkpoint.open(text.decode(), NoteKey.parse(vkey.decode()))
    assert (signed.size, signed.root) == (size, root)
    token, public_key = client.ask("attest", bytes(32), 0)
    assert Claims.verify(token, public_key, bytes(32)) is not None
    assert client.refused("attest", bytes(31), 0) == "attest.nonce"


def test_a_sample_of_the_other_modality_is_refused_and_the_operation_waits_on(client: Client) -> None:
    client.person(b"ivo", 1, 2)
    (face,) = client.ask("create_session", b"ivo", 1)
    client.enroll(face, b"ivo", person=13, position=0)
    (finger,) = client.ask("create_session", b"ivo", 0)
    client.enroll(finger, b"ivo", person=13, position=2)
    client.ask("authenticate", finger, 0, None)
    assert client.refused("present", finger, *client.sample(13, 0, 4), None) == "sensor.kind"
    assert client.events == []
    assert client.refused("identify", 0, *client.sample(13, 0, 4)) == "sensor.kind"
    assert client.present(finger, 13, 2, 4)[-1] == "AUTHENTICATION_SUCCEEDED"


def test_a_reboot_ends_tokens_and_sessions_and_begins_a_new_time(client: Client) -> None:
    client.person(b"jon", 1)
    (session,) = client.ask("create_session", b"jon", 0)
    client.enroll(session, b"jon", person=14, position=2)
    token = client.ask("verify_pin", b"jon", b"4711", 0)[0]
    restarts = client.ask("hello")[11]
    client.ask("reboot")
    assert client.events == [(0, "RESTARTED", [2])]
    assert client.refused("authenticate", session, 0, None) == "session.dead"
    assert client.refused("check_token", token) == "token.rejected"
    assert client.ask("hello")[11] == restarts + 1
    (session,) = client.ask("create_session", b"jon", 0)
    client.ask("authenticate", session, 0, None)
    assert client.present(session, 14, 2, 3)[-1] == "AUTHENTICATION_SUCCEEDED"


def test_faults_act_from_the_next_request_on(client: Client) -> None:
    client.person(b"kim", 1)
    (session,) = client.ask("create_session", b"kim", 0)
    client.enroll(session, b"kim", person=15, position=2)
    client.ask("fault_set", "quality_sequence", "2,5,1")
    assert client.ask("faults") == [0, [["quality_sequence", "2,5,1"]]]
    client.ask("authenticate", session, 0, None)
    seen = [client.present(session, 15, 2, impression) for impression in (3, 4, 5)]
    assert seen == [["ACQUIRED"], ["ACQUIRED"], ["ACQUIRED", "AUTHENTICATION_SUCCEEDED"]]
    assert client.refused("fault_set", "quality_sequence", "much") == "fault.value"
    assert client.refused("fault_set", "no_such_knob", "1") == "fault.unknown"
    client.ask("fault_set", "storage", "commit@900:eio")
    assert len(client.ask("fault_report")[0]) == 1
    client.ask("fault_clear", "storage")
    client.ask("fault_clear", "")
    assert client.ask("faults") == [0, []]
    assert client.refused("scenario_load", b"nonsense").startswith("scenario.")
    client.ask("scenario_load", b'format = "bioguard-scenario 2"\nseed = 7\n\n[faults]\nwrong_finger = true\n')
    assert client.ask("faults") == [7, [["wrong_finger", "true"]]]
    client.ask("authenticate", session, 0, None)
    assert client.present(session, 15, 2, 3) == ["ACQUIRED", "AUTHENTICATION_FAILED"]
    client.ask("fault_clear", "")
