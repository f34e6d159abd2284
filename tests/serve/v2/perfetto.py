"""Ask Perfetto's trace engine, in Node, what it makes of a file. Its protocol: perfetto/protos trace_processor.proto.

A stream of `TraceProcessorRpc`, field 1 of the stream: seq 1, request 2, append_trace_data 101, query_args 103
(sql_query 1), query_result 203 (error 2, batch 3: string_cells 5, texts that end with a zero byte).
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

_APPEND, _FINALIZE, _QUERY = 1, 2, 3


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _request(seq: int, method: int, args: bytes = b"") -> bytes:
    return _bytes(1, b"\x08" + _varint(seq) + b"\x10" + _varint(method) + args)


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each field of a message; numbers are skipped."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 2:
            length = number()
            yield key >> 3, data[at : at + length]
            at += length
        elif key & 7 == 0:
            number()
        else:
            at += {1: 8, 5: 4}[key & 7]


def ask(engine: Path, trace: Path, queries: list[str]) -> list[list[str]]:
    """The rows of each query, which has one column of text."""
    stream = _request(1, _APPEND, _bytes(101, trace.read_bytes())) + _request(2, _FINALIZE)
    for seq, query in enumerate(queries, start=3):
        stream += _request(seq, _QUERY, _bytes(103, _bytes(1, query.encode())))
    requests, answers = trace.with_name("requests"), trace.with_name("answers")
    requests.write_bytes(stream)
    command = ["node", str(Path(__file__).with_name("perfetto.mjs")), str(engine), str(requests), str(answers)]
    environment = os.environ | {"REPLIES": str(2 + len(queries))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found = []
    for _, reply in _fields(answers.read_bytes()):
        for field, result in _fields(reply):
            if field == 203:
                parts = list(_fields(result))
                assert [text for number, text in parts if number == 2 and text] == []
                batches = [
                    cells for number, batch in parts if number == 3 for kind, cells in _fields(batch) if kind == 5
                ]
                found.append([row for cells in batches for row in cells.decode().split("\0") if row])
    return found
