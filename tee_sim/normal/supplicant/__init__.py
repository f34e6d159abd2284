"""The normal world's storage service: sealed bytes in a database, MACed frames in the image of an RPMB chip.

Promised: one transaction is durable when it is answered, or did not happen; who may not write the directory is refused.
Not promised: secrecy or freshness, which the secure world makes for itself; nobody there believes an answer of this.
"""

from tee_sim.normal.supplicant.service import RequestNote, RpmbFile, Supplicant
from tee_sim.normal.supplicant.sqlite_blobs import SqliteBlobs

__all__ = ["RequestNote", "RpmbFile", "SqliteBlobs", "Supplicant"]
