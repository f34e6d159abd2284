"""Whether `nbis` is nbis-py and whole: asked in the normal world too, so it is not loaded here.

nbis-python, the successor, has the same module and lies over it; uninstalling that takes files of nbis-py along and pip
goes on listing it (`findings/nbis-one-module.sh`). Either would be another extractor under the name of this one.
"""

from typing import Final

from bioguard.capture.engine_files import EngineFile
from bioguard.capture.installed import folder_of, version_of
from bioguard.capture.refusals import INSTALL, missing

VERSION: Final = "0.1.3"
REINSTALL: Final = f"pip uninstall nbis-python; pip install --force-reinstall --no-deps nbis-py=={VERSION}"
_OURS: Final = ("__init__.py", "nbis.py")


def version() -> str:
    """Of nbis-py. Raises WrongUsage `capture.missing` where it is not there, not whole, or hidden."""
    folder = folder_of("nbis", hint=INSTALL)
    found = version_of("nbis", "nbis-py")
    if (folder / "nbis").is_dir():
        raise missing("nbis-py, whose module nbis-python hides,", REINSTALL)
    if not all((folder / name).is_file() for name in _OURS):
        raise missing("nbis-py, which pip lists but of which files are gone,", REINSTALL)
    return found


def files() -> tuple[EngineFile, ...]:
    """None: the package is measured as a whole. Raises as `version`."""
    version()
    return ()
