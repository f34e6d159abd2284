"""Scenarios over the methods of version 2: inputs as requests, what was told as events, both by name."""
