"""Networks as ONNX, run by OpenCV in the thread that asks."""

from typing import Any

import numpy as np

from bioguard.capture.opencv import cv2
from bioguard.errors import InputRefused


def network_of(data: bytes, name: str, hint: str) -> Any:
    """An ONNX network that runs on the processor, in this thread. Raises InputRefused `capture.weights`."""
    try:
        return cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    except cv2.error as error:
        raise InputRefused(f"OpenCV cannot load {name}", hint=hint, code="capture.weights") from error
