"""Pin every BLAS and OpenMP library to one thread: they read the environment once, when they are loaded."""

import os
import subprocess
import sys

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def rerun_single_threaded(module: str) -> None:
    """Start this module again with the variables set, and leave with its exit code; return if they are set already."""
    if all(os.environ.get(name) == "1" for name in VARIABLES):
        return
    environment = {**os.environ, **dict.fromkeys(VARIABLES, "1")}
    sys.exit(subprocess.run([sys.executable, "-m", module, *sys.argv[1:]], env=environment, check=False).returncode)
