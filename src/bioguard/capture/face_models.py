"""The TOML that describes a face engine: a detector and an embedding model, with all that is done to their inputs.

Every key is there or the file is refused: a mean that is left out is an embedding that nobody measured. An example for
two models that can be had is docs/examples/yunet-sface.toml.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from bioguard.errors import InputRefused
from tee_sim.shared.dataclass import dataclass

MAX_TOML_BYTES: Final = 16 << 10
POINTS: Final = 5
"""Eyes, nose, corners of the mouth: what every detector of this family gives, and every alignment uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A network and its input.

    Attributes:
        file: path, from the folder of the TOML file.
        sha256: of the file, 32 bytes.
        input: name of the input; empty where there is one.
        side: of the square that it takes, px.
        channels: "rgb" or "bgr".
        mean: taken from each channel, in the order of `channels`, before it is multiplied by `scale`.
        scale: factor.
    """

    file: str
    sha256: bytes
    input: str
    side: int
    channels: str
    mean: tuple[float, ...]
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector(Model):
    """One box a cell of a grid, at several strides: the YuNet family.

    Attributes:
        strides: px of the input a cell.
        scores: outputs whose geometric mean is the score; `{stride}` stands for the number.
        box: output [cells, 4]: center from the cell's corner in strides, log of width and height in strides.
        points: output [cells, 10]: eyes, nose, corners of the mouth, each from the cell's corner in strides.
        min_score: a face from here on.
    """

    strides: tuple[int, ...]
    scores: tuple[str, ...]
    box: str
    points: str
    min_score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder(Model):
    """Attributes:
    output: name of the output.
    landmarks: where the five points go in its input, px; float64 [5, 2] as nested tuples.
    """

    output: str
    landmarks: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceModels:
    """Attributes:
    name, version: of the extractor that the two make.
    digest: SHA-256 of everything in the file, and so of the weights too, 32 bytes.
    """

    name: str
    version: str
    detector: Detector
    embedder: Embedder
    digest: bytes


def _refuse(what: str) -> InputRefused:
    return InputRefused(
        f"the description of the face models: {what}",
        hint="start with docs/examples/yunet-sface.toml; docs/capture.md#faces says what is what",
        code="capture.face_models",
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 256 else _wrong()


def _digest(value: Any) -> bytes:
    data = bytes.fromhex(_text(value))
    return data if len(data) == 32 else _wrong()


def _side(value: Any) -> int:
    return value if type(value) is int and 8 <= value <= 2048 else _wrong()


def _channels(value: Any) -> str:
    return _text(value) if value in ("rgb", "bgr") else _wrong()


def _number(value: Any) -> float:
    return float(value) if type(value) in (int, float) and abs(value) < 1e6 else _wrong()


def _list(item: Callable[[Any], Any], at_least: int, at_most: int) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        fits = isinstance(value, list) and at_least <= len(value) <= at_most
        return tuple(item(one) for one in value) if fits else _wrong()

    return read


def _share(value: Any) -> float:
    share = _number(value)
    return share if 0 < share < 1 else _wrong()


def _wrong() -> NoReturn:
    raise ValueError


_MODEL: Final[Mapping[str, Callable[[Any], Any]]] = {
    "file": _text, "sha256": _digest, "input": _text, "side": _side, "channels": _channels,
    "mean": _list(_number, 3, 3), "scale": _number,
}  # fmt: skip
_DETECTOR: Final[Mapping[str, Callable[[Any], Any]]] = {
    **_MODEL, "strides": _list(_side, 1, 8), "scores": _list(_text, 1, 4), "box": _text, "points": _text,
    "min_score": _share,
}  # fmt: skip
_EMBEDDER: Final[Mapping[str, Callable[[Any], Any]]] = {
    **_MODEL, "output": _text, "landmarks": _list(_list(_number, 2, 2), POINTS, POINTS),
}  # fmt: skip


def _table(raw: Any, readers: Mapping[str, Callable[[Any], Any]], where: str) -> dict[str, Any]:
    if not isinstance(raw, dict) or set(raw) != set(readers):
        keys = sorted(set(readers) ^ set(raw if isinstance(raw, dict) else ()))
        raise _refuse(f"[{where}] lacks or has too many: {', '.join(keys)[:200]}")
    made = {}
    for key, read in readers.items():
        try:
            made[key] = read(raw[key])
        except ValueError:
            raise _refuse(f"[{where}] {key} is not what it has to be") from None
    return made


def parse_models(data: bytes) -> FaceModels:
    """Read the text of the file.

    Raises:
        InputRefused: `capture.face_models`.
    """
    if len(data) > MAX_TOML_BYTES:
        raise _refuse(f"more than {MAX_TOML_BYTES} bytes")
    try:
        raw = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _refuse("it is no TOML") from error
    top = _table(raw, {"name": _text, "version": _text, "detector": dict, "embedder": dict}, "top")
    return FaceModels(
        name=top["name"],
        version=top["version"],
        detector=Detector(**_table(top["detector"], _DETECTOR, "detector")),
        embedder=Embedder(**_table(top["embedder"], _EMBEDDER, "embedder")),
        digest=hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).digest(),
    )
