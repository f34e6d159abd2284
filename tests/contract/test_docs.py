"""Generated parts of the contract's pages equal the code. BIOGUARD_UPDATE_DOCS=1 rewrites them."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.oracle import told
from bioguard.evidence.attack.bench import ATTACKS
from bioguard.hal.session import diagram
from bioguard.records.modality import Modality
from bioguard.records.strength import ABILITIES
from bioguard.serve.methods import METHODS
from bioguard.simulate.knobs.table import KNOBS
from tee_sim.shared import schema

DOCS = Path(__file__).parents[2] / "docs"


def session() -> str:
    return f"```mermaid\n{diagram()}```\n"


def strengths() -> str:
    rows = [
        "| class | tokens, authenticator id | apps | keystore | spoof acceptance | PIN every "
        "| PIN after 4 h idle or 3 failures |",
        "|---|---|---|---|---|---|---|",
    ]
    for strength in sorted(ABILITIES, reverse=True):
        a = ABILITIES[strength]
        spoof = (
            f"<= {a.spoof_accept_max_percent} %"
            if a.spoof_accept_max_percent < 100
            else "no limit, disclosed above 7 %"
        )
        words = ["yes" if v else "no" for v in (a.tokens, a.prompt, a.keystore)]
        cells = [f"{a.cdd_class}, {strength.name.lower()}", *words, spoof, f"{a.credential_every_h} h"]
        rows.append("| " + " | ".join([*cells, "yes" if a.idle_fallback else "no"]) + " |")
    return "\n".join(rows) + "\n"


def knobs() -> str:
    rows = ["| knob | acts on | read | default | sensors | value | meaning |", "|---|---|---|---|---|---|---|"]
    for k in KNOBS.values():
        kinds = "both" if len(k.kinds) == len(Modality) else k.kinds[0].name.lower()
        form = k.values.replace("|", "\\|")
        ours = " (bioguard)" if k.origin == "bioguard" else ""
        default = f"`{k.default}`" if k.default else "empty"
        cells = (f"`{k.name}`{ours}", k.acts_on.value, k.read_at.value, default, kinds, form, k.meaning)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _fields(record: type[schema.Record]) -> str:
    shown = []
    for field in schema.record_fields(record):
        bound = field.bound
        text = field.kind.__name__ if bound is None or field.item else re.sub(r"\w+=", "", repr(bound))
        if field.item is not None:
            text = f"list of up to {bound.count}"
        shown.append(f"{field.name}: {text}{' or null' if field.optional else ''}")
    return "; ".join(shown) or "none"


def methods() -> str:
    rows = ["| number | method | request fields | answer fields |", "|---|---|---|---|"]
    rows += [f"| {m.number} | {m.name} | {_fields(m.request)} | {_fields(m.reply)} |" for m in METHODS.values()]
    return "\n".join(rows) + "\n"


def attacks() -> str:
    rows = [f"{len(ATTACKS)} attacks.\n", "| name | what is tried | source |", "|---|---|---|"]
    return "\n".join(rows + [f"| `{a.name}` | {a.title} | {a.source} |" for a in ATTACKS]) + "\n"


BLOCKS: list[tuple[str, str, Callable[[], str]]] = [
    ("android-contract.md", "session", session),
    ("android-contract.md", "strengths", strengths),
    ("android-contract.md", "knobs", knobs),
    ("formats/serve.md", "methods", methods),
    ("attack.md", "attacks", attacks),
    ("protection.md", "told", told.page),
]


@pytest.mark.parametrize(("page", "name", "make"), BLOCKS, ids=[b[1] for b in BLOCKS])
def test_generated_block_is_current(page: str, name: str, make: Callable[[], str]) -> None:
    path = DOCS / page
    text = path.read_text("utf-8")
    pattern = re.compile(rf"(<!-- generated: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
    fresh = pattern.sub(lambda m: m[1] + make() + m[3], text)
    assert pattern.search(text)
    if os.environ.get("BIOGUARD_UPDATE_DOCS"):
        path.write_text(fresh, "utf-8")
    assert path.read_text("utf-8") == fresh


def test_every_test_file_named_in_the_contract_exists() -> None:
    text = (DOCS / "android-contract.md").read_text("utf-8")
    here = Path(__file__).parent
    for name in set(re.findall(r"`(test_\w+\.py)`", text)):
        assert (here / name).exists(), name


def test_the_example_frame_of_the_serve_page() -> None:
    from tee_sim.shared import codec

    text = (DOCS / "formats" / "serve.md").read_text("utf-8")
    shown = bytes.fromhex(re.search(r"id 5: `([0-9a-f ]+)`", text)[1])
    body = codec.encode([1, 5, 20, [b"carol", 2]])
    assert shown == len(body).to_bytes(4, "little") + body
