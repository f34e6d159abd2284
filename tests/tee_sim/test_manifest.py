"""Manifests: strict TOML in, one frozen record out."""

from pathlib import Path
from uuid import UUID

import pytest

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest

GOOD = """
uuid = "8aaaf200-2450-11e4-abe2-0002a5d5c51b"
name = "x"
entry = "a.b:C"
code = ["a", "a.b"]
flags = ["single_instance"]
[quota]
objects = 3
object_bytes = 100
"""


PEER = UUID("6f1f3c1a-9f0e-5b51-8d0c-2c7c2f3b7a01")


def test_parses_what_the_format_says() -> None:
    manifest = Manifest.from_toml(GOOD)
    assert manifest.ta_uuid == UUID("8aaaf200-2450-11e4-abe2-0002a5d5c51b")
    assert (manifest.code, manifest.max_objects, manifest.max_object_bytes) == (("a", "a.b"), 3, 100)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_nobody_is_called_unless_the_manifest_says_so() -> None:
    assert Manifest.from_toml(GOOD).calls == ()
    manifest = Manifest.from_toml(GOOD.replace("[quota]", f'calls = ["{PEER}"]\n[quota]'))
    assert manifest.calls == (PEER.bytes,)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("[quota]", 'calls = ["*"]\n[quota]'), "manifest: missing or malformed value"),
        (("[quota]", f'calls = "{PEER}"\n[quota]'), "manifest: missing or malformed value"),
        (("[quota]", "calls = [5]\n[quota]"), "manifest: missing or malformed value"),
        (
            ("[quota]", 'calls = ["8aaaf200-2450-11e4-abe2-0002a5d5c51b"]\n[quota]'),
            "manifest: calls names itself, or one application twice",
        ),
        (
            ("[quota]", f'calls = ["{PEER}", "{str(PEER).upper()}"]\n[quota]'),
            "manifest: calls names itself, or one application twice",
        ),
        (("uuid = ", "uid = "), "manifest: unknown key 'uid'"),
        (('entry = "a.b:C"', 'entry = "a.b"'), "manifest: entry is not module:Class"),
        (('"single_instance"', '"singleton"'), "manifest: unknown flag 'singleton'"),
        (("8aaaf200-2450", "zz"), "manifest: missing or malformed value"),
        (('name = "x"\n', ""), "manifest: missing or malformed value"),
        (("[quota]", "[quota"), "manifest: not TOML"),
    ],
)
def test_refuses_with_the_reason(change: tuple[str, str], text: str) -> None:
    with pytest.raises(TeeError, match=text) as caught:
        Manifest.from_toml(GOOD.replace(*change))
    assert caught.value.result is TeeResult.BAD_PARAMETERS


def test_the_example_manifest_is_valid() -> None:
    text = (Path(__file__).parents[2] / "docs/examples/counter/manifest.toml").read_text("utf-8")
    assert Manifest.from_toml(text).name == "counter"
