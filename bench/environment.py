"""What a figure was measured with: versions, commit, processor, kernels."""

import platform
import subprocess
from hashlib import blake2b
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np

import bioguard
from bioguard.match.fingerprint.backends import pick
from bioguard.match.kernels import choose

ROOT = Path(__file__).parents[1]


def environment() -> dict[str, Any]:
    """Facts for the head of a result; nothing in it names a person, a host or a path."""
    blas = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return {
        "bioguard": bioguard.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "system": platform.system(),
        "processor": _processor(),
        "cores": cpu_count(),
        "code_kernel": choose(None),
        "fingerprint_kernel": pick(None),
    }


def machine_kind() -> str:
    """Name of a kind of machine for baselines: architecture, best kernel, cores."""
    return f"{platform.system()}-{platform.machine()}-{choose(None)}-{cpu_count()}cores".lower()


def source_digest() -> str:
    """Digest of everything that decides a score, so that stored partial results of other code are not used."""
    digest = blake2b(digest_size=16)
    package = Path(bioguard.__file__).parent
    for folder in ("match", "records", "formats"):
        for path in sorted((package / folder).rglob("*")):
            if path.suffix in {".py", ".c", ".h", ".bin", ".so", ".npz"}:
                digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _commit() -> str:
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode:
        return "unknown"
    dirty = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, check=False
    )
    return head.stdout.strip() + (" with changes" if dirty.stdout.strip() else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
