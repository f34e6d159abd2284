"""OpenCV with one thread and without a word: the only import of it. Raises WrongUsage `capture.missing` without it."""

from typing import Final

from bioguard.capture.refusals import missing

MIN_VERSION: Final = 5
"""4.x cannot load the network of `leader`, and its faces differ in the last digits."""

try:
    import cv2
except ImportError as error:
    raise missing("opencv-python-headless >= 5") from error

if int(cv2.__version__.partition(".")[0]) < MIN_VERSION:
    raise missing("opencv-python-headless >= 5")

cv2.setNumThreads(0)  # no pool: after the lock no thread can be made
cv2.ocl.setUseOpenCL(False)
cv2.utils.logging.setLogLevel(0)  # decoders would tell the terminal what is in a file

__all__ = ["cv2"]
