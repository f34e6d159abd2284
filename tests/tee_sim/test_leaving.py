"""The status of a program that answered Ctrl-C is its own."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
from tee_sim.shared.leaving import leave
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    leave(130)
"""


def test_a_program_that_answered_ctrl_c_leaves_with_its_status_and_not_by_the_signal(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    ended = subprocess.run([sys.executable, "-m", "program"], cwd=tmp_path, check=False)
    assert ended.returncode == 130
