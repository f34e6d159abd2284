"""Devices with a sensor."""
