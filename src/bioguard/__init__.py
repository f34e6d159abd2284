"""bioguard: a simulator of an on-device biometric template vault."""

__version__ = "0.1.0"
