"""What a command line says before anybody parses it: its global options, its command, and whether that wants a device.

This loads nothing: it is what is asked before everything else is loaded.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bioguard.errors import WrongUsage
from tee_sim.normal.machine.fuse_file import FUSE_FILE

TRACE_VARIABLE = "TEE_SIM_TRACE"
"""`tee_sim.normal.timeline.VARIABLE`, which is not loaded for its name."""
GLOBAL_OPTIONS = {
    "--device": True,
    "--json": False,
    "--no-input": False,
    "--quiet": False,
    "-q": False,
    "--seed": True,
    "--clock": True,
    "--allow-level": True,
    "--storage-log": True,
    "--trace": True,
}
"""Name and whether it takes a value. They may stand anywhere on the command line."""


def hoist_global_options(args: list[str]) -> list[str]:
    """Move global options in front of the command, so that `bioguard list --json` works as people type it."""
    front: list[str] = []
    rest: list[str] = []
    i = 0
    while i < len(args):
        name, has_value, _ = args[i].partition("=")
        if args[i] == "--":
            rest += args[i:]
            break
        if name in GLOBAL_OPTIONS:
            front.append(args[i])
            if GLOBAL_OPTIONS[name] and not has_value and i + 1 < len(args):
                i += 1
                front.append(args[i])
        else:
            rest.append(args[i])
        i += 1
    return front + rest


_FOR_NEW_DEVICES = ("--clock", "--seed")
_NO_DEVICE = frozenset({
    "attack", "audit verify", "device backup", "device restore", "device wipe", "doctor", "fault clear", "fault list",
    "fault play", "fault set", "incident", "incident ack", "log verify", "match explain", "policy", "scenario check",
    "scenario frames", "scenario record", "scenario replay", "token agree", "token show", "trace",
})  # fmt: skip
"""Commands that neither make a device nor start one: there is nothing that a clock or a seed could be compared with."""


def refuse_idle_options(arguments: list[str]) -> None:
    """Raises WrongUsage for a clock or a seed where it means nothing.

    Args:
        arguments: as `hoist_global_options` leaves them.
    """
    given = [name for name in _FOR_NEW_DEVICES if any(a.partition("=")[0] == name for a in arguments)]
    command = _command(arguments)
    if given and not _NO_DEVICE.isdisjoint(command) and _STARTS_ONE.isdisjoint(command):
        raise WrongUsage(
            f"{given[0]} means nothing here: this command starts no device",
            hint="clock and seed are chosen by `bioguard device init`",
        )


def _split(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options in front with their values, and what follows them."""
    options: dict[str, str] = {}
    i = 0
    while i < len(arguments) and arguments[i].startswith("-"):
        name, has_value, value = arguments[i].partition("=")
        i += 1
        if GLOBAL_OPTIONS.get(name) and not has_value:
            value = "".join(arguments[i : i + 1])
            i += 1
        options[name] = value
    return options, arguments[i:]


def command_words(arguments: list[str]) -> list[str]:
    """The command and the word after it, which is a subcommand if the command has any.

    Args:
        arguments: as `hoist_global_options` leaves them.
    """
    return [word for word in _split(arguments)[1] if not word.startswith("-")][:2]


def _command(arguments: list[str]) -> set[str]:
    """The command alone, and with the word after it: one of them is in a table if it is a command of that table."""
    words = command_words(arguments)
    return {" ".join(words[:1]), " ".join(words)}


def named_device_dir() -> Path | None:
    """`$BIOGUARD_DEVICE`."""
    named = os.environ.get("BIOGUARD_DEVICE")
    return Path(named) if named else None


def default_device_dir() -> Path:
    """In the XDG data directory. Raises WrongUsage if nobody says where that is."""
    try:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    except RuntimeError:
        raise WrongUsage("this user has no home directory", hint="name the device: --device DIR") from None
    return Path(base) / "bioguard"


_STARTS_ONE = frozenset({
    "access", "attest", "authenticate", "clock", "consent", "device reboot", "device rekey", "device status", "enroll",
    "erase", "explain", "export", "identify", "list", "log checkpoint", "log prove", "log receipt", "log show",
    "mark-underage", "notice", "pin", "policy set", "purge", "rectify", "request", "restrict", "serve", "show",
    "unrestrict", "user",
})  # fmt: skip
"""Commands that start a device which is there."""

WITHOUT_CACHES = frozenset({"attest", "device reboot", "device status", "serve"})
"""Those of them that say, or may be asked, what was measured: they start without what earlier starts have kept."""


def is_within_a_device(path: str) -> bool:
    """Whether a file would stand among those of a device."""
    return bool(path) and os.path.lexists(Path(path).parent / FUSE_FILE)


def device_to_start(arguments: list[str]) -> Path | None:
    """Where the device is that the command starts: a good guess, before anything is checked. None if it starts none.

    Args:
        arguments: as `hoist_global_options` leaves them.
    """
    options, _ = _split(arguments)
    if _STARTS_ONE.isdisjoint(_command(arguments)) or not {"-h", "--help"}.isdisjoint(arguments):
        return None
    if is_within_a_device(os.environ.get(TRACE_VARIABLE, "")):
        return None  # the command refuses, before anything is written there
    named = Path(options["--device"]) if "--device" in options else named_device_dir()
    with suppress(WrongUsage):  # the command says so
        directory = named or default_device_dir()
        return directory if os.path.lexists(directory / FUSE_FILE) else None
    return None


@contextmanager
def traced(arguments: list[str]) -> Iterator[None]:
    """For a block whose timeline goes where `--trace` says. The processes that it starts write there too.

    Args:
        arguments: as `hoist_global_options` leaves them.
    """
    before = os.environ.get(TRACE_VARIABLE)
    path = _split(arguments)[0].get("--trace")
    if path:
        os.environ[TRACE_VARIABLE] = os.path.abspath(path)  # noqa: PTH100 - `resolve` follows links, which may be gone
    try:
        yield
    finally:
        if path and before is None:
            del os.environ[TRACE_VARIABLE]
        elif path and before is not None:
            os.environ[TRACE_VARIABLE] = before


def takes_caches(arguments: list[str]) -> bool:
    """Whether the command starts from caches. Args: as of `device_to_start`."""
    return WITHOUT_CACHES.isdisjoint(_command(arguments))
