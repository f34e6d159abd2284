"""Which files a face engine is made of: asked in the normal world too, so no OpenCV is loaded here."""

import hashlib
from pathlib import Path
from typing import Final

from bioguard.capture.engine_files import EngineFile, read_file
from bioguard.capture.face_models import parse_models

HINT: Final = "paths are from the folder of the TOML file, the SHA-256 is that of the file: docs/capture.md#faces"


def files(toml: str) -> tuple[EngineFile, ...]:
    """The description, the detector and the embedder that it names.

    Raises:
        WrongUsage: `capture.missing`, there is no such file.
        InputRefused: `capture.face_models`.
    """
    path = Path(toml)
    text = read_file(path, HINT)
    models = parse_models(text)
    named = ((path.parent / model.file, model.sha256) for model in (models.detector, models.embedder))
    return (EngineFile(path, hashlib.sha256(text).digest()), *(EngineFile(*one) for one in named))
