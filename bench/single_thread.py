"""Pin every BLAS and OpenMP library to one thread: they read the environment once, when they are loaded."""

import os
import signal
import subprocess
import sys

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
GRACE_SECONDS = 0.5


def rerun_single_threaded(module: str) -> None:
    """Start this module again with the variables set, and leave with its exit code; return if they are set already.

    Ctrl-C is the other process's to answer.
    """
    if all(os.environ.get(name) == "1" for name in VARIABLES):
        return
    environment = {**os.environ, **dict.fromkeys(VARIABLES, "1")}
    sys.exit(_code_of(subprocess.Popen([sys.executable, "-m", module, *sys.argv[1:]], env=environment)))


def _code_of(child: subprocess.Popen[bytes]) -> int:
    try:
        code = child.wait()
    except KeyboardInterrupt:
        try:
            code = child.wait(GRACE_SECONDS)  # a terminal interrupts both
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)
            code = child.wait()
    return code if code >= 0 else 128 - code
