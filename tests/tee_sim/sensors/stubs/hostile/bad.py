"""Sensors that cannot be made."""

import os
import threading
import time
from collections.abc import Mapping

from tee_sim.shared.sensor_api import Reading


class Unnamed:
    """Says nothing of itself."""

    extractor = b""

    def __init__(self, arguments: tuple[str, ...], files: Mapping[str, bytes]) -> None:
        pass

    def read(self, data: bytes) -> Reading:
        """Is never asked."""
        raise AssertionError


class Raises(Unnamed):
    """Raises."""

    def __init__(self, arguments: tuple[str, ...], files: Mapping[str, bytes]) -> None:
        raise RuntimeError("not today")


class Threads(Unnamed):
    """Leaves a thread behind."""

    extractor = b"x"

    def __init__(self, arguments: tuple[str, ...], files: Mapping[str, bytes]) -> None:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


class Ends(Unnamed):
    """Takes the process with it."""

    def __init__(self, arguments: tuple[str, ...], files: Mapping[str, bytes]) -> None:
        os._exit(0)


class EndsLater(Unnamed):
    """Takes each copy of the process with it."""

    extractor = b"x"

    def __init__(self, arguments: tuple[str, ...], files: Mapping[str, bytes]) -> None:
        os.register_at_fork(after_in_child=lambda: os._exit(0))
