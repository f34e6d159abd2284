"""Scopes first, rights later: who is in the first domain may signal those below it, and nobody outside."""

import os
import signal
import subprocess
import sys

import pytest

from tee_sim.shared.sandbox import landlock

SCRIPT = """
import os, signal, time
from tee_sim.shared.sandbox import hygiene, landlock

hygiene.no_new_privileges()
outside = os.fork()
if not outside:
    time.sleep(60)
print(landlock.restrict_scopes())
inside = os.fork()
if not inside:
    landlock.restrict(landlock.abi())
    time.sleep(60)
time.sleep(0.3)
files, network, scopes = landlock.restrict(landlock.abi(), scoped=True)
print(files > 0, network > 0, scopes)
for pid in (outside, inside):
    try:
        os.kill(pid, signal.SIGKILL)
        print("may")
    except PermissionError:
        print("may not")
try:
    os.listdir("/")
    print("lists")
except PermissionError:
    print("may not list")
"""


def test_the_core_may_end_whoever_is_below_and_nobody_beside() -> None:
    try:
        version = landlock.abi()
    except OSError:
        pytest.skip("this kernel has no Landlock")
    if version < 6:
        pytest.skip("this kernel has no scopes")
    command = [sys.executable, "-u", "-c", SCRIPT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as script:
        assert script.stdout is not None
        try:
            said = [script.stdout.readline().strip() for _ in range(5)]
        finally:
            os.killpg(script.pid, signal.SIGKILL)
    assert said == ["True", f"True True {landlock.every_right(version)[2]}", "may not", "may", "may not list"]
