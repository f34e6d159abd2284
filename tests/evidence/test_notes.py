"""Signed notes, checkpoints and proof files; OpenSSL gives the second opinion on the signature."""

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.proofs.checkpoint import Checkpoint, TlogProof, proof_of
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.merkle import leaf_hash, root_hash
from bioguard.proofs.notes import NoteKey, NoteSigner, assemble, open_note

SIGNER = NoteSigner("bioguard.example/log", bytes(range(32)))
STRANGER = NoteSigner("stranger", bytes(32))
LEAVES = [leaf_hash(bytes([i])) for i in range(11)]
CHECKPOINT = Checkpoint(SIGNER.name, len(LEAVES), root_hash(LEAVES))
NOTE = CHECKPOINT.sign(SIGNER)
ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")
"""RFC 8410 section 4: what precedes the 32 key bytes in a SubjectPublicKeyInfo."""


def _openssl(note: str, folder: Path) -> int:
    text, _, line = note.rpartition("\n\n")
    (folder / "text").write_bytes((text + "\n").encode())
    (folder / "sig").write_bytes(base64.b64decode(line.split(" ")[2])[4:])
    (folder / "key").write_bytes(ED25519_SPKI + SIGNER.key.public_key)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin"]
    return subprocess.run(
        [*command, "-in", "text", "-sigfile", "sig"], cwd=folder, capture_output=True, check=False
    ).returncode


def test_openssl_accepts_the_note_and_rejects_its_twin(tmp_path: Path) -> None:
    assert _openssl(NOTE, tmp_path) == 0
    assert _openssl(NOTE.replace("\n11\n", "\n12\n"), tmp_path) != 0


def test_the_verifier_key_of_the_go_documentation_is_read_and_written_back() -> None:
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"  # package note, golang.org/x/mod
    assert NoteKey.parse(vkey).vkey == vkey
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJ"
        "nAM=\n"
    )
    text, signed = open_note(note, [NoteKey.parse(vkey)])
    assert text.endswith("what your problem is.\n")
    assert signed == (NoteKey.parse(vkey),)


def test_a_checkpoint_reads_back() -> None:
    assert Checkpoint.open(NOTE, SIGNER.key) == CHECKPOINT
    assert CHECKPOINT.with_signature(SIGNER.key, SIGNER.sign_bytes(CHECKPOINT.text().encode())) == NOTE


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8", exclude_categories=["Cs"]))
def test_no_character_of_a_checkpoint_can_be_changed(position: int, character: str) -> None:
    bent = NOTE[:position] + character + NOTE[position + 1 :]
    if bent != NOTE:
        with pytest.raises(ProofInvalid):
            Checkpoint.open(bent, SIGNER.key)


@pytest.mark.parametrize(
    ("note", "why"),
    [
        (STRANGER.sign(CHECKPOINT.text()), "no signature by a known key"),
        (CHECKPOINT.text(), "no signature block"),
        (SIGNER.sign(CHECKPOINT.text() + "extra\n"), "extension lines"),
        (SIGNER.sign(f"another/log\n1\n{'A' * 43}=\n"), "another log"),
        (SIGNER.sign(f"{SIGNER.name}\n011\n{'A' * 43}=\n"), "not a plain decimal"),
        (SIGNER.sign(f"{SIGNER.name}\n{1 << 41}\n{'A' * 43}=\n"), "not a plain decimal"),
        (SIGNER.sign(f"{SIGNER.name}\n1\nAAAA\n"), "not 32 bytes"),
        (SIGNER.sign(f"{SIGNER.name}\n1\n{'A' * 42}B=\n"), "not canonical base64"),
        (NOTE + "x" * 1_100_000, "it is too long, more than 1048576 bytes"),
        (NOTE + STRANGER.sign("\n").rpartition("\n\n")[2] * 100, "it has 101 signature lines, at most 100 are read"),
        (NOTE.replace("\u2014", "-"), "malformed signature line"),
        (NOTE[:-1], "its last line has no end"),
        (NOTE.replace("\n11\n", "\n11\r\n"), "control characters"),
    ],
)
def test_notes_that_must_be_refused(note: str, why: str) -> None:
    with pytest.raises(ProofInvalid, match=why):
        Checkpoint.open(note, SIGNER.key)


@pytest.mark.parametrize("count", [1, 15, 16, 50, 99])
def test_up_to_a_hundred_signature_lines_are_read(count: int) -> None:
    """C2SP signed-note: at least 16 MUST be accepted, and signatures of unknown keys ignored."""
    text = CHECKPOINT.text()
    others = [NoteSigner(f"witness.example/{i}", bytes([i]) * 32) for i in range(count)]
    note = assemble(text, [(k.key, k.sign_bytes(text.encode())) for k in (*others, SIGNER)])
    assert Checkpoint.open(note, SIGNER.key) == CHECKPOINT


def test_post_quantum_signature_lines_fit() -> None:
    """C2SP signed-note: "post-quantum signatures can be up to nearly 5kB in size"."""
    line = f"\u2014 witness.example/ml-dsa {base64.b64encode(bytes(5000)).decode()}\n"
    assert Checkpoint.open(NOTE + 99 * line, SIGNER.key) == CHECKPOINT


def test_a_key_that_signed_twice_counts_once() -> None:
    """The standard asks that each line of a known key verifies, not that it stands there once."""
    line = NOTE.rpartition("\n\n")[2]
    assert open_note(NOTE + line, [SIGNER.key]) == (CHECKPOINT.text(), (SIGNER.key,))
    blob = bytearray(base64.b64decode(line.split(" ")[2]))
    blob[-1] ^= 1
    bad = f"\u2014 {SIGNER.name} {base64.b64encode(blob).decode()}\n"
    with pytest.raises(ProofInvalid, match="the signature does not verify"):
        open_note(NOTE + bad, [SIGNER.key])


def test_only_what_was_altered_is_called_altered() -> None:
    for note in (
        CHECKPOINT.text(),
        NOTE.replace("\n", "\r\n"),
        NOTE + "x" * 1_100_000,
        STRANGER.sign(CHECKPOINT.text()),
    ):
        with pytest.raises(ProofInvalid) as caught:
            Checkpoint.open(note, SIGNER.key)
        assert "altered" not in caught.value.hint + caught.value.message


def test_a_key_name_cannot_drive_a_terminal() -> None:
    for name in ("a\x9b2J", "a\u202eb", "a\u200bb", "a\x7f"):
        with pytest.raises(ProofInvalid, match="malformed verifier key"):
            NoteKey(name, bytes(32))


def test_unknown_signatures_beside_a_good_one_are_ignored() -> None:
    text = CHECKPOINT.text()
    both = assemble(text, [(k.key, k.sign_bytes(text.encode())) for k in (STRANGER, SIGNER)])
    assert open_note(both, [SIGNER.key]) == (text, (SIGNER.key,))


@pytest.mark.parametrize(
    ("vkey", "why"),
    [
        ("name+00000000+AQ==", "malformed verifier key"),
        (SIGNER.key.vkey.replace("+", "+0", 1), "malformed verifier key"),
        (f"{SIGNER.name}+{STRANGER.key.vkey.partition('+')[2]}", "does not match its id"),
        ("a b+" + SIGNER.key.vkey.partition("+")[2], "malformed verifier key"),
        ("noplus", "malformed verifier key"),
    ],
)
def test_verifier_keys_that_must_be_refused(vkey: str, why: str) -> None:
    with pytest.raises(ProofInvalid, match=why):
        NoteKey.parse(vkey)


@pytest.mark.parametrize("index", range(len(LEAVES)))
def test_a_proof_file_stands_alone(index: int) -> None:
    proof = TlogProof.parse(proof_of(LEAVES, index, NOTE).to_text())
    assert proof.verify(LEAVES[index], SIGNER.key) == CHECKPOINT
    with pytest.raises(ProofInvalid, match="inclusion proof does not verify"):
        proof.verify(LEAVES[index - 1], SIGNER.key)


def test_no_byte_of_a_proof_file_can_be_changed() -> None:
    text = proof_of(LEAVES, 6, NOTE).to_text()
    for position in range(len(text)):
        bent = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
        with pytest.raises(ProofInvalid):
            TlogProof.parse(bent).verify(LEAVES[6], SIGNER.key)


def test_a_seed_is_never_printed() -> None:
    assert SIGNER.seed.hex() not in repr(SIGNER)
    assert "seed" not in repr(SIGNER)
