"""One part of the measurement, named by the first argument."""

import json
import sys
from pathlib import Path


def main(part: str, *given: str) -> None:
    """Run one part. What it needs is imported for it alone: an idle device has no measuring tools beside it."""
    match part:
        case "idle":
            from .idle import hold  # noqa: PLC0415

            hold(Path(given[0]), Path(given[1]))
        case "ask":
            from .counting import ask  # noqa: PLC0415

            ask(Path(given[0]), Path(given[1]))
        case "cli":
            from .counting import command  # noqa: PLC0415

            command(Path(given[0]), list(given[1:]))
        case "grow":
            from .growing import grow  # noqa: PLC0415

            grow(Path(given[0]), int(given[1]), [int(size) for size in given[2:]])
        case _:
            _in_places(part, *given)


def _in_places(part: str, *given: str) -> None:
    from .places import Places, prepare, prepare_bundle  # noqa: PLC0415

    *group, disk, memory = given[:3] if part == "measure" else given
    places = Places(Path(disk), Path(memory) if memory else None)
    if part in {"prepare", "bundle"}:
        {"prepare": prepare, "bundle": prepare_bundle}[part](places)
        return
    from .counting import counts  # noqa: PLC0415
    from .groups import GROUPS  # noqa: PLC0415

    found = counts(places) if group == ["counts"] else GROUPS[group[0]](places, int(given[3]))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
