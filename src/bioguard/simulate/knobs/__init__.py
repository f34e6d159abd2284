"""Knobs: what a scripted sensor, disk, pipe or clock can be told to do, and the values that it takes."""
