"""The file that describes a data set: every field, every refusal with its line; and digests anybody can check."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from bench.dataset import UNDESCRIBED, read_dataset
from bench.inputs import Inputs, Reading, inputs_of, inputs_table
from bench.load import fingerprint_sets
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions

FILE = """\
# a comment
name = "Spring"
description = "right index fingers"
test_type = "technology"
operator = "a laboratory"
population = "40 students"
sensor = "optical, 500 dpi"
extractor = "mindtct 5.0"
sessions = 3
time_lapse = "two weeks"
enrollment_policy = "first three impressions"
attempt_policy = "one touch against one touch"
collected_from = 2025-03-01
collected_to = 2025-06-30
"""


def _write(path: Path, text: str = FILE, **changes: str) -> Path:
    for key, value in changes.items():
        text = "\n".join(f"{key} = {value}" if line.startswith(f"{key} =") else line for line in text.splitlines())
    path.mkdir(exist_ok=True)
    (path / "d.toml").write_text(text, encoding="utf-8")
    return path / "d.toml"


def test_every_field_is_on_the_page_and_in_the_json(tmp_path: Path) -> None:
    found = read_dataset(_write(tmp_path, "\ufeff" + FILE + 'environment = "office"\nattempts = 2\n'))
    facts = {fact.name: fact.value for fact in found.facts()}
    assert facts == {
        "data set": "Spring", "description": "right index fingers", "type of test": "technology",
        "operator": "a laboratory", "population": "40 students", "sensor": "optical, 500 dpi",
        "extractor or model": "mindtct 5.0", "sessions": "3", "time lapse": "two weeks",
        "enrollment policy": "first three impressions", "attempt policy": "one touch against one touch",
        "environment": "office", "collected": "2025-03-01 to 2025-06-30",
    }  # fmt: skip
    data = found.as_data()
    assert (data["collected_from"], data["sessions"]) == ("2025-03-01", 3)
    assert (data["samples_to_enroll"], data["attempts"]) == (found.samples_to_enroll, found.attempts) == (3, 2)
    assert "give --dataset" in UNDESCRIBED.facts()[0].value


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"sensor": '"x"\nsensors = "y"'}, "line 8: 'sensors' is no key", "did you mean sensor"),
        ({"sessions": '"3"'}, "line 9: sessions is a whole number from 1 to 10000", "without quotes"),
        ({"sessions": "true"}, "line 9: sessions is a whole number", "without quotes"),
        ({"sessions": "0"}, "line 9: sessions is a whole number", "without quotes"),
        ({"name": '" "'}, "line 2: name is a text of 1 to 2000 characters", "not known"),
        ({"name": f'"{"x" * 2001}"'}, "line 2: name is a text", "not known"),
        ({"population": "40"}, "line 6: population is a text", "not known"),
        ({"test_type": '"technical"'}, "line 4: test_type 'technical' is none of technology, scenario", "19795-1"),
        ({"collected_from": '"2025-03-01"'}, "line 13: collected_from is a date", "without quotes"),
        ({"collected_from": "2025-03-01T10:00:00"}, "line 13: collected_from is a date", "or a time"),
        ({"collected_to": "2025-02-28"}, "line 14: collected_to is before collected_from", "swap them"),
        ({"time_lapse": '"a"\ntime_lapse = "b"'}, "(at line 11", "TOML"),
        ({"time_lapse": "[" * 20_000}, "d.toml: ", "TOML"),
        ({"sessions": "3\n[subjects]\na = 1"}, "line 10: subjects is a text", "not known"),
        ({"sessions": "9" * 5000}, "d.toml: ", "TOML"),
        ({"operator": '"x"\nsubjects = "gone.csv"'}, "subjects: 'gone.csv' is no file beside it", "relative"),
        ({"operator": '"x"\nsubjects = "/etc/passwd"'}, "is no file beside it", "relative"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line(
    tmp_path: Path, changes: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(InputRefused) as caught:
        read_dataset(_write(tmp_path, **changes))
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.code == "bench.dataset"


def test_the_ends_of_what_is_allowed_are_allowed(tmp_path: Path) -> None:
    for ends in ({"sessions": "1", "collected_to": "2025-03-01"}, {"sessions": "10000", "name": f'"{"x" * 2000}"'}):
        assert read_dataset(_write(tmp_path, **ends)).fields["sessions"] == int(ends["sessions"])


def test_a_field_that_is_missing_is_named(tmp_path: Path) -> None:
    text = "\n".join(line for line in FILE.splitlines() if not line.startswith(("sensor", "operator")))
    with pytest.raises(InputRefused, match="has no operator, no sensor"):
        read_dataset(_write(tmp_path, text))


def _groups(tmp_path: Path, text: str) -> Path:
    path = _write(tmp_path, FILE + 'subjects = "who.csv"\n')
    (tmp_path / "who.csv").write_text(text, encoding="utf-8")
    return path


def test_groups_of_subjects_come_from_columns(tmp_path: Path) -> None:
    found = read_dataset(_groups(tmp_path, "\ufeffsubject;sex;age\n101;f;20-29\n102;;30-39\n"))
    assert found.groups is not None
    assert found.groups.columns == ("sex", "age")
    assert found.groups.of("any", ["102", "101"]) == [("not stated", "30-39"), ("f", "20-29")]
    assert [path.name for path in found.files] == ["d.toml", "who.csv"]
    with pytest.raises(InputRefused, match="no row for 1 of 2 subjects of any, first '103'"):
        found.groups.of("any", ["101", "103"])


def test_the_same_name_in_two_sets_can_be_two_people(tmp_path: Path) -> None:
    found = read_dataset(_groups(tmp_path, "set,subject,sex\na,1,f\nb,1,m\n"))
    assert found.groups is not None
    assert found.groups.of("a", ["1"]) + found.groups.of("b", ["1"]) == [("f",), ("m",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject\n1\n", "who.csv line 1: 0 columns beside subject and set"),
        ("who,sex\n1,f\n", "has no column subject"),
        ("subject,sex\n1,f\n1,m\n", "who.csv line 3: subject '1' stands above"),
        ("subject,sex\n1,f\n,m\n", "who.csv line 3: no subject"),
        ("set,subject,sex\n,1,f\n", "who.csv line 2: no set"),
        ("subject,sex\n1,f,x\n", "who.csv line 2: 3 cells, expected 2"),
        ("subject,sex\n", "who.csv has no rows"),
        ("subject,age\n" + "".join(f"{i},{i}\n" for i in range(21)), "column 'age' has 21 different values"),
    ],
)
def test_a_wrong_subjects_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputRefused) as caught:
        read_dataset(_groups(tmp_path, text))
    assert message in caught.value.message
    assert caught.value.code == "bench.dataset"


def test_sha256sum_agrees_and_one_changed_byte_shows(tmp_path: Path) -> None:
    names = ["b/2_1.iso", "b/1_1.iso", "a\\c.iso"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    found = inputs_of({name: tmp_path / name for name in names})
    assert [path for path, _, _ in found.files] == sorted(names)
    assert found.as_data()["files"][2] == {
        "path": "b/2_1.iso", "bytes": 9, "sha256": hashlib.sha256(b"b/2_1.iso").hexdigest(),
    }  # fmt: skip
    theirs = subprocess.run(["sha256sum", *sorted(names)], cwd=tmp_path, capture_output=True, check=True).stdout
    assert found.lines.encode() == theirs
    assert found.digest == hashlib.sha256(theirs).hexdigest()
    (tmp_path / "b/1_1.iso").write_bytes(b"b/1_2.iso")
    assert inputs_of({name: tmp_path / name for name in names}).digest != found.digest


def test_two_files_of_one_name_have_both_digests(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "s.npz" for folder in ("ours", "theirs")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(path.parent.name.encode())
    found = Reading([*paths, None, paths[0]]).done()
    assert [(name, size) for name, size, _ in found.files] == [("ours/s.npz", 4), ("theirs/s.npz", 6)]
    assert [name for name, *_ in Reading(paths[:1]).done().files] == ["s.npz"]


@pytest.mark.parametrize("change", ["write", "remove", "add"])
def test_a_file_that_changes_while_a_run_reads_it_ends_the_run(tmp_path: Path, change: str) -> None:
    """The digest must be of what was read, not of what lies there when the figures are made."""
    for name in ("a/1_1.iso", "a/1_2.iso", "a/1_2.cbor"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    sets = list(fingerprint_sets(tmp_path, ImportOptions()))
    reading = Reading([], tmp_path)
    assert len(reading.done(sets).files) == 2
    if change == "write":
        (tmp_path / "a/1_2.cbor").write_bytes(b"")  # of a file that was passed over nothing is read
        reading.done(sets)
        (tmp_path / "a/1_2.iso").write_bytes(b"a/1_3.iso")
    elif change == "remove":
        (tmp_path / "a/1_2.iso").unlink()
    else:
        (tmp_path / "a/2_1.iso").write_bytes(b"")
        sets = list(fingerprint_sets(tmp_path, ImportOptions()))
    with pytest.raises(InputRefused, match=r"a/._.\.iso changed while it was read, 1 of") as caught:
        reading.done(sets)
    assert caught.value.code == "bench.changed"


def test_the_page_names_few_files_and_the_folders_of_many() -> None:
    few = Inputs(tuple((f"x/{i}.iso", 1000 * i, "ab" * 32) for i in range(3)))
    assert inputs_table(few.as_data()).rows[2] == ("x/2.iso", "2,000", "ab" * 32)
    assert len(inputs_table(Inputs(tuple((f"x/{i:03}.iso", 1, "ab" * 32) for i in range(64))).as_data()).rows) == 64
    many = Inputs(tuple((f"x/{i:03}.iso", 10, f"{i:064x}") for i in range(65)))
    table = inputs_table(many.as_data())
    assert table.rows == (("x", "65", "650", many.digest),)
    assert many.digest in table.note
