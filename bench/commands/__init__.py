"""The subcommands of `python -m bench`."""
