"""The name of the file that makes a directory a machine or a device: for whoever only asks whether there is one."""

FUSE_FILE = "fuses.simulated"
