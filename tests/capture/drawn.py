"""Pictures of nobody: drawn ridges, and files of every format made of them."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def ridges(height: int = 200, width: int = 160, *, period_px: float = 9.0, seed: int = 0) -> NDArray[np.uint8]:
    """Concentric ridges with a slow wave in them, gray [h, w]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(float)
    away = np.hypot(x - width / 2, (y - height / 2) * 0.8) + 4 * np.sin(x / 23) + 3 * np.sin(y / 17)
    wave = np.sin(away * 2 * np.pi / period_px) * 90 + rng.normal(0, 6, (height, width))
    return np.clip(128 + wave, 0, 255).astype(np.uint8)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(pixels: NDArray[np.uint8], *, dpi: int = 0, bits: int = 8, color: int | None = None) -> bytes:
    height, width = pixels.shape[:2]
    kind = (2 if pixels.ndim == 3 else 0) if color is None else color
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    physical = chunk(b"pHYs", struct.pack(">IIB", *[round(dpi / 0.0254)] * 2, 1)) if dpi else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    parts = [b"\x89PNG\r\n\x1a\n", header, physical, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"".join(parts)


def pnm(pixels: NDArray[np.uint8], comment: bytes = b"") -> bytes:
    kind = b"P6" if pixels.ndim == 3 else b"P5"
    return kind + b"\n" + comment + b"%d %d\n255\n" % pixels.shape[1::-1] + pixels.tobytes()


def bmp(pixels: NDArray[np.uint8], *, dpi: int = 0) -> bytes:
    """8 bit with a gray palette, rows from below."""
    height, width = pixels.shape
    step = -(-width // 4) * 4
    rows = np.zeros((height, step), np.uint8)
    rows[:, :width] = pixels[::-1]
    palette = b"".join(bytes([n, n, n, 0]) for n in range(256))
    dots = round(dpi / 0.0254)
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, rows.size, dots, dots, 256, 256)
    return b"BM" + struct.pack("<IHHI", 1078 + rows.size, 0, 0, 1078) + head + palette + rows.tobytes()


def tiff(
    pixels: NDArray[np.uint8], *, dpi: int = 0, order: str = "<", photometric: int | None = None, pages: int = 1
) -> bytes:
    """One strip, not packed."""
    height, width = pixels.shape[:2]
    samples = pixels.size // (height * width)
    kind = (2 if samples == 3 else 1) if photometric is None else photometric
    at = 8
    body = struct.pack(order + "II", dpi, 1) + struct.pack(order + "HHH", 8, 8, 8) + pixels.tobytes()
    bits = (258, 3, samples, at + 8) if samples == 3 else (258, 3, 1, 8)
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), bits, (259, 3, 1, 1), (262, 3, 1, kind), (273, 4, 1, at + 14),
        (277, 3, 1, samples), (278, 4, 1, height), (279, 4, 1, pixels.size),
    ]  # fmt: skip
    if dpi:
        tags += [(282, 5, 1, at), (283, 5, 1, at), (296, 3, 1, 2)]
    first = at + len(body)
    entries = b"".join(
        struct.pack(order + "HHI", tag, kind, many)
        + (struct.pack(order + "HH", value, 0) if (kind, many) == (3, 1) else struct.pack(order + "I", value))
        for tag, kind, many, value in tags
    )
    magic = b"II*\0" if order == "<" else b"MM\0*"
    following = struct.pack(order + "I", 8 if pages > 1 else 0)
    return magic + struct.pack(order + "I", first) + body + struct.pack(order + "H", len(tags)) + entries + following


def wsq(pixels: NDArray[np.uint8]) -> bytes:
    from _wsq import compress

    height, width = pixels.shape
    return bytes(compress(pixels.tobytes(), height, width, 2.25))


def dislocation(side: int = 256, *, turn_rad: float = 0.0, period_px: float = 9.0) -> NDArray[np.uint8]:
    """Straight ridges, one of which ends in the middle: a wave with a turn of its phase about that point.

    Without a turn the ridges are horizontal. Turned by an angle, counter-clockwise as it is looked at.
    """
    y, x = np.mgrid[:side, :side].astype(float) - (side - 1) / 2
    along = x * np.cos(turn_rad) - y * np.sin(turn_rad)
    across = x * np.sin(turn_rad) + y * np.cos(turn_rad)
    wave = np.cos(across * 2 * np.pi / period_px + np.arctan2(across, along))
    return np.clip(128 - 100 * wave, 0, 255).astype(np.uint8)


def face(
    height: int = 360, width: int = 300, *, at: tuple[int, int] = (150, 180), size: float = 1.0
) -> NDArray[np.uint8]:
    """A face of nobody, RGB: ovals, as children draw it. `at` is the middle of it, x and y."""
    import cv2

    picture = np.full((height, width, 3), (100, 120, 140), np.uint8)
    draw_face(picture, at, size)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.6 * size))


def draw_face(picture: NDArray[np.uint8], at: tuple[int, int], size: float) -> None:
    import cv2

    def oval(x: int, y: int, wide: int, high: int, color: tuple[int, int, int]) -> None:
        middle = (int(at[0] + x * size), int(at[1] + y * size))
        cv2.ellipse(picture, middle, (int(wide * size), int(high * size)), 0, 0, 360, color, -1, cv2.LINE_AA)

    hair, skin, dark = (25, 30, 40), (225, 180, 150), (30, 35, 40)
    oval(0, -20, 82, 105, hair)
    oval(0, 0, 70, 92, skin)
    oval(0, -62, 72, 34, hair)
    for side in (-1, 1):
        oval(side * 28, -14, 15, 8, (240, 240, 240))
        oval(side * 28, -14, 6, 7, dark)
        oval(side * 28, -32, 17, 4, dark)
        oval(side * 72, -2, 8, 18, (210, 165, 140))
        oval(side * 6, 28, 4, 3, (140, 95, 80))
    oval(0, 14, 10, 20, (212, 165, 135))
    oval(0, 52, 24, 8, (190, 80, 90))
    oval(0, 50, 22, 2, (110, 40, 50))
