"""The error of the dev kit, apart from what builds it: whoever prints errors loads this alone."""

from typing import Final

from tee_sim.shared.errors import Origin, TeeError, TeeResult

RESULTS: Final = {
    "dev_kit.compiler": TeeResult.ITEM_NOT_FOUND,
    "dev_kit.build": TeeResult.GENERIC,
    "dev_kit.cache": TeeResult.ACCESS_CONFLICT,
}
"""Every code, and the GlobalPlatform result that stands for it."""


class DevKitError(TeeError):
    """The dev kit is not there and cannot be built. Origin API.

    Args:
        code: one of `RESULTS`.
        message, hint: as of `TeeError`.
    """

    def __init__(self, code: str, message: str, *, hint: str) -> None:
        super().__init__(RESULTS[code], message, origin=Origin.API, hint=hint)
        self.code = code
