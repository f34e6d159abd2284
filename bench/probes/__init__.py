"""Programs that are run with the code of other checkouts, each by its own Python: they import nothing of `bench`."""
