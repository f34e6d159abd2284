"""Sections of the page of an accuracy run, each from what `accuracy.json` holds."""
