"""The walls of the architecture: they stand in the product, and they fall in every broken variant of it.

A contract that is always kept shows nothing. So each way around a wall that somebody thought of is built into a copy of
the tree, and something here must turn red: the contracts of pyproject.toml where they can see it, and else a rule of
this file, for what no graph of imports shows (`rules`).
"""

import functools
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioguard.evidence.source_scan import ALLOWED_ROOTS, EXCEPTIONS, scan_source
from tests.meta.import_graph import ROOTS, circles, compiled, dynamic_loads, graph, modules, siblings

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACTS = {contract["name"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}

# --- where every room of the product runs -------------------------------------------------------------------------
TRUSTED = {"trusted"}
BOTH = {"match", "commands", "records", "proofs", "errors", "exit_codes", "json_text"}
NORMAL = {
    "cli", "serve", "device", "hal", "formats", "report", "log", "private_files", "user_files", "printable", "text",
    "timeline_events", "capture",
}  # fmt: skip
TOOLS = {"simulate", "evidence"}  # they play the secure world's rules in the open, and say so
NEVER_MEASURED = {"json_text"}  # pure, and no manifest loads it
LOADS_BY_NAME = {
    "bioguard.capture.engines": "the engine that is asked for, of a table or of the caller's own",
    "bioguard.capture.installed": "loads nothing: it looks where a package of others lies",
    "tee_sim.shared.leaving": "loads nothing: executes an empty text",
    "tee_sim.lazy_group": "a command's module when the command is called, from a table in a module beside it",
    "bioguard.device.sensors": "loads nothing: asks whether an engine's packages are there, and where one's own lies",
    "bioguard.evidence.attack.target": "the entry of a manifest, in the open, as the target of attacks",
    "bioguard.evidence.leak_scan.selftest": "pickles a secret, to show that a scan finds it in that form",
    "bioguard.evidence.measuring": "reads cached modules (`marshal`), to see whether they are of their sources",
    "bioguard.evidence.normal_world_scan": "asks what endings a compiled module may have (`importlib.machinery`)",
    "bioguard.evidence.sbom": "reads the list of installed distributions (`importlib.metadata`)",
    "bioguard.evidence.static": "finds sources to scan and imports the command tables",
    "tee_sim.cli.calls": "loads nothing: it looks for the names of these functions in sources",
    "tee_sim.cli.findings": "packages under `preload`, to see whether they can be imported, and where code lies",
    "tee_sim.cli.imports": "looks where a submodule lies, to see whether it is one",
    "tee_sim.cli.named_commands": "the module `commands` of an application, as a client of it would",
    "tee_sim.cli.new": "looks whether a name is a package already, and reads the files it writes",
    "tee_sim.secure.code_folders": "finds the packages that a manifest lists, in the folder that BOOT names for it",
    "tee_sim.secure.codeload": "imports `preload` before the lock; afterwards serves what the manifests name alone",
    "tee_sim.secure.launcher": "runs the warm-up of a manifest before the lock, from the code table",
    "tee_sim.secure.hosts.process": "the entry of a manifest, after the lock, from the code table",
    "tee_sim.secure.sensors.load": "the entry of a sensor, and its `preload`, in its own process before the lock",
    "tee_sim.shared.dataclass": "nothing: it makes `__init__` of the names of fields, as `dataclasses` does",
    "tee_sim.testing.stand_ins": "takes the finders of files away while an application under test runs",
    "tee_sim.testing.own_modules": "swaps the modules of applications under test, which a locked world makes anew",
}
"""Who may load a module by a string, and which. Everybody else is red: such an arrow is in no graph."""


scanned = functools.cache(scan_source)
"""By name and text: a broken variant differs from the tree in one or two files."""


def rules(top: Path) -> list[str]:
    """What is wrong in a checkout and no contract can see."""
    known = modules(top)
    arrows = graph(known, compiled(top))
    found = [f"{name} imports {sorted(arrows[name])}" for name in ROOTS if arrows[name]]
    found += [
        f"{folder.relative_to(top)} is a package without a face: the contracts do not see its modules"
        for base in ROOTS.values()
        for folder in sorted({path.parent for path in (top / base).rglob("*.py")})
        if not (folder / "__init__.py").is_file()
    ]
    found += [
        f"{name} loads modules by a string"
        for name, module in known.items()
        if name not in LOADS_BY_NAME and dynamic_loads(module)
    ]
    found += [
        f"{name}, line {finding.line}: {finding.what}"
        for name, module in known.items()
        if name.startswith(tuple(f"bioguard.{room}" for room in TRUSTED | BOTH))
        for finding in scanned(name, module.path.read_text("utf-8"))
        if (name, finding.what) not in EXCEPTIONS
    ]
    found += [
        f"{path.relative_to(top)} imports from C, where no graph looks"
        for path in sorted((top / "src").rglob("*.[ch]"))
        if b"PyImport_" in path.read_bytes()
    ]
    beside = {path.name for path in (top / "src").iterdir() if path.is_dir() and path.suffix != ".egg-info"}
    found += [f"src/{name} is in no contract" for name in sorted(beside - set(ROOTS))]
    return found


def contracts(top: Path, cache: Path) -> tuple[int, str]:
    """Exit code and output of the import contracts on a checkout."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--cache-dir", str(cache)]
    paths = {"PYTHONPATH": f"{top / 'src'}{os.pathsep}{top}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=top, env=os.environ | paths, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product and its contracts; each test puts back what it changed."""
    top = tmp_path_factory.mktemp("copy")
    unwanted = shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info")
    for name in ("src", "tee_sim", "bench"):
        shutil.copytree(ROOT / name, top / name, ignore=unwanted)
    shutil.copy2(ROOT / "pyproject.toml", top)
    return top


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def broken(copy: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The copy with files written or lines added to them."""
    changes: dict[str, str] = request.param
    before = {path: (copy / path).read_bytes() if (copy / path).exists() else None for path in changes}
    for path, text in changes.items():
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_bytes((before[path] or b"") + text.encode())
    yield copy
    for path, content in before.items():
        if content is None:
            (copy / path).unlink()
            if not list((copy / path).parent.iterdir()):
                (copy / path).parent.rmdir()
        else:
            (copy / path).write_bytes(content)


RULES, HANDLE, SCHEMA = (
    "src/bioguard/trusted/keystore/rules.py", "src/bioguard/records/password_handle.py", "tee_sim/shared/schema.py",
)  # fmt: skip
DEVICE = "src/bioguard/device/answers.py"
BY_CONTRACT = {
    "a new room": {"src/bioguard/bridge/__init__.py": "", "src/bioguard/bridge/a.py": "import bioguard.device\n"},
    "a new room that trusted code uses": {
        "src/bioguard/bridge/__init__.py": "import bioguard.device\n", RULES: "\nimport bioguard.bridge\n",
    },
    "a new module beside the rooms": {"src/bioguard/helpers.py": "VALUE = 1\n"},
    "a new folder in the simulator": {"tee_sim/bridge/__init__.py": "import tee_sim.secure.core\n"},
    "trusted -> device": {RULES: "\nfrom bioguard.device.answers import RecordInfo\n"},
    "trusted -> device, in a function": {RULES: "\ndef f():\n    import bioguard.device\n"},
    "trusted -> device, for types only": {
        RULES: "\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import bioguard.device\n",
    },
    "trusted -> device, relative": {RULES: "\nfrom ...device import answers\n"},
    "trusted -> simulate": {RULES: "\nimport bioguard.simulate.people\n"},
    "trusted -> normal world": {RULES: "\nimport tee_sim.normal.client\n"},
    "trusted -> the world that hosts it": {RULES: "\nimport tee_sim.secure.core\n"},
    "trusted -> test tools of the simulator": {RULES: "\nimport tee_sim.testing.in_process\n"},
    "records -> device": {HANDLE: "\nimport bioguard.device\n"},
    "records -> normal world": {HANDLE: "\nimport tee_sim.normal.client\n"},
    "shared -> secure": {SCHEMA: "\nimport tee_sim.secure.keys\n"},
    "shared -> normal": {SCHEMA: "\nimport tee_sim.normal.client\n"},
    "shared, in a new folder -> secure": {"tee_sim/shared/more/__init__.py": "import tee_sim.secure.keys\n"},
    "secure -> normal": {"tee_sim/secure/keys.py": "\nimport tee_sim.normal.client\n"},
    "normal -> secure": {"tee_sim/normal/client.py": "\nimport tee_sim.secure.keys\n"},
    "device -> trusted": {"src/bioguard/device/answers.py": "\nimport bioguard.trusted.keystore.rules\n"},
    "device -> secure": {"src/bioguard/device/answers.py": "\nimport tee_sim.secure.keys\n"},
    "device -> simulate": {"src/bioguard/device/answers.py": "\nimport bioguard.simulate.people\n"},
    "simulate -> serve": {"src/bioguard/simulate/people/faces.py": "\nimport bioguard.serve.protocol\n"},
    "simulator -> product": {SCHEMA: "\nimport bioguard.errors\n"},
    "product -> benches": {HANDLE: "\nimport bench.metrics\n"},
    "product -> tests": {HANDLE: "\nimport tests.broken_build\n"},
    "product -> network": {"src/bioguard/device/answers.py": "\nimport socket\n"},
    "product -> the C module under socket": {"src/bioguard/device/answers.py": "\nimport _socket\n"},
    "product -> a server of the standard library": {"src/bioguard/device/answers.py": "\nimport socketserver\n"},
    "product -> pytest": {HANDLE: "\nimport pytest\n"},
    "the command of the simulator -> its plugin for pytest": {
        "tee_sim/cli/check.py": "\nimport tee_sim.testing.pytest_plugin\n",
    },
    "device -> the command of the simulator": {"src/bioguard/device/answers.py": "\nimport tee_sim.cli.main\n"},
    "device -> GlobalPlatform objects": {"src/bioguard/device/answers.py": "\nimport tee_sim.gp_objects\n"},
    "trusted -> GlobalPlatform objects": {RULES: "\nfrom tee_sim.gp_objects import objects\n"},
    "trusted -> the C module under socket": {RULES: "\nimport _socket\n"},
}  # fmt: skip
BY_RULE = {
    "a folder without __init__.py": {
        "src/bioguard/trusted/loose/a.py": "import bioguard.device\n", RULES: "\nimport bioguard.trusted.loose.a\n",
    },
    "a package beside the product": {
        "src/bridge/__init__.py": "import bioguard.device\n", RULES: "\nimport bridge\n",
    },
    "import by a string": {RULES: '\nfrom importlib import import_module\nimport_module("bioguard.device")\n'},
    "import by a string, under another name": {RULES: '\nimport importlib\nf = importlib.import_module\n'},
    "import by a string, imported under another name": {
        RULES: "\nfrom importlib import import_module as load\n",
    },
    "importlib.util.module_from_spec": {DEVICE: "\nimport importlib.util as u\nf = u.module_from_spec\n"},
    "a loader of a file": {
        DEVICE: '\nfrom importlib.machinery import SourceFileLoader as L\nL("a", "a.py").load_module()\n',
    },
    "pkgutil.resolve_name": {DEVICE: '\nimport pkgutil\npkgutil.resolve_name("bioguard.trusted")\n'},
    "pkgutil.resolve_name, under another name": {DEVICE: "\nfrom pkgutil import resolve_name as r\n"},
    "pkgutil under another name": {DEVICE: "\nimport pkgutil as p\n"},
    "sys.modules": {DEVICE: '\nimport sys\nsys.modules["bioguard.trusted"]\n'},
    "sys.modules, under another name": {DEVICE: "\nfrom sys import modules as m\n"},
    "sys under another name": {DEVICE: '\nimport sys as s\ns.modules["bioguard.trusted"]\n'},
    "builtins.exec": {DEVICE: '\nimport builtins\nbuiltins.exec("import bioguard.trusted")\n'},
    "exec, under another name": {DEVICE: "\nfrom builtins import exec as r\n"},
    "__builtins__": {DEVICE: '\n__builtins__["exec"]\n'},
    "an interpreter": {DEVICE: '\nimport code\ncode.InteractiveInterpreter().runsource("import socket")\n'},
    "runpy": {DEVICE: '\nimport runpy as r\n'},
    "a loader by the data beside a module": {DEVICE: "\nfrom pkgutil import get_data, get_importer\n"},
    "__import__": {RULES: '\n__import__("bioguard.device")\n'},
    "exec": {RULES: '\nexec("import bioguard.device")\n'},
    "an import in C": {"src/bioguard/match/native/module.c": '\nvoid f(void) { PyImport_ImportModule("socket"); }\n'},
    "by the face of all rooms": {"src/bioguard/__init__.py": "\nimport bioguard.device\n"},
    "by the face of the simulator": {"tee_sim/__init__.py": "\nimport tee_sim.normal.client\n"},
    "a library that nobody allowed": {RULES: "\nimport requests\n"},
    "a standard library that opens connections": {RULES: "\nimport _socket\n"},
    "a standard library that calls anything": {RULES: "\nimport ctypes\n"},
    "a standard library that starts processes": {RULES: "\nimport pty\n"},
    "a standard library that opens files": {HANDLE: "\nimport io\n"},
}  # fmt: skip


def test_the_copy_is_as_clean_as_the_tree(copy: Path, cache: Path) -> None:
    """The control: nothing below is red for being a copy."""
    code, said = contracts(copy, cache)
    assert code == 0, said
    assert f"{len(CONTRACTS)} kept, 0 broken" in said
    assert rules(copy) == rules(ROOT) == []


@pytest.mark.parametrize("broken", BY_CONTRACT.values(), ids=BY_CONTRACT, indirect=True)
def test_a_contract_turns_red(broken: Path, cache: Path) -> None:
    code, said = contracts(broken, cache)
    assert code == 1, said
    assert " broken." in said or "not listed as layers" in said.replace("\n", " "), said


@pytest.mark.parametrize("broken", BY_RULE.values(), ids=BY_RULE, indirect=True)
def test_what_the_contracts_miss_a_rule_finds(broken: Path) -> None:
    assert rules(broken) != []


def test_every_room_has_a_world_and_every_contract_names_its_rooms() -> None:
    """A room that is added to the layers must also be added to the contract of its world."""
    layers = CONTRACTS["bioguard: no upward arrow between rooms"]["layers"]
    rooms = {room.strip() for layer in layers for room in layer.split("|")}
    assert rooms == TRUSTED | BOTH | NORMAL | TOOLS
    normal = CONTRACTS["the normal world imports nothing that runs in the secure one"]["source_modules"]
    assert {name.removeprefix("bioguard.") for name in normal} == NORMAL
    measured = [c["source_modules"] for c in CONTRACTS.values() if c.get("id") == "trusted-applications"]
    assert {name.removeprefix("bioguard.") for name in measured[0]} >= (TRUSTED | BOTH) - NEVER_MEASURED - {
        "exit_codes"
    }


def test_no_contract_has_an_exception() -> None:
    settings = PYPROJECT["tool"]["importlinter"]
    loose = {"ignore_imports", "exclude_type_checking_imports", "unmatched_ignore_imports_alerting"}
    assert [key for table in (settings, *CONTRACTS.values()) for key in table if key in loose] == []
    assert [
        name for name, c in CONTRACTS.items() if c["type"] == "layers" and "containers" in c and not c["exhaustive"]
    ] == []


def test_the_manifests_name_nothing_of_the_normal_world() -> None:
    """The code list of a manifest is a string too: what it names is what the secure world executes."""
    for path in sorted((ROOT / "src/bioguard/trusted").rglob("manifest.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        rooms = {name.split(".")[1] for name in table["code"] if "." in name}
        assert rooms <= (TRUSTED | BOTH) - NEVER_MEASURED, path
        assert {name.partition(".")[0] for name in table["preload"]} <= ALLOWED_ROOTS, path
        assert table["entry"].startswith("bioguard.trusted."), path
        assert table.get("warmup", "bioguard.trusted.").startswith("bioguard.trusted."), path


def test_the_exceptions_of_loading_by_name_are_needed() -> None:
    known = modules(ROOT)
    assert {name for name in known if dynamic_loads(known[name])} == set(LOADS_BY_NAME)


def test_no_module_and_no_folder_is_in_a_circle() -> None:
    arrows = graph(modules(ROOT), compiled(ROOT))
    assert circles(arrows) == []
    folders = sorted({name.rpartition(".")[0] for name in arrows} - {""})
    assert {folder: found for folder in folders if (found := circles(siblings(arrows, folder)))} == {}


def test_no_arrow_points_upward() -> None:
    """The layers of pyproject.toml again, on a graph that another program made."""
    arrows = graph(modules(ROOT), compiled(ROOT))
    upward = []
    for contract in (c for c in CONTRACTS.values() if c["type"] == "layers" and "containers" in c):
        container = contract["containers"][0]
        height = {
            child.strip(): (len(contract["layers"]) - level, child.strip())
            for level, layer in enumerate(contract["layers"])
            for child in layer.split("|")
        }
        for child, targets in siblings(arrows, container).items():
            for target in targets:
                if height[target][0] >= height[child][0]:
                    upward.append(f"{container}: {child} -> {target}")
    assert upward == []
