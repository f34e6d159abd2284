"""The root command, its global options and the table of commands."""

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click

from bioguard import __version__
from bioguard.cli.output import Output
from bioguard.cli.state import CliState, default_device_dir, named_device_dir, storage_log_into
from bioguard.device import DeviceOptions, Level, parse_clock
from bioguard.errors import WrongUsage
from bioguard.simulate.faults import scripted

COMMANDS = {
    "access": "rights:access",
    "attack": "attack:attack",
    "attest": "log:attest",
    "audit": "audit_bundle:audit",
    "authenticate": "match:authenticate",
    "clock": "clock:clock",
    "consent": "consent:consent",
    "convert": "convert:convert_command",
    "demo": "demo:demo",
    "device": "device:device",
    "doctor": "doctor:doctor",
    "enroll": "enroll:enroll",
    "erase": "enroll:erase",
    "explain": "rights:explain",
    "export": "rights:export",
    "fault": "fault:fault",
    "identify": "match:identify",
    "incident": "policy:incident",
    "list": "enroll:list_records",
    "log": "log:log",
    "mark-underage": "rights:mark_underage",
    "match": "match_explain:match_group",
    "notice": "policy:notice",
    "pin": "pin:pin",
    "policy": "policy:policy",
    "purge": "policy:purge",
    "rectify": "rights:rectify",
    "request": "rights:request",
    "restrict": "rights:restrict",
    "samples": "make_samples:samples",
    "serve": "serve:serve",
    "show": "enroll:show",
    "token": "token:token",
    "unrestrict": "rights:unrestrict",
    "user": "users:user",
}
"""Command and where it is, below `bioguard.cli`. Loaded when used: a decision does not wait for the audit's imports."""


class _LazyGroup(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command = getattr(import_module(f"bioguard.cli.{module}"), name)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = get_close_matches(args[0], COMMANDS, n=1)
        if args[0] not in COMMANDS and near and not args[0].startswith("-"):
            ctx.fail(f"no such command {args[0]!r}, did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)


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
    "fault play", "fault set", "incident", "incident ack", "log verify", "match explain", "policy", "token agree",
    "token show",
})  # fmt: skip
"""Commands that neither make a device nor start one: there is nothing that a clock or a seed could be compared with."""


def refuse_idle_options(arguments: list[str]) -> None:
    """Raises WrongUsage for a clock or a seed where it means nothing.

    Args:
        arguments: as `hoist_global_options` leaves them.
    """
    given = [name for name in _FOR_NEW_DEVICES if any(a.partition("=")[0] == name for a in arguments)]
    words = _command_words(arguments)
    if given and not _NO_DEVICE.isdisjoint({words[0], " ".join(words)} if words else ()):
        raise WrongUsage(
            f"{given[0]} means nothing here: this command starts no device",
            hint="clock and seed are chosen by `bioguard device init`",
        )


def _command_words(arguments: list[str]) -> list[str]:
    """The command and its subcommand, past the global options in front."""
    i = 0
    while i < len(arguments) and arguments[i].startswith("-"):
        name, has_value, _ = arguments[i].partition("=")
        i += 2 if GLOBAL_OPTIONS.get(name) and not has_value else 1
    return [word for word in arguments[i:] if not word.startswith("-")][:2]


@click.group(
    name="bioguard",
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 yes, 1 bug, 2 usage, 3 no, 4 input refused, 5 not permitted, 6 secure world, 7 integrity, "
    "130 interrupted. No telemetry, no network code: `bioguard audit run` gathers the evidence.",
)
@click.option("--device", type=click.Path(path_type=Path, file_okay=False), help="Device directory.", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--no-input", is_flag=True, help="Never ask; a missing value is an error.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no tips.")
@click.option(
    "--seed",
    help="Of a new device: seeded randomness, for tests and replay; its keys are then no secret. It is sealed.",
)
@click.option(
    "--clock",
    help="Of a new device: fixed:2026-01-31T12:00:00Z, a clock that stands until `clock advance`. It is sealed.",
)
@click.option(
    "--allow-level",
    type=click.Choice([level.value for level in Level]),
    help="Accept a sandbox below ENFORCED, by name.",
)
@click.option(
    "--storage-log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append a line of JSON to FILE for every request to the disk: operation, names, sizes, faults.",
    metavar="FILE",
)
@click.version_option(__version__, prog_name="bioguard", message="%(prog)s %(version)s (simulator)")
@click.pass_context
def cli(
    ctx: click.Context,
    device: Path | None,
    as_json: bool,
    no_input: bool,
    quiet: bool,
    seed: str | None,
    clock: str | None,
    allow_level: str | None,
    storage_log: Path | None,
) -> None:
    """A biometric template vault that runs as it would inside a phone's trusted execution environment.

    It is a SIMULATOR: it shows and tests the contract, it does not protect against the owner of the host.

    \b
    Examples:
      bioguard demo
      bioguard device init
      bioguard enroll alice --finger right-index a1.iso a2.iso a3.iso
      bioguard authenticate alice a4.iso
    """
    output = Output(as_json=as_json, quiet=quiet)
    options = DeviceOptions(
        seed=seed,
        clock=parse_clock(clock) if clock else None,
        allow_level=Level(allow_level) if allow_level else None,
        storage_log=storage_log_into(storage_log, output.note) if storage_log else None,
        note=output.report,
        hooks=scripted,
    )
    named = device or named_device_dir()
    ctx.obj = CliState(
        directory=named or default_device_dir(),
        named=named is not None,
        output=output,
        no_input=no_input,
        options=options,
    )
