"""What a large request to an application in C holds up: nothing in the core reads it as anything."""

import time
from pathlib import Path

from tee_sim.normal.machine.applications import Application
from tee_sim.normal.machine.machine import Machine
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.params import Param, operation

SAY = 1
ARRAYS = b"\x9a" + (MAX_PARAM_BYTES - 5).to_bytes(4, "big") + b"\x80" * (MAX_PARAM_BYTES - 5)
"""Half a million empty arrays of CBOR: reading them takes the core seconds."""


def test_bytes_that_are_arrays_are_no_slower_than_others(parrot_in_c: Path, tmp_path: Path) -> None:
    application = Application.read(parrot_in_c)
    with Machine.open(tmp_path / "machine", [application]) as machine:
        session = machine.context.open_session(application.manifest.ta_uuid)

        def seconds(data: bytes) -> float:
            began = time.monotonic()
            session.invoke(SAY, operation(Param.memref(data)))
            return time.monotonic() - began

        others = min(seconds(bytes(MAX_PARAM_BYTES)) for _ in range(5))
        assert min(seconds(ARRAYS) for _ in range(5)) < 20 * others
