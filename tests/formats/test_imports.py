"""Files are parsed in the caller's process: no secure world, no network module, one module that opens files."""

import re
import subprocess
import sys
from pathlib import Path

import bioguard.formats


def test_stands_alone() -> None:
    code = (
        "import sys, bioguard.formats\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in "
        "('tee_sim', 'socket', 'ssl', 'asyncio', 'multiprocessing', 'pickle5') or m.startswith('bioguard.trusted')]\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_only_one_module_opens_files() -> None:
    for path in Path(bioguard.formats.__file__).parent.glob("*.py"):
        if path.name != "files.py":
            assert not re.search(
                r"\bopen\((?!member)|read_bytes|np\.load|pickle\b.*import|import pickle|\beval\(", path.read_text()
            ), path
