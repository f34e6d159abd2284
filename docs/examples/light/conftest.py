"""Name the plugin that gives tests the fixture `tee`; `pytest --tee=locked` runs them in the locked world."""

import sys
from pathlib import Path

pytest_plugins = ["tee_sim.testing.pytest_plugin"]
sys.path.insert(0, str(Path(__file__).parent))
