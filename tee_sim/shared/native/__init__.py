"""Reads native applications: ELF files, and what they say of themselves."""
