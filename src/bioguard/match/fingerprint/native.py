"""The compiled fingerprint kernel, or None where it was not built."""

from types import ModuleType

try:
    from bioguard.match import _cylinders  # type: ignore[attr-defined]
except ImportError:  # no compiler when it was installed
    NATIVE: ModuleType | None = None
else:
    NATIVE = _cylinders
