"""Every way out that we know of, by group. Importing this package registers them."""

from bioguard.evidence.escape_battery.attempts import (
    abi,
    descriptors,
    execution,
    families,
    files,
    ipc,
    network,
    processes,
    services,
    visible,
)

__all__ = [
    "abi",
    "descriptors",
    "execution",
    "families",
    "files",
    "ipc",
    "network",
    "processes",
    "services",
    "visible",
]
