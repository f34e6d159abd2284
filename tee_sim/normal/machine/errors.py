"""Name what is wrong with a machine: a result as any other, with a code of its own and something that can be done."""

from tee_sim.shared.errors import Origin, TeeError, TeeResult

RESULTS = {
    "machine.path": TeeResult.ITEM_NOT_FOUND,
    "machine.missing": TeeResult.ITEM_NOT_FOUND,
    "machine.foreign": TeeResult.ACCESS_CONFLICT,
    "machine.exists": TeeResult.ACCESS_CONFLICT,
    "machine.options": TeeResult.ACCESS_CONFLICT,
    "machine.version": TeeResult.UNSUPPORTED_VERSION,
    "machine.in_use": TeeResult.BUSY,
    "machine.file": TeeResult.SECURITY,
    "machine.fuse_mode": TeeResult.SECURITY,
    "machine.fuse_damaged": TeeResult.CORRUPT_OBJECT,
    "machine.disk": TeeResult.STORAGE_NOT_AVAILABLE,
    "machine.level": TeeResult.ACCESS_DENIED,
    "machine.not_run": TeeResult.BAD_STATE,
    "machine.closed": TeeResult.BAD_STATE,
    "machine.session": TeeResult.TARGET_DEAD,
    "machine.power": TeeResult.TARGET_DEAD,
    "attack.unknown": TeeResult.BAD_STATE,
}
"""Every code, and the GlobalPlatform result that stands for it."""


class MachineError(TeeError):
    """What the normal world found before or around the secure world; nothing was stored or changed in it.

    Args:
        code: one of `RESULTS`.
        message: one line, lower case, no full stop.
        hint: what to do about it.
    """

    def __init__(self, code: str, message: str, *, hint: str, origin: Origin = Origin.API) -> None:
        super().__init__(RESULTS[code], message, origin=origin, hint=hint)
        self.code = code
