"""Feature files: minutiae (ISO/IEC 19794-2, INCITS 378, xyt) and embeddings (npy, npz, csv).

Rules:
* Strict: every field is checked, nothing may be left over, a refusal names the byte or line, and the import option
  that reads the file where there is one. What an option lets pass is a warning with a stable code.
* Bounded: sizes are compared before anything is allocated; nothing is unpickled or evaluated.
* Lossless below (`parse_minutiae` and `to_bytes`), normalized above (`load`: pixels at 500 dpi, radians, unit vectors).
* A warning is returned, never printed; a wrong guess is never made silently.

    from bioguard.formats import load
    result = load("finger.iso")
    result.features[0].x_px500, result.warnings

Specifications: docs/formats/minutiae.md, embeddings.md, features.md.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bioguard.formats.errors import ImportWarning
    from bioguard.formats.files import LoadResult, load, load_bytes, load_features
    from bioguard.formats.fmr import parse_minutiae
    from bioguard.formats.options import ImportOptions, Trailing
    from bioguard.formats.write import write_ansi2004, write_ansi2009, write_iso2005, write_iso2011, write_xyt
else:

    def __getattr__(name: str) -> object:
        """Loaded when asked for: whoever states import options reads no file yet, who reads one writes none."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name in {"ImportOptions", "Trailing"}:
            from bioguard.formats import options as home  # noqa: PLC0415
        elif name == "ImportWarning":
            from bioguard.formats import errors as home  # noqa: PLC0415
        elif name.startswith("write"):
            from bioguard.formats import write as home  # noqa: PLC0415
        elif name == "parse_minutiae":
            from bioguard.formats import fmr as home  # noqa: PLC0415
        else:
            from bioguard.formats import files as home  # noqa: PLC0415
        return getattr(home, name)


__all__ = [
    "ImportOptions",
    "ImportWarning",
    "LoadResult",
    "Trailing",
    "load",
    "load_bytes",
    "load_features",
    "parse_minutiae",
    "write_ansi2004",
    "write_ansi2009",
    "write_iso2005",
    "write_iso2011",
    "write_xyt",
]
