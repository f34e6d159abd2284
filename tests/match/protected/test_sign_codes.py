"""Sign codes and scalar codes against a dense float64 implementation, and the properties they are used for."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.kernels import available
from bioguard.match.protected import CodeContext, ScalarCoder, SignCoder, per_record_codes, per_record_distances

SECRET = bytes(range(32))
VECTORS = sorted((Path(__file__).parents[2] / "vectors" / "codes").glob("*.json"))
DIMENSIONS = (64, 65, 100, 128, 192, 512, 768, 1024)


def context(dimension: int = 512, **changes: object) -> CodeContext:
    return CodeContext(**{"secret": SECRET, "dimension": dimension, "model_id": "test", **changes})  # type: ignore[arg-type]


def people(n: int, dimension: int, seed: int = 1) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((n, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sylvester(size: int) -> NDArray[np.float64]:
    matrix = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.kron(np.array([[1, 1], [1, -1]]), matrix)
    return matrix


def dense_rotation(c: CodeContext, purpose: bytes, block: int, blocks: int, salt: bytes = b"") -> NDArray[np.float64]:
    """docs/formats/codes.md sections 2 and 3 written a second time, as one orthonormal float64 matrix [padded, d]."""
    padded = 64
    while padded < c.dimension:
        padded *= 2
    parts = [b"bioguard-code-signs-v1", c.secret, purpose, c.model_id.encode()]
    message = b"".join(len(p).to_bytes(1, "big") + p for p in parts)
    message += c.dimension.to_bytes(4, "big") + c.epoch.to_bytes(8, "big") + len(salt).to_bytes(1, "big") + salt
    stream = int.from_bytes(hashlib.shake_256(message).digest(blocks * 3 * padded // 8), "little")
    matrix = np.eye(padded)
    for round_ in range(3):
        offset = (block * 3 + round_) * padded
        signs = np.array([-1.0 if stream >> (offset + i) & 1 else 1.0 for i in range(padded)])
        matrix = sylvester(padded) / np.sqrt(padded) @ (signs[:, None] * matrix)
    return matrix[:, : c.dimension]


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("n_bits", [64, 1024, 1088, 2048])
def test_every_kernel_makes_the_same_codes(dimension: int, n_bits: int) -> None:
    """Sums of small whole numbers are often zero, whose bit is not set."""
    rng, c = np.random.default_rng(2), context(dimension, epoch=3)
    for x in (
        people(70, dimension),
        rng.integers(-2, 3, (70, dimension)) + np.eye(70, dimension) * 9,
        np.eye(dimension),
    ):
        codes = [SignCoder(c, n_bits=n_bits, kernel=kernel).encode(x) for kernel in ("numpy", *available())]
        assert all(np.array_equal(codes[0], other) for other in codes[1:])


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("n_bits", [64, 1024, 1088])
def test_sign_codes_agree_with_dense_matrices(dimension: int, n_bits: int) -> None:
    c = context(dimension, epoch=7)
    x = people(20, dimension)
    blocks = -(-n_bits // c.padded)
    y = np.concatenate([x @ dense_rotation(c, b"sign", b, blocks).T for b in range(blocks)], axis=1)[:, :n_bits]
    assert np.abs(y).min() > 1e-7  # no bit hangs on rounding
    codes = SignCoder(c, n_bits=n_bits).encode(x)
    assert codes.dtype == np.uint8
    assert codes.shape == (20, n_bits // 8)
    assert np.array_equal(np.unpackbits(codes, axis=1, bitorder="little"), (y > 0).astype(np.uint8))


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_scalar_codes_agree_with_dense_matrices(dimension: int) -> None:
    c = context(dimension)
    x = people(20, dimension)
    bits, clip = (4, 3.0) if dimension > 256 else (6, 3.6)
    y = x @ dense_rotation(c, b"scalar", 0, 1).T * np.sqrt(c.padded)
    steps = np.clip(np.floor(y / (2 * clip / 2**bits)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    coder = ScalarCoder(c)
    codes = coder.encode(x)
    assert codes.shape == (20, c.padded * bits // 8) == (20, coder.n_bytes)
    values = steps + 0.5
    expected = values / np.linalg.norm(values, axis=1, keepdims=True)
    assert np.abs(coder.decode(codes) - expected).max() < 1e-6
    rounding = c.padded * 2.0**-24  # of a float32 product of unit vectors, whatever order a BLAS kernel sums in
    assert np.abs(coder.similarities(codes[:3], codes) - expected[:3] @ expected.T).max() < rounding


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 6


@pytest.mark.parametrize("path", VECTORS, ids=lambda p: p.stem)
def test_vector(path: Path) -> None:
    vector = json.loads(path.read_text())
    c = CodeContext(
        secret=bytes.fromhex(vector["secret"]),
        dimension=vector["dimension"],
        model_id=vector["model_id"],
        epoch=vector["epoch"],
    )
    ramp = np.arange(c.dimension) * 37 % 101 - 50.0  # docs/formats/codes.md section 5
    code = bytes.fromhex(vector["code"])
    match vector["kind"]:
        case "sign":
            assert SignCoder(c, n_bits=vector["n_bits"]).encode(ramp).tobytes() == code
        case "per-record":
            salts = [bytes.fromhex(vector["salt"])]
            assert per_record_codes(c, salts, ramp, n_bits=vector["n_bits"]).tobytes() == code
        case "scalar":
            assert ScalarCoder(c).encode(ramp).tobytes() == code
        case kind:
            pytest.fail(f"unknown kind {kind}")


def test_batches_and_single_rows_give_the_same_code() -> None:
    x = people(150, 128)
    coder, scalar = SignCoder(context(128)), ScalarCoder(context(128))
    codes, levels = coder.encode(x), scalar.encode(x)
    for i in (0, 63, 64, 149):
        assert np.array_equal(coder.encode(x[i]), codes[i : i + 1])
        assert np.array_equal(coder.encode(3.5 * x[i]), codes[i : i + 1])
        assert np.array_equal(scalar.encode(x[i]), levels[i : i + 1])


@pytest.mark.parametrize(
    "other",
    [{"secret": bytes(32)}, {"epoch": 1}, {"model_id": "tesu"}],
    ids=["secret", "epoch", "model"],
)
def test_contexts_give_unrelated_codes(other: dict[str, object]) -> None:
    x = people(200, 512)
    same, renewed = SignCoder(context()).encode(x), SignCoder(context(**other)).encode(x)
    distances = np.bitwise_count(same ^ renewed).sum(axis=1)
    assert abs(distances.mean() - 512) < 6  # 200 x 1024 fair bits: standard error 1.1
    assert distances.min() > 400
    assert not np.array_equal(ScalarCoder(context()).encode(x), ScalarCoder(context(**other)).encode(x))


def test_distance_estimates_the_angle() -> None:
    x = people(300, 512)
    y = 0.6 * x + 0.8 * people(300, 512, seed=2)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    coder = SignCoder(context())
    share = np.bitwise_count(coder.encode(x) ^ coder.encode(y)).sum(axis=1) / 1024
    error = share - np.arccos(np.sum(x * y, axis=1)) / np.pi
    assert abs(error.mean()) < 0.002
    assert error.std() < 0.0155  # independent bits would give 0.0143; orthonormal blocks measured below that


def test_per_record_salts() -> None:
    x = people(70, 100)
    salts = [bytes([i]) * 16 for i in range(70)]
    codes = per_record_codes(context(100), salts, x, n_bits=512)
    for i in (0, 64, 69):
        assert np.array_equal(per_record_codes(context(100), [salts[i]], x[i], n_bits=512), codes[i : i + 1])
        y = np.concatenate(
            [x[i] @ dense_rotation(context(100), b"sign-per-record", b, 4, salts[i]).T for b in range(4)]
        )
        assert np.array_equal(np.unpackbits(codes[i], bitorder="little"), (y > 0).astype(np.uint8))
    distances = per_record_distances(context(100), salts, codes, x[5])
    assert distances.dtype == np.uint16
    assert distances[5] == 0
    assert np.delete(distances, 5).min() > 150
    one_person = per_record_codes(context(100), salts, x[0], n_bits=512)
    pairs = np.bitwise_count(one_person[:, None] ^ one_person[None]).sum(axis=2)[np.triu_indices(70, 1)]
    assert abs(pairs.mean() - 256) < 3


def refused(message: str, call: object, *args: object, **named: object) -> None:
    with pytest.raises(InputRefused) as caught:
        call(*args, **named)  # type: ignore[operator]
    assert str(caught.value) == message
    assert caught.value.hint


def test_refusals() -> None:
    refused("an epoch secret has 32 bytes", context, secret=b"short")
    refused("codes for 63 dimensions, expected 64 to 1024", context, 63)
    refused("codes for 1025 dimensions, expected 64 to 1024", context, 1025)
    refused("model id or epoch out of range", context, model_id="x" * 256)
    refused("model id or epoch out of range", context, epoch=-1)
    refused("a code of 100 bits, expected a multiple of 64 up to 65472", SignCoder, context(), n_bits=100)
    refused("a record salt has at most 64 bytes", per_record_codes, context(), [bytes(65)], people(1, 512))
    refused("2 embeddings for 3 salts", per_record_codes, context(), [b"a", b"b", b"c"], people(2, 512))
    refused("face embeddings have 511 dimensions, this gallery holds 512", SignCoder(context()).encode, people(1, 511))
    refused(
        "scalar codes have shape (1, 5) and dtype uint8, expected uint8 [n, 256]",
        ScalarCoder(context()).decode,
        np.zeros((1, 5), np.uint8),
    )


def test_the_secret_is_not_printed() -> None:
    assert SECRET.hex() not in repr(context())
    assert repr(SECRET) not in repr(context())
