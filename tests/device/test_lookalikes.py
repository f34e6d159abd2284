"""Names that people would misread are refused, with both names and their code points; nobody else's name is."""

import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.device import Device
from bioguard.device.lookalikes import check_new_name, code_points, look, scripts
from bioguard.device.names import check_name
from bioguard.errors import BioguardError, InputRefused, NotPermitted
from bioguard.exit_codes import ExitCode


def alike(one: str, other: str) -> bool:
    return bool(look(one) & look(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "Alice"),
        ("alice", "aIice"),  # a capital I
        ("alice", "a1ice"),
        ("alice", "AIice"),
        ("alice", "\u0430lice"),  # Cyrillic a
        ("alice", "\u0430\u04cf\u0456\u0441\u0435"),  # Cyrillic all through
        ("alice", "\uff41\uff4c\uff49\uff43\uff45"),  # full width
        ("alice", "\u03b1lice"),  # Greek alpha
        ("mary", "rnary"),
        ("bob", "b0b"),
        ("bob", "\u042cob"),
        ("o.brien", "o\u2024brien"),
        ("anna-maria", "anna\u2010maria"),
        ("stra\u00dfe", "strasse"),
        ("\u00e9lise", "e\u0301lise"),
    ],
)
def test_pairs_that_look_alike(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


def test_pairs_that_do_not() -> None:
    people = ["alice", "alicia", "anna", "anne", "hanna", "bob", "rob", "carol", "carlo", "ann-1", "ann-2", "ann-3"]
    people += [
        "Zoë",
        "zoe.b",
        "Маша",
        "Саша",
        "山田",
        "山本",
        "김철수",
        "محمد",
        "नमन",
        "lab-person-001",
        "lab-person-010",
    ]
    for one in people:
        assert [other for other in people if alike(one, other)] == [one]


def test_what_of_ascii_is_one() -> None:
    together = {
        frozenset(b for b in string.ascii_lowercase + string.digits if alike(a, b)) for a in string.ascii_lowercase
    }
    assert {group for group in together if len(group) > 1} == {frozenset("l1"), frozenset("o0")}


@given(st.text(min_size=1, max_size=20))
def test_any_text_looks_like_itself(text: str) -> None:
    assert alike(text, text)
    assert isinstance(scripts(text), frozenset)


@pytest.mark.parametrize(
    "name", ["alice", "o.brien@x+1", "Zoë", "Маша", "Μαρία", "山田たろう", "山田taro", "김철수", "\uff21\uff22"]
)
def test_one_script_or_one_language(name: str) -> None:
    check_new_name(check_name(name), [])


@pytest.mark.parametrize(
    ("name", "mixed"),
    [("\u0430lice", "cyrillic, latin"), ("p\u03b1ul", "greek, latin"), ("Маша김", "cyrillic, hangul")],
)
def test_several_scripts_are_refused(name: str, mixed: str) -> None:
    with pytest.raises(InputRefused) as caught:
        check_new_name(name, [])
    assert (caught.value.code, caught.value.message.rpartition(": ")[2]) == ("user.mixed_scripts", mixed)
    assert code_points(name) in caught.value.message


def test_a_device_tells_both_names(tmp_path: Path) -> None:
    def refused(call: object, *arguments: str) -> BioguardError:
        with pytest.raises(NotPermitted) as caught:
            call(*arguments)  # type: ignore[operator]
        return caught.value

    whole = "\u0430\u04cf\u0456\u0441\u0435"
    with Device.init(tmp_path / "device") as device:
        device.add_user("alice")
        error = refused(device.add_user, whole)
        assert (error.code, error.exit_code) == ("user.lookalike", ExitCode.NOT_PERMITTED)
        assert error.message.startswith(
            f"'{whole}' (U+0430 CYRILLIC SMALL LETTER A, U+04CF CYRILLIC SMALL LETTER PALOCHKA"
        )
        assert error.message.endswith(") looks like the user 'alice'")
        device.add_user("bob")
        assert refused(device.rename_user, "bob", "ALICE").code == "user.lookalike"
        device.rename_user("bob", "Bob")  # a name may come to look like itself
        assert refused(device.add_user, "alice").code == "user.exists"
        assert refused(device.add_user, "\u0430lice").code == "user.lookalike"  # it mixes scripts, too
        assert device.users() == ["Bob", "alice"]


def test_nothing_that_can_open_a_connection_is_loaded() -> None:
    code = (
        "import sys; from bioguard.device.lookalikes import check_new_name; check_new_name('zoë', ['a']);"
        "print(sorted({'socket', 'ssl', 'urllib.request', 'http.client'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
