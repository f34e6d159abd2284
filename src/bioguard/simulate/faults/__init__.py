"""Scripted behavior and faults: the knobs of Android's virtual HALs and what they lack (docs/android-contract.md)."""
