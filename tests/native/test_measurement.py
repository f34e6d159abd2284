"""What a native application is measured by: its head, its bytes, the runtime that hosts it."""

from dataclasses import replace

from tee_sim.normal.machine.applications import Application
from tee_sim.secure.native.files import measurement
from tests.native.builds import EXAMPLES, Builds
from tests.native.conftest import machine_of


def test_every_part_counts(builds: Builds) -> None:
    manifest = Application.read(builds.ta(EXAMPLES / "safe/ta")).manifest
    parts = [
        (manifest, b"file", b"runtime"),
        (replace(manifest, stack_bytes=manifest.stack_bytes + 1), b"file", b"runtime"),
        (manifest, b"filf", b"runtime"),
        (manifest, b"file", b"runtimf"),
        (manifest, b"filer", b"untime"),
    ]
    assert len({measurement(*part) for part in parts}) == len(parts)


def test_a_locked_machine_reports_that_of_the_bytes_on_the_disk(builds: Builds) -> None:
    ta = builds.ta(EXAMPLES / "safe/ta")
    with machine_of(ta) as tee:
        (reported,) = tee._machine.running.measurements.values()
        (manifest,) = (application.manifest for application in tee._machine.applications)
    runtime = builds.kit / "lib/libtee_sim_ta.so"
    assert reported == measurement(manifest, ta.read_bytes(), runtime.read_bytes()).hex()
