"""What the page of an accuracy run says: digits, folded rows, one person's share, groups, and animals that differ."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from bench.accuracy import figures
from bench.accuracy_report import accuracy_report
from bench.dataset import UNDESCRIBED, Dataset, Groups
from bench.metrics.comparisons import Comparisons
from bench.metrics.subjects import subject_table, zoo
from bench.sections.subjects import subjects
from bench.wording import folded, interval, percent
from bioguard.report import Report, Table, render


@pytest.mark.parametrize(
    ("rate", "trials", "text"),
    [
        (0.001042, 280, "0.1 %"),
        (0.25, 12, "25 %"),
        (1 / 3, 3000, "33.3 %"),
        (0.0000123456, 24_000_000, "0.00123 %"),
        (0.0, 280, "0 %"),
        (1.0, 80, "100 %"),
        (0.05, 80, "5 %"),
        (0.1, 100_000, "10.0 %"),
        (1e-9, None, "0.000000100 %"),
        (None, 5, "-"),
        ("not measurable", 5, "not measurable"),
    ],
)
def test_no_more_digits_than_the_counts_bear(rate: Any, trials: Any, text: str) -> None:
    assert percent(rate, trials) == text


def test_ends_of_intervals_have_two_digits_and_no_exponent() -> None:
    assert interval((0.0, 0.0126)) == "0 to 1.3 %"
    assert interval((1e-7, 0.5)) == "0.000010 to 50 %"
    assert interval((None, 0.5)) == "-"


def test_what_is_not_measurable_is_one_line() -> None:
    sets = {f"s{i}": ["1e-4", "1e-5"] for i in range(4)}
    assert folded(sets) == "Not measurable: 1e-4, 1e-5 in all 4 rows."
    assert folded({**sets, "pooled": ["1e-5"]}) == (
        "Not measurable: 1e-4, 1e-5 in 4 of 5 rows (s0, s1, ...); 1e-5 in pooled."
    )
    assert folded({"a": [], "b": []}) == ""


def _faces(asymmetric: bool = False) -> Comparisons:
    """Ten people, of whom the first has twelve photographs and the last one."""
    sizes = [12, *[2] * 8, 1]
    whose = np.arange(10).repeat(sizes)
    rng = np.random.default_rng(5)
    scores = rng.normal(0, 1, (whose.size,) * 2) + 3 * (whose[:, None] == whose)
    scores = scores if asymmetric else np.minimum(scores, scores.T)
    return Comparisons("lfw", scores.astype(np.float32), whose, [f"{s}_{i}" for i, s in enumerate(whose)])


def _page(one: Comparisons, dataset: Dataset = UNDESCRIBED) -> tuple[dict[str, Any], Report, dict[str, Table]]:
    data = {
        "sets": {one.name: figures([one], seed=1, replicates=20, dataset=dataset)}, "pooled": None, "seed": 1,
        "environment": {"bioguard": "0", "commit": "abc"}, "data": "lfw",
    }  # fmt: skip
    page = accuracy_report(data, [one], dataset, created="2026-01-01T00:00:00+00:00")
    render(page, "html")
    return data["sets"][one.name], page, {t.title: t for s in page.sections for t in s.tables}


def test_who_rules_the_pairs_is_named_and_people_are_weighed_alike() -> None:
    found, page, tables = _page(_faces())
    (text,) = page.sections[0].text
    assert text.startswith("lfw: 89 % of the genuine comparisons are of one person, 0 (66 / 74)")
    row = dict(zip(tables["FNMR at fixed FMR"].columns, tables["FNMR at fixed FMR"].rows[0], strict=True))
    point = found["fnmr_at_fmr"]["1e-2"]
    assert row["people weighed alike"] == percent(point["fnmr_each_person_equal"], 74)
    assert point["fnmr_each_person_equal"] != point["fnmr"]


def test_first_columns_are_first_and_rows_that_say_nothing_are_folded() -> None:
    _, _, tables = _page(_faces())
    assert tables["Equal error rates"].columns[:4] == ("set", "EER", "95 % over people", "FNMR at 1 %")
    assert {row[1] for row in tables["FNMR at fixed FMR"].rows} == {"1e-2"}
    assert "Not measurable: 1e-3, 1e-4, 1e-5 in lfw." in tables["FNMR at fixed FMR"].note
    assert all("not measurable" not in row for table in tables.values() for row in table.rows)


def test_animals_differ_where_the_score_does_and_are_one_table_where_it_does_not() -> None:
    _, page, tables = _page(_faces())
    assert "Lambs and wolves: match others" in tables
    (text,) = next(s.text for s in page.sections if s.title == "Subjects")
    assert "decides alike whichever sample is the reference" in text
    one = _faces(asymmetric=True)
    lamb, wolf = np.flatnonzero(one.subjects == 3), np.flatnonzero(one.subjects == 5)
    one.scores[:, lamb], one.scores[wolf] = 9, 9
    animals = zoo(subject_table(one, 8.0))
    assert (animals["lambs"][0]["subject"], animals["wolves"][0]["subject"]) == ("3", "5")
    assert not animals["symmetric"]
    titles = [table.title for table in subjects({"subjects": animals}).tables]
    assert titles[-2:] == ["Lambs: others match their references", "Wolves: match others' references"]


def test_nobody_with_one_sample_and_nobody_without_an_error_is_an_animal() -> None:
    one = _faces()
    one.scores[one.subjects == 9] = one.scores[:, one.subjects == 9] = 9
    rows = subject_table(one, 8.0)
    assert next(r for r in rows if r["subject"] == "9")["as_probe"] == 1
    animals = zoo(rows)
    assert {r["subject"] for r in animals["lambs"]} == {r["subject"] for r in animals["wolves"]} <= set("012345678")
    assert all(r["samples"] > 1 for r in animals["wolves"])
    assert zoo(subject_table(one, -99.0))["goats"] == zoo(subject_table(one, 99.0))["lambs"] == []


def test_groups_and_fields_are_on_the_page(tmp_path: Any) -> None:
    values = {("", str(i)): ("f" if i % 2 else "m",) for i in range(10)}
    fields = {"name": "Spring", "collected_from": "2025-01-01", "collected_to": "2025-02-01"}
    described = Dataset(fields, Groups(("sex",), values, by_set=False, path=tmp_path))
    found, page, tables = _page(_faces(), described)
    assert [(r["column"], r["value"], r["people"]) for r in found["groups"]] == [("sex", "f", 5), ("sex", "m", 5)]
    assert [row[:2] for row in tables["Groups, thresholds of all"].rows] == [("sex: f", "1e-2"), ("sex: m", "1e-2")]
    facts = {fact.name: fact.value for fact in page.facts}
    assert facts["data set"] == "Spring"
    assert facts["collected"] == "2025-01-01 to 2025-02-01"
    html = render(dataclasses.replace(page, facts=()), "html")
    eer = percent(found["eer"], found["genuine"]).replace(" ", "&nbsp;")  # never a percent sign on a line of its own
    assert f">{eer}</td>" in html
    assert "\\xa0" not in html  # what hides is shown: a space that does not break must not be in a figure
