"""How it is known which extractor made a sample."""

from enum import IntEnum, unique


@unique
class SampleOrigin(IntEnum):
    """From nobody's word at all to what the secure world has seen itself."""

    DECLARED = 1
    """A file that says nothing: taken as of the device's comparison profile."""
    STATED = 2
    """A file that names its extractor."""
    CAPTURED = 3
    """The device's own sensor made it, whose extractor is sealed."""

    @property
    def word(self) -> str:
        """The name for people."""
        return self.name.lower()
