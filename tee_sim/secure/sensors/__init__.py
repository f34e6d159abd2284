"""Sensors: code that makes samples of pictures, in locked processes of its own, and the core's side of it."""
