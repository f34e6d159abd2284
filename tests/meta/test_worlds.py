"""Two worlds as they are at run time: what a secure world has loaded when it is ready, in a process of its own.

`test_secure_world_size.py` says the same of the import graph; this one asks the interpreter.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRUSTED = ROOT / "src" / "bioguard" / "trusted"
MANIFESTS = sorted(TRUSTED.glob("*/manifest.toml"))
MEASURED_ROOMS = {"trusted", "match", "commands", "records", "proofs", "errors", "exit_codes"}

LOADED = """
import json, sys
from pathlib import Path
import tee_sim.secure.launcher
before = sorted(name for name in sys.modules if name.partition(".")[0] in ("bioguard", "tee_sim"))
from tee_sim.secure.codeload import CodeTable, forget_file_importers
from tee_sim.shared.manifest import Manifest
code = CodeTable()
manifests = [Manifest.from_toml(Path(path).read_text()) for path in sys.argv[1:]]
for manifest in manifests:
    code.add(manifest)
code.import_outside_code(list(dict.fromkeys(name for m in manifests for name in m.preload)))
forget_file_importers()
sys.meta_path.insert(0, code)
import importlib
for manifest in manifests:
    importlib.import_module(manifest.entry.partition(":")[0])
after = sorted(name for name in sys.modules if name.partition(".")[0] in ("bioguard", "tee_sim"))
print(json.dumps([before, sorted(code.modules), after]))
"""


@pytest.fixture(scope="module")
def loaded() -> list[set[str]]:
    """What the launcher imports, what the manifests measure, and what there is once every application is loaded."""
    line = [sys.executable, "-I", "-B", "-c", LOADED, *map(str, MANIFESTS)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [set(names) for names in json.loads(done.stdout)]


def files(package: str, root: Path) -> set[str]:
    """Names of all modules below a package."""
    folder = root.joinpath(*package.split("."))
    names = {path.relative_to(root).with_suffix("").parts for path in folder.rglob("*.py")}
    return {".".join(name[:-1] if name[-1] == "__init__" else name) for name in names}


def test_the_launcher_loads_every_file_of_its_world_and_nothing_else_of_ours_but_shared(loaded: list[set[str]]) -> None:
    ours = loaded[0]
    assert files("tee_sim.secure", ROOT) <= ours
    assert {name for name in ours if not name.startswith(("tee_sim.secure", "tee_sim.shared"))} == {"tee_sim"}


def test_every_file_of_trusted_is_measured_by_a_manifest(loaded: list[set[str]]) -> None:
    assert files("bioguard.trusted", ROOT / "src") <= loaded[1]


def test_the_manifests_load_these_rooms_and_no_other(loaded: list[set[str]]) -> None:
    assert {name.split(".")[1] for name in loaded[1] if "." in name} == MEASURED_ROOMS
    for path in MANIFESTS:
        code = tomllib.loads(path.read_text())["code"]
        assert {name.split(".")[1] for name in code if "." in name} <= MEASURED_ROOMS


def test_an_application_adds_only_what_is_measured(loaded: list[set[str]]) -> None:
    before, measured, after = loaded
    compiled = {"bioguard.match._kernels", "bioguard.match._cylinders"}
    added = {name for name in after - before if name not in measured | compiled}
    assert {name for name in added if not name.startswith("tee_sim.shared.")} == set()
