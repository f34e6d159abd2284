"""No public name is lost, and none appears by accident.

The list was made at b8c39b1, before the tree was moved, and has since grown by `DeviceOptions.hooks` and
`Device.user_name`.
`python -m tests.meta.public_names >tests/golden/public-names.txt` writes it anew; a line that goes is a break of the
Python interface and wants a major version.
"""

from pathlib import Path

from tests.meta.public_names import public_names

GOLDEN = Path(__file__).parents[1] / "golden" / "public-names.txt"


def test_the_public_names_are_the_listed_ones() -> None:
    listed, present = set(GOLDEN.read_text("utf-8").split()), set(public_names())
    assert sorted(listed - present) == [], "lost"
    assert sorted(present - listed) == [], "new: list them if they are meant to be promised"
