"""Lines of the keys of a manifest, in every notation of TOML: what is wrong is named with the line where it stands."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from tee_sim.shared.manifest import Manifest
from tee_sim.shared.manifest_values import ManifestError, Misfit
from tee_sim.shared.toml_lines import key_lines
from tests.tee_sim.test_manifest import GOOD

HARD = '''# c ] [ "
uuid = "x" # [
code = [
  "a", # ]
  'b]',
]
s = """
a = 1
[x]
\\""" ""\\
""""
l = \'\'\'
[q]
\'\'\'\'
quota.objects = 3
inl = { a = 1, b = { c = "}" } }

[t]
x = 1
[t.u]
y.z = "\\"["
[[w]]
k = [[1,
2]]
["a b"]
"q\\"x" = 2
'''


def test_lines_of_keys_in_every_notation_of_toml() -> None:
    assert set(tomllib.loads(HARD)) == {"uuid", "code", "s", "l", "quota", "inl", "t", "w", "a b"}
    lines = {".".join(path): line for path, line in key_lines(HARD).items()}
    assert lines == {
        "uuid": 2, "code": 3, "s": 7, "l": 12, "quota": 15, "quota.objects": 15,
        "inl": 16, "inl.a": 16, "inl.b": 16, "inl.b.c": 16,
        "t": 18, "t.x": 19, "t.u": 20, "t.u.y": 21, "t.u.y.z": 21,
        "w": 22, "w.0": 22, "w.0.k": 23, "a b": 25, 'a b.q"x': 26,
    }  # fmt: skip
    assert key_lines(HARD.replace("\n", "\r\n")) == key_lines(HARD)


_VALUES = st.sampled_from(
    ['"["', "'#'", "1", "[1,\n # ]\n 2]", '"""\nb = 1\n"""', "'''\n[x]'''", "{ k = [ 2 ] }", "true"]
)


@given(st.lists(st.tuples(st.booleans(), _VALUES, st.integers(0, 2)), max_size=8))
def test_lines_are_those_that_the_keys_were_written_in(made: list[tuple[bool, str, int]]) -> None:
    text, above, expected = "", "", {}
    for number, (header, value, blank) in enumerate(made):
        text += "\n# [no]\n" * blank
        line = text.count("\n") + 1
        if header:
            above = f"t{number}"
            text += f"[{above}]\n"
            expected[(above,)] = line
        else:
            text += f"k{number} = {value}\n"
            expected[(*([above] if above else []), f"k{number}")] = line
    lines = key_lines(text)
    assert {path: lines[path] for path in expected} == expected


_PIECES = st.sampled_from(
    [
        "[quota]\n",
        "[[quota]]\n",
        "quota = { objects = 1 }\n",
        "quota.spares = 2\n",
        "spares = 2\n",
        'replies = "free"\n',
        '"a.b" = 1\n',
        "x = '''\n[",
        "'''\n",
        '"""',
        "[",
        "]",
        "{",
        "}",
        "#",
        "\r\n",
        "=",
        "1e999",
        "1979-05-27",
        "\\",
        "\x00",
    ]
)


@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), _PIECES | st.text(max_size=4)), max_size=3))
def test_whatever_is_written_it_is_a_manifest_or_refused_with_a_line_that_exists(
    changes: list[tuple[int, int, str]],
) -> None:
    text = GOOD
    for place, cut, piece in changes:
        text = text[:place] + piece + text[place + cut :]
    try:
        manifest = Manifest.from_toml(text)
    except ManifestError as error:
        assert error.code.startswith("manifest.")
        assert error.hint
        assert 0 <= error.line <= text.count("\n") + 1
        assert error.message.isprintable()
        if error.key and error.misfit is not Misfit.MISSING_KEY:
            assert error.line > 0
    else:
        assert Manifest.from_bytes(manifest.to_bytes()) == manifest
