"""Every way we can think of to write a canary down: base encodings times transforms, and decimal text."""

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import cbor2
import numpy as np
from numpy.typing import NDArray

from bioguard.evidence.leak_scan.canaries import Canaries


def _bfloat16(values: NDArray[np.float32], order: str) -> bytes:
    return (values.astype("<f4").view("<u4") >> 16).astype(f"{order}u2").tobytes()


def _face(values: NDArray[np.float32]) -> Iterator[tuple[str, bytes]]:
    for name in ("f4", "f8", "f2"):
        for order in "<>":
            yield f"{name}{order}", values.astype(f"{order}{name}").tobytes()
    for order in "<>":
        yield f"bf16{order}", _bfloat16(values, order)
        yield f"i2{order}", np.rint(values * 32767).astype(f"{order}i2").tobytes()
    peak = float(np.abs(values).max())
    for name, scale in (("peak", 127 / peak), ("unit", 127.0), ("x512", 512.0)):
        quantized = np.clip(np.rint(values * scale), -128, 127).astype(np.int8)
        yield f"i1 {name}", quantized.tobytes()
        yield f"u1 {name}", (quantized.astype(np.int16) + 128).astype(np.uint8).tobytes()
    yield "sign bits", np.packbits(values > 0).tobytes()
    yield "sign bits little", np.packbits(values > 0, bitorder="little").tobytes()


def _minutiae(canaries: Canaries) -> Iterator[tuple[str, bytes]]:
    finger = canaries.finger
    x, y, angle = finger.x_px500, finger.y_px500, finger.angle_rad
    turns = angle / (2 * np.pi)
    layouts: dict[str, tuple[NDArray[np.float32], np.dtype[Any]]] = {
        "u1": (np.stack([x / 2, y / 2, turns * 256], 1), np.dtype("u1")),
        "u2<": (np.stack([x, y, turns * 360], 1), np.dtype("<u2")),
        "u2>": (np.stack([x, y, turns * 360], 1), np.dtype(">u2")),
        "u2 sixteenth": (np.stack([x * 16, y * 16, turns * 65536], 1), np.dtype("<u2")),
        "i4": (np.stack([x, y, turns * 360], 1), np.dtype("<i4")),
        "f4": (np.stack([x, y, angle], 1), np.dtype("<f4")),
    }
    for name, (table, kind) in layouts.items():
        whole = np.rint(table).astype(np.int64) % (1 << 8 * kind.itemsize) if kind.kind != "f" else table
        cells = whole.astype(kind)
        yield f"minutiae {name} rows", cells.tobytes()
        yield f"minutiae {name} columns", np.ascontiguousarray(cells.T).tobytes()
    iso = np.zeros(len(finger), dtype=[("x", ">u2"), ("y", ">u2"), ("angle", "u1"), ("quality", "u1")])
    iso["x"] = (finger.kind.astype(np.uint16) << 14) | np.rint(x).astype(np.uint16)
    iso["y"] = np.rint(y)
    iso["angle"] = np.rint(turns * 256).astype(np.int64) % 256
    iso["quality"] = finger.quality
    yield "ISO 19794-2 records", iso.tobytes()
    yield "canonical minutiae", finger.to_bytes()[8:]


def _tagged(canaries: Canaries) -> Iterator[tuple[str, bytes]]:
    """Numbers with a type byte each, as CBOR and pickle write lists."""
    exact, rounded = canaries.face, canaries.embedding.vector
    yield "face CBOR f8", b"".join(b"\xfb" + struct.pack(">d", v) for v in exact)
    yield "face CBOR f4", b"".join(b"\xfa" + struct.pack(">f", v) for v in exact)
    yield "face CBOR f2", b"".join(b"\xf9" + struct.pack(">e", v) for v in rounded)
    yield "face pickle", b"".join(b"G" + struct.pack(">d", v) for v in exact)
    finger = canaries.finger
    rows = zip(finger.x_px500, finger.y_px500, finger.angle_rad, strict=True)
    yield "minutiae CBOR", cbor2.dumps([[round(float(v)) for v in row] for row in rows])


def base_encodings(canaries: Canaries) -> dict[str, bytes]:
    """Name -> bytes of every binary form."""
    found = {f"face {name}": data for name, data in _face(canaries.face)}
    rounded = canaries.embedding
    found["face canonical"] = rounded.to_bytes()[4:]
    found["face canonical f4<"] = rounded.vector.astype("<f4").tobytes()
    found |= dict(_minutiae(canaries)) | dict(_tagged(canaries))
    if canaries.key:
        found["key"] = canaries.key
    return found | canaries.identities


def _base64(data: bytes, offset: int, table: bytes | None) -> bytes:
    """What base64 of a larger text shows when the canary starts at `offset` modulo 3."""
    text = base64.b64encode(bytes(offset) + data, table)
    return text[4 if offset else 0 : -4]


TRANSFORMS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "raw": lambda d: d,
    "reversed": lambda d: d[::-1],
    "hex": lambda d: d.hex().encode(),
    "HEX": lambda d: d.hex().upper().encode(),
    "base64 +0": lambda d: _base64(d, 0, None),
    "base64 +1": lambda d: _base64(d, 1, None),
    "base64 +2": lambda d: _base64(d, 2, None),
    "base64url +0": lambda d: _base64(d, 0, b"-_"),
    "base64url +1": lambda d: _base64(d, 1, b"-_"),
    "base64url +2": lambda d: _base64(d, 2, b"-_"),
    "base32": lambda d: base64.b32encode(d)[:-8],
    "base85": base64.b85encode,
    "inverted": lambda d: bytes(255 - b for b in d),
    "UTF-16 hex": lambda d: d.hex().encode("utf-16-le"),
    "escapes": lambda d: b"".join(b"\\x%02x" % b for b in d),
}


def text_forms(canaries: Canaries) -> dict[str, bytes]:
    """Decimal text, as logs and JSON write numbers."""
    face = [float(v) for v in canaries.face]
    rounded = [float(v) for v in canaries.embedding.vector]
    finger = canaries.finger
    rows = [[round(float(v)) for v in row] for row in zip(finger.x_px500, finger.y_px500, strict=True)]
    return {
        "text repr": json.dumps(face).encode(),
        "text repr of float16": json.dumps(rounded).encode(),
        "text %.6f": ", ".join(f"{v:.6f}" for v in face).encode(),
        "text %.4f": ", ".join(f"{v:.4f}" for v in face).encode(),
        "text %.6e": " ".join(f"{v:.6e}" for v in face).encode(),
        "text CSV %.8g": ",".join(f"{v:.8g}" for v in face).encode(),
        "text minutiae": json.dumps(rows).encode(),
    }


def transformed(binary: Mapping[str, bytes]) -> dict[str, bytes]:
    """Each of some byte strings in every transform."""
    return {f"{name}, {how}": change(data) for name, data in binary.items() for how, change in TRANSFORMS.items()}


def encodings(canaries: Canaries) -> dict[str, bytes]:
    """Every base encoding in every transform, and the text forms: name -> bytes."""
    return transformed(base_encodings(canaries)) | text_forms(canaries)
