"""The root command, its global options and the table of commands."""

from pathlib import Path

import click

from bioguard import __version__
from bioguard.cli.command_line import default_device_dir, named_device_dir
from bioguard.cli.output import Output
from bioguard.cli.state import CliState
from tee_sim.lazy_group import LazyGroup, Table
from tee_sim.normal.sandbox_verdict.level import Level

COMMANDS: Table = {
    "access": (
        "rights:access",
        "Show everything held about USER, after their PIN: consents, records, decisions, requests, log.",
    ),
    "attack": ("attack:attack", "Play every known token theft and protocol attack; exit 3 if one works."),
    "attest": (
        "log:attest",
        "A PSA attestation token (EAT, COSE_Sign1) over sandbox, filter, trusted applications, log and your nonce.",
    ),
    "audit": ("audit:audit", "Gather evidence that nothing leaves the device."),
    "authenticate": ("match:authenticate", "1:1: is this sample of USER? Exit 0 for a match, 3 for none."),
    "capture": (
        "capture:capture",
        "Find the features in pictures and write them as ISO/IEC 19794-2 records, or .npz for faces.",
    ),
    "clock": (
        "clock:clock",
        "Show the device's time, and move a clock that steps (docs/limitations.md says which time each rule uses).",
    ),
    "consent": ("consent:consent", "Grant, withdraw, object, confirm and list consents."),
    "convert": (
        "convert:convert_command",
        "Write the minutiae or embeddings of IN into a new file OUT, and say what that loses.",
    ),
    "demo": (
        "demo:demo",
        "Provision a device, enroll people by face and finger, accept genuine attempts, reject impostors.",
    ),
    "device": ("device:device", "Make, look at, restart and destroy a device."),
    "doctor": (
        "doctor:doctor",
        "Check the host and the device: sandbox layers, compiled kernels, the device's files and its store.",
    ),
    "enroll": (
        "enroll:enroll",
        "Enroll one finger (several touches) or one face (several views), with the user's PIN.",
    ),
    "erase": (
        "records:erase",
        "Erase records of a user: destroy their keys, their rows and the salts of their digests.",
    ),
    "explain": (
        "rights:explain",
        "Explain a decision, by its number in the log, in coarse terms: no score, no threshold.",
    ),
    "export": ("rights:export", "Write the personal data of USER as JSON (schema bioguard/personal-data/1)."),
    "fault": (
        "fault:fault",
        "Script what the sensor, the disk and the clock of a device do (docs/android-contract.md section 6).",
    ),
    "identify": ("match:identify", "1:N: whose sample is this? Exit 0 when somebody is found, 3 otherwise."),
    "incident": ("policy:incident", "Show incidents: what happened, what was done, what to do, how it is remedied."),
    "list": ("records:list_records", "List records: ids and metadata, never features."),
    "log": ("log:log", "The transparency log: numbered entries, a Merkle tree, signed checkpoints."),
    "mark-underage": (
        "rights:mark_underage",
        "USER turned out to be a child: erase all their records and consents at once.",
    ),
    "match": ("match_explain:match_group", "Compare feature files outside the secure world, for developers."),
    "notice": (
        "policy:notice",
        "What is stored, where, why and for how long, and under which policy version: to be shown before consent.",
    ),
    "pin": ("pin:pin", "Set and check PINs."),
    "policy": (
        "policy:policy",
        "Print the register of promises, each with its control and checks; or set the policy in force.",
    ),
    "purge": (
        "policy:purge",
        "Erase records past their retention or without a purpose, prune log bodies older than 30 days.",
    ),
    "rectify": ("rights:rectify", "Correct the name of USER, or which finger a record is of."),
    "request": ("rights:request", "The register of requests: due after 7 days, at most 30 with a reason."),
    "restrict": (
        "rights:restrict",
        "Keep the data of USER, but do not process them: every comparison and enrollment refuses.",
    ),
    "samples": (
        "make_samples:samples",
        "Write five touches (.iso) and five face views (.npy) of each synthetic person into a new DIRECTORY.",
    ),
    "scenario": (
        "scenario:scenario",
        "Scenarios: a device, its faults, what a client asks and is told, in one file (docs/formats/scenario.md).",
    ),
    "serve": (
        "serve:serve",
        "Drive a device by CBOR frames on standard input and output (docs/formats/serve.md, serve-2.md).",
    ),
    "show": ("records:show", "Show one record's metadata."),
    "token": ("token:token", "Decode and check auth tokens (docs/formats/token.md)."),
    "trace": ("trace:trace", "Print or draw a timeline that `--trace FILE` wrote (docs/debugging.md)."),
    "unrestrict": ("rights:unrestrict", "End a restriction."),
    "user": ("users:user", "Add, list and remove users."),
}
"""Loaded when used: a decision does not wait for the audit's imports."""


def _named(_ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    if value == Path():
        raise click.BadParameter("name a file")
    return value


@click.group(
    name="bioguard",
    cls=LazyGroup,
    table=COMMANDS,
    package="bioguard.cli",
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
@click.option(
    "--trace",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_named,
    expose_value=False,  # it is looked at before anything is started: bioguard.cli.command_line
    help="Append what happens to FILE, a timeline for `bioguard trace` and for Perfetto: names, sizes, results, "
    "durations, no data.",
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
    named = device or named_device_dir()
    state = CliState(
        directory=named or default_device_dir(),
        named=named is not None,
        output=Output(as_json=as_json, quiet=quiet),
        no_input=no_input,
        seed=seed,
        clock=clock,
        allow_level=allow_level,
        storage_log=storage_log,
    )
    if clock or storage_log:
        _ = state.options  # what is wrong with them is said first
    ctx.obj = state
