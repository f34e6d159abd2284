"""The sensor: made before the lock, reads after it. It never sees a key, and nobody outside sees what it has read."""

from tee_sim.shared.sensor_api import Reading

GOOD, DARK, NO_PICTURE = 1, 2, 3
"""Its acquired codes: all that the normal world is told."""
_SIDE = 64


class LightSensor:
    """Reads a plain picture of 64 by 64 gray pixels, a byte each."""

    def __init__(self, arguments, files):
        self._darkest = int(arguments[0])
        self.extractor = b"light 1"

    def read(self, data):
        """The mean brightness, in one byte."""
        if len(data) != _SIDE * _SIDE:
            return Reading(NO_PICTURE, 0, b"")
        mean = sum(data) // len(data)
        if mean < self._darkest:
            return Reading(DARK, 0, b"")
        return Reading(GOOD, 100, bytes([mean]))
