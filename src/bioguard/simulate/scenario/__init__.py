"""Scenarios: one TOML file for a device, its sensors, its faults, what is put into it and what came of it."""
