"""Forking the processes of a sensor ends in time, whatever its code does to the process that loads it."""

import subprocess
import sys

import pytest

from tee_sim.shared.limits import BOOT_TIMEOUT_MS, SENSORS_TIMEOUT_MS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
PROGRAM = """
import os, time
from tee_sim.secure.lockdown import sensors
sensors.SENSORS_TIMEOUT_MS = 2_000
(request, reply), (pictures, _) = os.pipe(), os.pipe()
def hangs(): time.sleep(60)
def stays(): os._exit = lambda status: time.sleep(60)
one = sensors.SensorToFork(
    name="one", picture_fds=(pictures,), heap_bytes=1, measure={measure}, make={make}
)
forks = sensors.SensorForks([one])
try:
    forks.fork(request, reply, 0)
except sensors.SensorError as error:
    print(error, end="")
else:
    print("forked" if forks.copy is None else "", end="", flush=True)
"""
DIGEST = "lambda: bytes(32)"


@pytest.mark.parametrize(
    ("measure", "make", "says"),
    [
        ("hangs", "hangs", "sensor one: it was not made within 2000 ms"),
        (DIGEST, "hangs", "sensor one: it was not made within 2000 ms"),
        (DIGEST, "lambda: None", "forked"),
        (DIGEST, "stays", "forked"),
    ],
)
def test_one_that_hangs_is_named_and_one_that_does_not_end_is_ended(measure: str, make: str, says: str) -> None:
    program = PROGRAM.format(measure=measure, make=make)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert ended.stdout == says, ended.stderr


def test_a_start_without_sensors_has_time_to_follow() -> None:
    """Past the deadline of the whole start the normal world does not know what hung."""
    assert SENSORS_TIMEOUT_MS < BOOT_TIMEOUT_MS
