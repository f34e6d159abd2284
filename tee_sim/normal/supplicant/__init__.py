"""The normal world's storage service: sealed bytes in a database, MACed frames in the image of an RPMB chip."""

from tee_sim.normal.supplicant.service import RequestNote, RpmbFile, Supplicant
from tee_sim.normal.supplicant.sqlite_blobs import SqliteBlobs

__all__ = ["RequestNote", "RpmbFile", "SqliteBlobs", "Supplicant"]
