"""The `bioguard` command. One file per command group; `output.py` is the only module that prints."""
