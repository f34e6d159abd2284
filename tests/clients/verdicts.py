"""Reads bodies (u32 little-endian length, bytes) and prints 1 for each that the client's codec takes, 0 for others."""

import sys

from bioguard2 import Malformed, decode

data, at, verdicts = sys.stdin.buffer.read(), 0, ""
while at < len(data):
    end = at + 4 + int.from_bytes(data[at : at + 4], "little")
    try:
        decode(data[at + 4 : end])
        verdicts += "1"
    except Malformed:
        verdicts += "0"
    at = end
sys.stdout.write(verdicts)
