"""Trusted code that one start has compiled, for the later devices of the same process: a third of each start.

A device of a test is new, and a new one compiles all its trusted code. Here the first start of a test process keeps
what it has compiled, as `tee_sim.normal.machine.start_caches` does for one device, and those after it take that, by
the same way and with the same checks of the secure world. Such a start measures as another one than a start that
compiled: tests of measurements are in folders that do not use this.
"""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from tee_sim.normal.machine.locked_start import Started, start_locked
from tee_sim.normal.sandbox_verdict.probes import ProbeResults, cached_probes
from tee_sim.shared.limits import CACHE_MAC_BYTES
from tee_sim.shared.wire import Boot


class SharedCode:
    """Stands where a `StartCaches` does, of every device without one.

    Args:
        folder: where the compiled code goes, a file for each set of applications.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[str, bytes] = {}
        self._asked = ""

    def start(self, boot: Boot, *args: object, caches: object = None, **options: object) -> Started:
        """`start_locked`."""
        return start_locked(boot, *args, caches=caches or self, **options)  # type: ignore[arg-type]

    def code(self, boot: Boot) -> Boot:
        """As of `StartCaches`."""
        self._asked = hashlib.sha256(b"".join(manifest.to_bytes() for manifest in boot.manifests)).hexdigest()
        digest = self._digests.get(self._asked)
        if digest is None:
            return replace(boot, keep_code=True)
        return replace(boot, kept_code=os.fsencode(self._folder / self._asked), kept_sha256=digest)

    def keep_code(self, content: bytes) -> None:
        """As of `StartCaches`."""
        if content:
            (self._folder / self._asked).write_bytes(bytes(CACHE_MAC_BYTES) + content)
            self._digests[self._asked] = hashlib.sha256(content).digest()

    def has_probes(self) -> bool:
        """As of `StartCaches`: whoever wants them waits."""
        return False

    def probes(self) -> ProbeResults:
        """As of `StartCaches`."""
        return cached_probes()
