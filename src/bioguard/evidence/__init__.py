"""Gather evidence of what the product promises: checks, attacks, escape attempts, leak scans, and the signed bundle."""
