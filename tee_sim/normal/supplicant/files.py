"""Names and bounds of the files that the supplicant keeps in a device's directory."""

STORAGE_FILE = "storage.db"
RPMB_FILE = "rpmb.img"
RESERVE_FILE = "storage.reserve"
"""Space that is kept for erasures; its content means nothing."""
DATABASE_SIDES = ("-journal", "-wal", "-shm")
"""What SQLite may open next to a database, by itself and following links."""

MOST_BYTES = 64 << 30
"""Of the database: 2 000 000 objects of 32 KB. The rest of a device is smaller."""
