"""Who answers the functions of native applications: a room that a world without them does not load.

Call `load` before the lock where there is one: afterwards no file can be read.
"""

from collections.abc import Iterable
from typing import Protocol

from tee_sim.shared.manifest import Manifest
from tee_sim.shared.ta_api import TaEnv


class NativeFunctions(Protocol):
    """`tee_sim.gp_api.service.NativeApi` of one instance."""

    def answer(self, words: list[object]) -> list[object]:
        """Answer one question. Raises NoFrameError for words that do not fit."""
        ...

    def end(self) -> None:
        """The instance is gone."""
        ...


class MakeFunctions(Protocol):
    """Makes them."""

    def __call__(self, env: TaEnv, manifest: Manifest) -> NativeFunctions: ...


def load(manifests: Iterable[Manifest]) -> MakeFunctions | None:
    """What makes the functions of an instance; None if none of these applications is native."""
    if not any(manifest.native for manifest in manifests):
        return None
    from tee_sim.gp_api.service import NativeApis  # noqa: PLC0415 - worlds of Python alone are smaller by all of it

    return NativeApis()
