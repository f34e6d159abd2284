"""RFC 6962 trees against pymerkle, every size and index up to 20, and proofs that must not verify."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree, InvalidProof
from pymerkle import verify_consistency as pymerkle_consistency
from pymerkle import verify_inclusion as pymerkle_inclusion

from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [bytes([i]) * (i % 7) for i in range(20)]
LEAVES = [leaf_hash(e) for e in ENTRIES]


def _other(n: int) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for entry in ENTRIES[:n]:
        tree.append_entry(entry)
    return tree


@pytest.mark.parametrize("n", range(21))
def test_roots_are_those_of_pymerkle(n: int) -> None:
    assert root_hash(LEAVES[:n]) == _other(n).get_root()


def test_the_empty_tree_hashes_to_sha256_of_nothing() -> None:
    assert root_hash([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("n", range(1, 21))
def test_inclusion_paths_are_those_of_pymerkle(n: int) -> None:
    tree = _other(n)
    for index in range(n):
        theirs = tree.prove_inclusion(index + 1, n)  # one-based, and its path starts with the leaf itself
        pymerkle_inclusion(LEAVES[index], root_hash(LEAVES[:n]), theirs)
        assert [bytes.fromhex(h) for h in theirs.serialize()["path"]][1:] == list(inclusion_proof(LEAVES[:n], index))
        verify_inclusion(LEAVES[index], index, n, inclusion_proof(LEAVES[:n], index), root_hash(LEAVES[:n]))


@pytest.mark.parametrize("n", range(1, 21))
def test_consistency_between_any_two_sizes_agrees_with_pymerkle(n: int) -> None:
    tree = _other(n)
    for old in range(1, n + 1):
        pymerkle_consistency(root_hash(LEAVES[:old]), root_hash(LEAVES[:n]), tree.prove_consistency(old, n))
        proof = consistency_proof(LEAVES[:n], old)
        verify_consistency(old, root_hash(LEAVES[:old]), n, root_hash(LEAVES[:n]), proof)
        with pytest.raises(ProofInvalid):
            verify_consistency(old, leaf_hash(b"x"), n, root_hash(LEAVES[:n]), proof)
        with pytest.raises(ProofInvalid):
            verify_consistency(old, root_hash(LEAVES[:old]), n, leaf_hash(b"x"), proof)
    with pytest.raises(InvalidProof):
        pymerkle_consistency(leaf_hash(b"x"), root_hash(LEAVES[:n]), tree.prove_consistency(n, n))


@pytest.mark.parametrize("n", range(2, 21))
def test_pymerkle_rejects_what_we_reject(n: int) -> None:
    tree, root = _other(n), root_hash(LEAVES[:n])
    for index in range(n):
        with pytest.raises(InvalidProof):
            pymerkle_inclusion(leaf_hash(b"another"), root, tree.prove_inclusion(index + 1, n))
        with pytest.raises(InvalidProof):
            pymerkle_inclusion(LEAVES[index], leaf_hash(b"another"), tree.prove_inclusion(index + 1, n))
        with pytest.raises(ProofInvalid):
            verify_inclusion(LEAVES[index], index, n, inclusion_proof(LEAVES[:n], index), leaf_hash(b"another"))


@given(st.integers(1, 20), st.data())
def test_a_proof_holds_for_its_own_leaf_index_size_and_root_only(n: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, n - 1))
    path, root = inclusion_proof(LEAVES[:n], index), root_hash(LEAVES[:n])
    other_index = data.draw(st.integers(0, n - 1))
    if other_index != index:
        with pytest.raises(ProofInvalid):
            verify_inclusion(LEAVES[index], other_index, n, path, root)
    with pytest.raises(ProofInvalid):
        verify_inclusion(leaf_hash(b"another"), index, n, path, root)
    for wrong in ((*path, EMPTY_ROOT), path[:-1]):
        if wrong != path:
            with pytest.raises(ProofInvalid, match="inclusion proof does not verify"):
                verify_inclusion(LEAVES[index], index, n, wrong, root)
    for position in range(len(path)):
        bent = (*path[:position], EMPTY_ROOT, *path[position + 1 :])
        with pytest.raises(ProofInvalid):
            verify_inclusion(LEAVES[index], index, n, bent, root)


@given(st.integers(0, 300))
def test_the_frontier_grows_to_the_same_root_and_stays_small(n: int) -> None:
    leaves = [leaf_hash(i.to_bytes(2, "big")) for i in range(n)]
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.append(leaf)
    assert frontier == Frontier.of(leaves)
    assert frontier.root() == root_hash(leaves)
    assert len(frontier.peaks) == n.bit_count()


def test_a_frontier_with_a_peak_too_many_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="one peak for each bit"):
        Frontier(4, (EMPTY_ROOT, EMPTY_ROOT))


def test_consistency_with_the_empty_tree_needs_no_hash_and_the_true_empty_root() -> None:
    verify_consistency(0, EMPTY_ROOT, 5, root_hash(LEAVES[:5]), ())
    with pytest.raises(ProofInvalid):
        verify_consistency(0, LEAVES[0], 5, root_hash(LEAVES[:5]), ())
    with pytest.raises(ProofInvalid):
        verify_consistency(3, root_hash(LEAVES[:3]), 5, root_hash(LEAVES[:5]), ())


def test_a_log_that_rewrote_an_entry_is_found_out() -> None:
    rewritten = [*LEAVES[:3], leaf_hash(b"rewritten"), *LEAVES[4:9]]
    with pytest.raises(ProofInvalid, match="consistency proof does not verify"):
        verify_consistency(5, root_hash(LEAVES[:5]), 9, root_hash(rewritten), consistency_proof(rewritten, 5))
