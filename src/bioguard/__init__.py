"""bioguard: a simulator of an on-device biometric template vault."""

__version__ = "0.2.0"
