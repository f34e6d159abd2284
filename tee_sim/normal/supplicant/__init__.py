"""The normal world's storage service: sealed bytes in a database, MACed frames in the image of an RPMB chip.

Promised: one transaction is durable when it is answered, or did not happen; who may not write the directory is refused.
Not promised: secrecy or freshness, which the secure world makes for itself; nobody there believes an answer of this.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tee_sim.normal.supplicant.service import RequestNote, RpmbFile, Supplicant
    from tee_sim.normal.supplicant.sqlite_blobs import SqliteBlobs
else:

    def __getattr__(name: str) -> object:
        """Loaded when asked for: a module of this folder is wanted for the name of a file, without databases."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from tee_sim.normal.supplicant import service, sqlite_blobs  # noqa: PLC0415

        return getattr(sqlite_blobs if name == "SqliteBlobs" else service, name)


__all__ = ["RequestNote", "RpmbFile", "SqliteBlobs", "Supplicant"]
