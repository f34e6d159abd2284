"""Build the application and its host program, run them, and make figures of what they print."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from bioguard.errors import InputRefused
from tee_sim.normal.dev_kit import SOURCES, kit_folder
from tee_sim.normal.dev_kit_error import DevKitError

HERE: Final = Path(__file__).parent
UP_CALLS: Final = 20
"""In one invocation that is timed for them; the same number stands in host.c."""
_TITLES: Final = {
    "invoke": "invocation through libteec",
    "floor": "floor: two round trips and their messages",
    "up_call": "call that the core answers",
    "digest_64k": "digest of 64 KiB, without its memory",
    "memory_64k": "invocation with 64 KiB of input",
    "object_write": "object of 256 bytes written",
}


def costs(rounds: int) -> dict[str, Any]:
    """Run the measures.

    Returns:
        For each measure {`p50_us`, `p95_us`, `calls`}; `invoke_to_floor`: the median over rounds of ten calls of the
        median invocation over the median floor of the same round.

    Raises:
        InputRefused: there is no compiler.
    """
    try:
        kit = kit_folder()
    except DevKitError as error:
        raise InputRefused(error.message, hint=error.hint, code=error.code) from error
    with tempfile.TemporaryDirectory(prefix="bench-native-") as folder:
        return _figures(_measured(kit, Path(folder), rounds))


def _measured(kit: Path, folder: Path, rounds: int) -> dict[str, list[int]]:
    runtime = SOURCES / "runtime"
    common = ["cc", "-std=c11", "-O2", f"-I{runtime}", f"-I{kit / 'include'}", f"-I{HERE / 'ta'}"]
    frames = [str(runtime / "cbor.c"), str(runtime / "frame.c")]
    _run(["make", "-s", "-C", str(HERE / "ta"), f"TA_DEV_KIT_DIR={kit}", f"O={folder}"])
    libraries = [f"-L{kit / 'lib'}", "-lteec"]
    _run([*common, "-o", str(folder / "host"), str(HERE / "host.c"), *frames, *libraries])
    _run([*common, "-o", str(folder / "floor_end"), str(HERE / "floor_end.c"), *frames])
    program = [str(folder / "host"), str(rounds), sys.executable, str(HERE / "floor.py"), str(folder / "floor_end")]
    said = _run([sys.executable, "-m", "tee_sim.cli", "run", str(folder), "--", *program])
    return {name: [*map(int, values)] for name, *values in map(str.split, said.splitlines())}


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().replace("\n", "; ")
        raise InputRefused(f"{command[0]} failed: {said}", hint="look at what it says", code="bench.native")
    return done.stdout


def _us(values: list[float]) -> dict[str, float]:
    return {
        "p50_us": float(np.quantile(values, 0.5)),
        "p95_us": float(np.quantile(values, 0.95)),
        "calls": len(values),
    }


def _figures(took_ns: dict[str, list[int]]) -> dict[str, Any]:
    us = {name: [value / 1000 for value in values] for name, values in took_ns.items()}
    up = statistics.median(us["up_none"])
    memory = statistics.median(us["memory"])
    rounds = zip(*([iter(us["invoke"])] * 10), strict=True), zip(*([iter(us["floor"])] * 10), strict=True)
    ratios = [statistics.median(ours) / statistics.median(floor) for ours, floor in zip(*rounds, strict=True)]
    return {
        "invoke": _us(us["invoke"]),
        "floor": _us(us["floor"]),
        "invoke_to_floor": statistics.median(ratios),
        "up_call": _us([(value - up) / UP_CALLS for value in us["up_many"]]),
        "memory_64k": _us(us["memory"]),
        "digest_64k": _us([value - memory for value in us["digest"]]),
        "object_write": _us(us["write"]),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """For people."""
    width = max(map(len, _TITLES.values()))
    rows = [
        f"{title:{width}}  {found[name]['p50_us']:9.1f}  {found[name]['p95_us']:9.1f}"
        for name, title in _TITLES.items()
    ]
    head = f"{'microseconds':{width}}  {'p50':>9}  {'p95':>9}"
    return [head, *rows, f"invocation to floor: {found['invoke_to_floor']:.2f}"]
