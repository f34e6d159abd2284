"""A short form of `python -m tests.campaigns.broken_products`: the list, the operators, and a sample of it played."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from bioguard.evidence.policy_clauses import CLAUSES
from tests.campaigns.broken_products import PRODUCTS, __main__, page
from tests.campaigns.broken_products.model import ROOT, Outcome, Product, Result
from tests.campaigns.broken_products.operators import (
    Edit,
    Stale,
    added,
    answers,
    before_return,
    begins,
    changes,
    instead,
    text,
    value,
    without,
)
from tests.campaigns.broken_products.play import failed, play, silent
from tests.campaigns.broken_products.survivors import REASONS

DEAR = tuple(
    pytest.param(name, marks=pytest.mark.campaign)
    for name in ("05-fingers-unasked", "13-a-day", "14-partners", "22-score")
)
SAMPLE = ("01-one-view", "19-annex", *DEAR)
"""One of several kinds of trial; the campaign plays the others, and tests/policy breaks each trial."""
SOURCE = '''LIMIT = 5


class Desk:
    """Ask."""

    def ask(self, who: str) -> int:
        """Answer."""
        if not who:
            raise ValueError(who)
        if len(who) > LIMIT:
            return -1
        return len(who)
'''


def test_every_promise_is_broken_in_four_ways_or_more() -> None:
    counted = Counter(product.promise for product in PRODUCTS.values())
    assert set(counted) == {clause.id for clause in CLAUSES}
    assert min(counted.values()) >= 4
    assert len({product.fingerprint() for product in PRODUCTS.values()}) >= 150


def test_every_break_still_applies() -> None:
    """A replacement that applies no more is an error, never a kill; what it makes is Python."""
    for product in PRODUCTS.values():
        for file, before, after in changes(ROOT, product.edits):
            assert before != after
            ast.parse(after)
            assert not file.startswith("src/bioguard/evidence/"), "the check is not what is broken"


def broken(edit: Edit) -> dict[str, object]:
    """The names of the broken source."""
    names: dict[str, object] = {}
    exec(edit.apply(SOURCE), names)
    return names


def asked(edit: Edit, who: str) -> object:
    return broken(edit)["Desk"]().ask(who)  # type: ignore[operator]


def test_operators() -> None:
    assert asked(without("f", "Desk.ask", "if not who"), "") == 0
    assert asked(instead("f", "Desk.ask", "len(who) > LIMIT", "False"), "abcdefg") == 7
    assert asked(answers("f", "Desk.ask", "return 9"), "a") == 9
    assert asked(begins("f", "Desk.ask", "who = who * 2"), "ab") == 4
    assert asked(before_return("f", "Desk.ask", "self.seen = who\nself.more = 1"), "ab") == 2
    assert asked(value("f", "LIMIT", "50"), "abcdefg") == 7
    assert asked(text("f", "return -1", "return -2"), "abcdefg") == -2
    assert broken(added("f", "MORE = 1"))["MORE"] == 1


@pytest.mark.parametrize(
    "edit",
    [
        without("f", "Desk.ask", "if who"),
        without("f", "Desk.ask", "return"),
        without("f", "Desk.answer", "if"),
        instead("f", "Desk.ask", "len(who)", "0"),
        instead("f", "Desk.ask", "LIMIT - 1", "0"),
        answers("f", "Desk", "return 1"),
        value("f", "MOST", "1"),
        text("f", "who", "whom"),
        text("f", "nobody", "x"),
        value("f", "LIMIT", "5"),
    ],
)
def test_an_operator_that_finds_nothing_or_too_much_is_stale(edit: Edit) -> None:
    with pytest.raises(Stale):
        edit.apply(SOURCE)


def test_a_stale_product_is_an_error_of_the_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Product("14-old", "POL-14", "nothing", (text("src/bioguard/errors.py", "no such text", ""),))
    assert play(old).outcome is Outcome.STALE
    monkeypatch.setattr(__main__, "PRODUCTS", {old.id: old})
    assert __main__.main(["--out", str(tmp_path / "results")]) == 1


def result(name: str, outcome: Outcome, *by: str) -> Result:
    product = PRODUCTS[name]
    return Result(
        id=name, promise=product.promise, outcome=outcome, by=by, seconds=1, fingerprint=product.fingerprint()
    )


def test_what_was_played_is_not_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = []

    def once(product: Product, *, whole: bool) -> Result:
        played.append((product.id, whole))
        return result(product.id, Outcome.KILLED if product.id == "10-kept" else Outcome.GREEN)

    monkeypatch.setattr(__main__, "play", once)
    words = ["--out", str(tmp_path / "results"), "--id", "10-kept", "--id", "14-partners"]
    assert __main__.main([*words, "--rows-only"]) == 3
    assert __main__.main([*words, "--rows-only"]) == 3
    assert __main__.main(words) == 3
    assert played == [("10-kept", False), ("14-partners", False), ("14-partners", True)]
    lines = (tmp_path / "results").read_text().splitlines()
    assert [Result.parse(line).id for line in lines] == ["10-kept", "14-partners", "14-partners"]


def test_shards_are_the_whole_list_once() -> None:
    parts = [__main__.main(["--shard", f"{n}/3", "--list"]) for n in (1, 2, 3)]
    assert parts == [0, 0, 0]


def test_a_measurement_is_no_kill() -> None:
    checks = {
        "BG-STA-007": {"status": "FAIL", "clauses": ["POL-14"]},
        "BG-POL-014": {"status": "UNKNOWN", "clauses": ["POL-14"]},
        "BG-POL-010": {"status": "FAIL", "clauses": ["POL-10"]},
    }
    assert failed(checks) == ("BG-POL-010",)
    assert silent(checks, "POL-14") == ("BG-POL-014",)


def test_the_page_counts_and_names_survivors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [result("14-partners", Outcome.KILLED, "BG-POL-014"), result("14-where", Outcome.SURVIVED)]
    monkeypatch.setattr(page, "PAGE", tmp_path / "policy.md")
    page.PAGE.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    page.write_page({r.id: r for r in found})
    text_now = page.PAGE.read_text()
    assert text_now.startswith("before\n")
    assert text_now.endswith("\nafter\n")
    assert "old" not in text_now
    assert "| POL-14 | 12 | 2 | 1 | 0 | 0 | 0 | 1 | 0 |" in text_now
    assert "* `14-where`: " in text_now


def test_every_reason_is_of_a_product() -> None:
    assert set(REASONS) <= set(PRODUCTS)


@pytest.mark.alone("device")
@pytest.mark.parametrize("name", SAMPLE)
def test_a_broken_product_fails_its_row(name: str) -> None:
    found = play(PRODUCTS[name], whole=False)
    assert found.outcome is Outcome.KILLED, found.by


@pytest.mark.alone("device")
def test_the_product_itself_is_not_killed() -> None:
    honest = Product("14-honest", "POL-14", "nothing", (added("src/bioguard/device/privacy_notice.py", "# the same"),))
    assert play(honest, whole=False).outcome is Outcome.GREEN
