"""`tee-sim new`: the folder of a trusted application that runs, with its test."""

import importlib.util
import keyword
import os
import pkgutil
import re
import shutil
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import click

from tee_sim.cli.refusal import refused
from tee_sim.shared.errors import TeeError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FILES = {
    "manifest.toml": "manifest",
    "@NAME@/__init__.py": "package",
    "@NAME@/app.py": "app",
    "@NAME@/commands.py": "commands",
    "client.py": "client",
    "conftest.py": "conftest",
    "test_@NAME@.py": "test",
}
"""Each file of the folder and the text it is made from."""


def checked_name(name: str) -> str:
    """A name for a package and a folder. Raises TeeError BAD_PARAMETERS."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise refused(f"{name!r} is no name", "use lower case letters, digits and _, a letter first, 32 at most")
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        raise refused(f"a Python package is called {name} already", "choose another: both could not be imported")
    return name


def files_of(name: str, identity: str) -> dict[str, str]:
    """Path in the folder and content of each file."""
    words = {
        "@NAME@": name,
        "@CAPITALS@": name.upper(),
        "@CLASS@": "".join(part.title() for part in name.split("_")),
        "@IDENTITY@": identity,
    }
    found = {}
    for path, source in _FILES.items():
        raw = pkgutil.get_data("tee_sim.cli.scaffold", f"{source}.txt") or b""
        texts = [path, raw.decode("utf-8")]
        for word, value in words.items():
            texts = [text.replace(word, value) for text in texts]
        found[texts[0]] = texts[1]
    return found


def _there(folder: Path) -> TeeError:
    return refused(f"{folder} is there already", "choose another name, or move it away")


def write(folder: Path, files: dict[str, str]) -> None:
    """Make the folder with all files, or nothing of it.

    Raises:
        TeeError: it is there already, or cannot be written.
    """
    if os.path.lexists(folder):
        raise _there(folder)
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for path, text in files.items():
                (made / path).parent.mkdir(exist_ok=True)
                (made / path).write_text(text, "utf-8")
            made.chmod(0o777 & ~_umask())
            made.rename(folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        why = f"{folder} cannot be written: {error.strerror}"
        raise refused(why, "look at the permissions and the space of this folder") from error


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before


@click.command()
@click.argument("name")
def new(name: str) -> None:
    """Make the folder NAME with a trusted application, its commands, manifest, client and test.

    \b
    Example:
      tee-sim new vault
    """
    folder = Path(name)
    if os.path.lexists(folder):
        raise _there(folder)
    checked_name(name)
    write(folder, files_of(name, str(uuid4())))
    click.echo(f"made {folder}/; next: cd {folder}; tee-sim check .; pytest; pytest --tee=locked")
    if importlib.util.find_spec("pytest") is None:
        # Another environment's pytest, further down the PATH, would end in a traceback: it has no tee_sim.
        click.echo("pytest is not installed beside tee-sim: pip install pytest, or bioguard[ta]", err=True)
