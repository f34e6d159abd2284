"""The contract against a model: see `python -m tests.model --help`."""
