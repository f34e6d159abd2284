"""A second reader of the binary minutiae formats that shares no code with the product.

Struct literals by offset, written from the field tables in docs/formats/minutiae.md. It does not check anything: it
is compared with the product on files that the product accepts. Run with `runpy` by the tests.
"""

import struct


def _rows(octets, at, count, size=6):
    rows = []
    for i in range(count):
        x, y, angle = struct.unpack_from(">HHB", octets, at + i * size)
        quality = octets[at + i * size + 5] if size == 6 else 254
        rows.append((x // 16384, x % 16384, y, angle, quality))
    return rows, at + count * size


def _extended(octets, at):
    total = struct.unpack_from(">H", octets, at)[0]
    end, at, blocks = at + 2 + total, at + 2, []
    while at < end:
        kind, length = struct.unpack_from(">HH", octets, at)
        blocks.append((kind, octets[at + 4 : at + length]))
        at += length
    return blocks, at


def _views20(octets, at, count, image):
    views = []
    for _ in range(count):
        position, packed, quality, n = octets[at : at + 4]
        rows, at = _rows(octets, at + 4, n)
        blocks, at = _extended(octets, at)
        views.append({"position": position, "view_number": packed // 16, "impression": packed % 16,
                      "quality": quality, "image": image, "minutiae": rows, "extended": blocks})  # fmt: skip
    return views


def iso2005(octets):
    return _views20(octets, 24, octets[22], struct.unpack_from(">4H", octets, 14))


def ansi2004(octets):
    shift = 4 if octets[8:10] == b"\0\0" else 0
    return _views20(octets, 26 + shift, octets[24 + shift], struct.unpack_from(">4H", octets, 16 + shift))


def ansi2009(octets):
    at, views = 21, []
    for _ in range(octets[19]):
        position, number, impression, quality = octets[at : at + 4]
        image = struct.unpack_from(">4H", octets, at + 8)
        rows, end = _rows(octets, at + 17, octets[at + 16])
        blocks, end = _extended(octets, end)
        views.append({"position": position, "view_number": number, "impression": impression, "quality": quality,
                      "image": image, "minutiae": rows, "extended": blocks})  # fmt: skip
        at = end
    return views


def iso2011(octets):
    at, views = 15, []
    for _ in range(struct.unpack_from(">H", octets, 12)[0]):
        start, length = at, struct.unpack_from(">I", octets, at)[0]
        n_quality = octets[at + 18]
        qualities = [struct.unpack_from(">BHH", octets, at + 19 + 5 * i) for i in range(n_quality)]
        at += 19 + 5 * n_quality
        certifications = None
        if octets[14]:
            certifications = [struct.unpack_from(">HB", octets, at + 1 + 3 * i) for i in range(octets[at])]
            at += 1 + 3 * len(certifications)
        position, number, x_res, y_res, impression, width, height, packed, n = struct.unpack_from(
            ">BBHHBHHBB", octets, at
        )
        rows, at = _rows(octets, at + 13, n, packed // 16)
        blocks, at = _extended(octets, at)
        assert at == start + length
        views.append({"position": position, "view_number": number, "impression": impression,
                      "image": (width, height, x_res, y_res), "minutiae": rows, "extended": blocks,
                      "capture_date": octets[start + 4 : start + 13], "technology": octets[start + 13],
                      "vendor": struct.unpack_from(">H", octets, start + 14)[0],
                      "device": struct.unpack_from(">H", octets, start + 16)[0],
                      "qualities": qualities, "certifications": certifications,
                      "ending_type": packed % 16})  # fmt: skip
    return views
