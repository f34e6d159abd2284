"""`bioguard list`, `show`, `erase`: records that are there."""

from pathlib import Path

import click

from bioguard.cli.erasing import (
    confirm_erasure,
    erase_authorization,
    erase_options,
    receipt_option,
    receipt_step,
    write_receipt,
)
from bioguard.cli.on_sensor import several_of_a_kind
from bioguard.cli.output import Result, table
from bioguard.cli.state import CliState, pass_state
from bioguard.device import RecordInfo
from bioguard.device.answers import public_record
from bioguard.device.start import at_start
from bioguard.errors import InputRefused
from bioguard.text import iso


def _public(info: RecordInfo) -> dict[str, object]:
    record = public_record(info)
    return {"record_id": record.pop("record_id"), "user": info.user, **record}


@click.command("list")
@click.argument("user", required=False)
@pass_state
def list_records(state: CliState, user: str | None) -> Result:
    """List records: ids and metadata, never features."""
    with state.device() as device:
        records, start = list(device.records(user)), at_start(device)
        several = several_of_a_kind(device.configuration)
    known = [(r, r.user or "(unknown)", iso(r.enrolled_s * 1000)) for r in records]
    rows = [
        (r.record_id, name, r.modality, *([r.sensor] * several), r.position, r.views, at, r.extractor or "not known")
        for r, name, at in known
    ]
    header = ("record", "user", "modality", *(["sensor"] * several), "position", "views", "enrolled", "extractor")
    return Result(
        outcome="listed",
        data={
            "records": [_public(r) for r in records],
            "erased_at_start": start.erased,
            "records_held": start.held,
        },
        lines=table(rows, header=header) if rows else ["no records"],
    )


@click.command()
@click.argument("record_id")
@pass_state
def show(state: CliState, record_id: str) -> Result:
    """Show one record's metadata."""
    with state.device() as device:
        info = device.show(record_id)
    public = _public(info)
    return Result(
        outcome="shown",
        data={"record": public},
        lines=[f"{k.replace('_', ' ') + ':':<14}{v}" for k, v in public.items()],
    )


@click.command()
@click.argument("user")
@click.argument("record_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every record of the user.")
@click.option("--force", is_flag=True, help="Do not ask.")
@receipt_option
@erase_options
@pass_state
def erase(
    state: CliState,
    user: str,
    record_ids: tuple[str, ...],
    *,
    everything: bool,
    force: bool,
    receipt: Path | None,
    operator: bool,
    pin_file: Path | None,
) -> Result:
    """Erase records of a user: destroy their keys, their rows and the salts of their digests.

    A user with a PIN is asked for it.

    \b
    Examples:
      bioguard erase alice 6f0c... --receipt receipt.json
      bioguard erase alice --all --force --pin-file pin.txt
    """
    if bool(record_ids) == everything:
        raise click.UsageError("name the records, or say --all")
    what = "all records" if everything else f"{len(record_ids)} record(s)"
    confirm_erasure(state, f"{what} of {user}", force=force, receipt=receipt)
    with state.device() as device:
        authorization = erase_authorization(state, device, user, pin_file, operator=operator)
        there = [r.record_id for r in device.records(user)]
        unknown = [i for i in record_ids if i not in there]
        if unknown:
            raise InputRefused(
                f"no such record of {user}: {unknown[0][:40]}; nothing was erased",
                hint=f"run: bioguard list {user}",
                code="record.unknown",
            )
        ids = dict.fromkeys(record_ids) or there
        erased = {i: device.erase(user, i, authorization) for i in ids}
        written = write_receipt(state, device, list(erased.values()), receipt)
    return Result(
        outcome="erased",
        data={
            "user": user,
            "erased": [{"record_id": i, "digest": d} for i, d in erased.items()],
            "receipt": str(receipt) if written else None,
        },
        lines=[f"erased record {i} (digest {d})" for i, d in erased.items()] + written or ["nothing to erase"],
        next_step=receipt_step(erased, written),
    )
