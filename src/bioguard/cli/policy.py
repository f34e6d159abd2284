"""The policy itself: register, notice, version, purge, incidents."""

import click

from bioguard.cli.erasing import erased_lines
from bioguard.cli.output import Result, table
from bioguard.cli.state import CliState, pass_state
from bioguard.device import consent as rules
from bioguard.device import incidents as store
from bioguard.device.privacy_notice import notice as notice_text
from bioguard.device.start import at_start
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.text import iso, word


@click.group(invoke_without_command=True)
@click.pass_context
def policy(ctx: click.Context) -> Result | None:
    """Print the register of promises, each with its control and checks; or set the policy in force."""
    if ctx.invoked_subcommand is not None:
        return None
    lines: list[str] = []
    for c in CLAUSES:
        lines += [
            f"{c.id}  {c.promise} ({c.section})",
            f"        control: {c.control}",
            f"        checks: {', '.join(c.checks)}",
        ]
    rows = [
        {"id": c.id, "section": c.section, "promise": c.promise, "control": c.control, "checks": list(c.checks)}
        for c in CLAUSES
    ]
    return Result(outcome="listed", data={"clauses": rows}, lines=lines)


@policy.command("set")
@click.option("--version", "version", type=click.IntRange(1, 65_535), help="Newer suspends all grants until confirmed.")
@click.option("--minimum-age", type=click.IntRange(1, 30), help="Years.")
@click.option("--retention-days", type=click.IntRange(1, 3650), help="How long a record is kept.")
@pass_state
def change(state: CliState, version: int | None, minimum_age: int | None, retention_days: int | None) -> Result:
    """Change the policy in force. The version never goes down."""
    with state.device() as device:
        now = rules.policy_state(device)
        after = rules.set_policy(
            device,
            version=version or now.version,
            minimum_age=minimum_age or now.minimum_age,
            retention_days=retention_days or now.retention_days,
        )
    data = {"version": after.version, "minimum_age": after.minimum_age, "retention_days": after.retention_days}
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in data.items()]
    if after.version > now.version:
        lines.append("all grants are suspended until their users confirm them")
    return Result(outcome="set", data=data, lines=lines)


@click.command()
@pass_state
def notice(state: CliState) -> Result:
    """What is stored, where, why and for how long, and under which policy version: to be shown before consent."""
    with state.device() as device:
        now = rules.policy_state(device)
        made = device.configuration
    profile = word(made.profile)
    sensors = [modality.word for modality in made.sensors]
    parts = notice_text(now, store=str(state.directory), profile=profile, for_testing=made.for_testing, sensors=sensors)
    return Result(outcome="told", data={"notice": dict(parts)}, lines=[f"{heading}: {text}" for heading, text in parts])


@click.command()
@click.option("--confirm", is_flag=True, help="The time is right: erase as well what seems over since the clock moved.")
@pass_state
def purge(state: CliState, confirm: bool) -> Result:
    """Erase records past their retention or without a purpose, prune log bodies older than 30 days.

    What became old while the clock moved by more than 40 days between two starts is kept, unused, until --confirm.
    """
    with state.device() as device:
        start, done = at_start(device), rules.purge(device, confirmed=confirm)
    digests = [digest.hex() for digest in (*start.digests, *done.digests)]
    erased, pruned = start.erased + done.erased, start.pruned + done.pruned
    held = " and log bodies" if done.log_held else ""
    return Result(
        outcome="purged",
        data={
            "records_erased": erased,
            "digests_erased": digests,
            "log_bodies_pruned": pruned,
            "records_held": done.held,
            "log_bodies_held": done.log_held,
        },
        lines=[
            f"{erased} records erased, {pruned} log bodies pruned",
            *erased_lines(digests),
            *([f"{done.held} records{held} are kept: the clock moved too far"] if done.held or done.log_held else []),
        ],
        next_step="bioguard purge --confirm" if done.held or done.log_held else "",
    )


_SCRIPTED = (
    "faults were scripted for this device when it was found (bioguard fault list): it may come of them, and may not"
)


@click.group(invoke_without_command=True)
@click.pass_context
def incident(ctx: click.Context) -> Result | None:
    """Show incidents: what happened, what was done, what to do, how it is remedied."""
    if ctx.invoked_subcommand is not None:
        return None
    state = ctx.find_object(CliState)
    found = store.incidents(state.directory) if state else []
    rows, lines = [], []
    for i in found:
        text = i.text
        mark = "acknowledged" if i.acknowledged else "OPEN"
        mark += ", SCRIPTED" if i.scripted else ""
        rows.append(
            {
                "number": i.number,
                "cause": word(i.cause),
                "code": i.code,
                "opened": iso(i.opened_ms),
                "acknowledged": i.acknowledged,
                "scripted": i.scripted,
                "situation": text.situation,
                "measures": text.measures,
                "advice": text.advice,
                "remedy": text.remedy,
            }
        )
        lines += [f"incident {i.number}, {mark}: {word(i.cause)} ({i.code}), {iso(i.opened_ms)}"]
        lines += table(
            [
                ("situation", text.situation),
                ("measures", text.measures),
                ("advice", text.advice),
                ("remedy", text.remedy),
                *([("scripted", _SCRIPTED)] if i.scripted else []),
            ],
            header=("part", "text"),
        )
        if not i.acknowledged:
            lines += [f"acknowledge it: bioguard incident ack {i.number}"]
    return Result(outcome="listed", data={"incidents": rows}, lines=lines or ["no incidents"])


@incident.command("ack")
@click.argument("number", type=click.IntRange(1))
@pass_state
def ack(state: CliState, number: int) -> Result:
    """Acknowledge an incident; it is not shown at every command any more."""
    found = store.acknowledge(state.directory, number)
    return Result(
        outcome="acknowledged",
        data={"number": found.number},
        lines=[f"incident {found.number} acknowledged"],
    )
