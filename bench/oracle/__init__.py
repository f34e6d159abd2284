"""What a device gives away about the faces on it: attackers that learn from every answer, against guessing.

See `python -m bench.oracle --help`.
"""
