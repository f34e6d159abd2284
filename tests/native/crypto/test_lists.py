"""What the headers and the documentation say of the algorithms, against the table."""

import re
from itertools import product
from pathlib import Path

from tee_sim.gp_api.algorithms import ALGORITHMS

ROOT = Path(__file__).parents[3]
INCLUDE = ROOT / "tee_sim/dev_kit/include"
HERE = {row.name: row.number for row in ALGORITHMS.values()}
OF_CURVES = {f"ECDSA_{curve}" for curve in ("P192", "P224", "P256", "P384", "P521")}


def defined() -> dict[str, int]:
    text = "".join(
        (INCLUDE / name).read_text("ascii") for name in ("tee_api_defines.h", "tee_api_defines_extensions.h")
    )
    rows = re.findall(r"^#define TEE_ALG_(\w+) +(0x[0-9A-Fa-f]+)u?$", text, re.MULTILINE)
    return {name: int(number, 16) for name, number in rows if name != "ILLEGAL_VALUE"}


def expanded(pattern: str) -> set[str]:
    """`A_{B,C}` is A_B and A_C."""
    parts = [part.split(",") for part in re.split(r"[{}]", pattern)]
    return {"".join(choice) for choice in product(*parts)}


def listed(title: str) -> set[str]:
    """Names in the table under this head."""
    text = (ROOT / "docs/gp-api.md").read_text("utf-8").split("## Cryptography of native applications")[1]
    table = text.split(f"| {title} |", 1)[1].split("\n\n", 1)[0]
    rows = [row for row in table.splitlines()[2:] if row.startswith("|")]
    cells = [" ".join(re.findall(r"`([^`]+)`", row.split("|")[2 if title == "class" else 1])).split() for row in rows]
    return set().union(*(expanded(one) for cell in cells for one in cell))


def test_what_is_documented_is_what_is_there() -> None:
    assert listed("class") == set(HERE)


def test_what_is_not_supported_is_the_rest_of_the_headers() -> None:
    assert listed("not supported") == set(defined()) - set(HERE)


def test_headers_and_table_have_the_same_numbers() -> None:
    """They were written apart. In the headers, the curves of ECDSA are version 1.1's other numbers (docs/gp-api.md)."""
    both = defined()
    assert set(HERE) <= set(both)
    assert {name for name in HERE if both[name] != HERE[name]} == OF_CURVES
    assert all(both[name] == HERE[name] + 1 for name in OF_CURVES)
