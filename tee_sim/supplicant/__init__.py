"""The normal world's storage service, and the secure world's way to it (`port`, `requests`).

The secure world imports `tee_sim.supplicant.port` only; the names below load SQLite, so they load on demand.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tee_sim.supplicant.service import RequestNote, RpmbFile, Supplicant
    from tee_sim.supplicant.sqlite_blobs import SqliteBlobs

__all__ = ["RequestNote", "RpmbFile", "SqliteBlobs", "Supplicant"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from tee_sim.supplicant import service, sqlite_blobs  # noqa: PLC0415

    return getattr(sqlite_blobs if name == "SqliteBlobs" else service, name)
