"""Rights of a person: access, export, restriction, explanation, requests with due dates, mark-underage."""

import json
from pathlib import Path

import click

from bioguard.cli.erasing import confirm_erasure, erased_lines, receipt_option, receipt_step, write_receipt
from bioguard.cli.output import Result, table
from bioguard.cli.secrets import person_token, pin_file_option, read_pin
from bioguard.cli.state import CliState, note_testing, pass_state
from bioguard.device import consent as rules
from bioguard.device.answers import public_record
from bioguard.device.calibration import profile_names
from bioguard.device.data_export import NO_TEMPLATES, decision_words, request_fields
from bioguard.device.personal_data import personal_data
from bioguard.device.pins import verify_pin
from bioguard.device.rectify import relabel, rename
from bioguard.errors import InputRefused
from bioguard.printable import harmless_json
from bioguard.records.audit_events import Cause, Event
from bioguard.records.modality import Modality
from bioguard.records.rights_requests import EXTENSION_CAUSES, REQUEST_CAUSES, RightsRequest
from bioguard.records.scores import Basis
from bioguard.text import word
from bioguard.user_files import check_output, write_output

KINDS = {word(c): c for c in sorted(REQUEST_CAUSES)}
REASONS = {word(c): c for c in sorted(EXTENSION_CAUSES)}
DECISIONS = frozenset({Event.DECIDED, Event.MATCH_REFUSED, Event.ENROLL_REFUSED})


@click.command()
@click.argument("user")
@pin_file_option
@pass_state
def access(state: CliState, user: str, pin_file: Path | None) -> Result:
    """Show everything held about USER, after their PIN: consents, records, decisions, requests, log."""
    with state.device() as device:
        note_testing(state, device)
        token = verify_pin(device, user, read_pin(state, pin_file))
        data = personal_data(device, user, Cause.ACCESS, token=token)
    return Result(
        outcome="answered",
        data={"personal_data": data},
        lines=harmless_json(json.dumps(data, indent=2, ensure_ascii=False)).split("\n"),
    )


@click.command()
@click.argument("user")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="New file.", metavar="FILE")
@pin_file_option
@pass_state
def export(state: CliState, user: str, out: Path, pin_file: Path | None) -> Result:
    """Write the personal data of USER as JSON (schema bioguard/personal-data/1). Templates are never in it."""
    check_output(out, new=True, code="export.exists")
    with state.device() as device:
        note_testing(state, device)
        token = verify_pin(device, user, read_pin(state, pin_file))
        data = personal_data(device, user, Cause.PORTABILITY, token=token)
    content = harmless_json(json.dumps(data, indent=2, ensure_ascii=False)) + "\n"
    write_output(out, content.encode(), new=True, private=True)
    return Result(
        outcome="exported",
        data={"user": user, "out": str(out), "templates_included": False},
        lines=[f"written to {out}", f"note: {NO_TEMPLATES}"],
    )


@click.command()
@click.argument("user")
@click.option("--name", help="The right name.")
@click.option("--record", "record_id", help="A record of another finger than was said; with --finger.", metavar="ID")
@click.option("--finger", help="right-thumb, right-index, ... left-little.")
@pin_file_option
@pass_state
def rectify(
    state: CliState, user: str, name: str | None, record_id: str | None, finger: str | None, pin_file: Path | None
) -> Result:
    """Correct the name of USER, or which finger a record is of. Features are corrected by `enroll --replace`.

    A user with a PIN is asked for it, and the request is registered as one for rectification.

    \b
    Examples:
      bioguard rectify alice --name alicia
      bioguard rectify alice --record 6f0c... --finger left-index
    """
    if (name is None) == (record_id is None) or (record_id is None) != (finger is None):
        raise click.UsageError("give --name, or --record with --finger")
    with state.device() as device:
        token = person_token(state, device, user, pin_file)
        if name is not None:
            rename(device, user, name, token=token)
            lines = [f"{user} is now {name}"]
            data: dict[str, object] = {"user": name, "record": None}
        else:
            new = relabel(device, user, record_id or "", finger or "", token=token)
            lines = [f"record {record_id} is now {new.record_id}: {new.position}", f"salted digest {new.digest}"]
            data = {"user": user, "record": public_record(new)}
    return Result(outcome="rectified", data=data, lines=lines)


def _restriction(state: CliState, user: str, pin_file: Path | None, *, on: bool) -> None:
    with state.device() as device:
        rules.restrict(device, user, on=on, token=verify_pin(device, user, read_pin(state, pin_file)))


@click.command()
@click.argument("user")
@pin_file_option
@pass_state
def restrict(state: CliState, user: str, pin_file: Path | None) -> Result:
    """Keep the data of USER, but do not process them: every comparison and enrollment refuses."""
    _restriction(state, user, pin_file, on=True)
    return Result(outcome="restricted", data={"user": user}, lines=[f"{user} is restricted"])


@click.command()
@click.argument("user")
@pin_file_option
@pass_state
def unrestrict(state: CliState, user: str, pin_file: Path | None) -> Result:
    """End a restriction."""
    _restriction(state, user, pin_file, on=False)
    return Result(outcome="unrestricted", data={"user": user}, lines=[f"{user} is processed again"])


@click.command()
@click.argument("number", type=click.IntRange(0), required=False)
@click.option("--user", help="Without a number: the latest decision about this user.")
@pass_state
def explain(state: CliState, number: int | None, user: str | None) -> Result:
    """Explain a decision, by its number in the log, in coarse terms: no score, no threshold.

    \b
    Examples:
      bioguard explain 42
      bioguard explain --user alice
    """
    with state.device() as device:
        subject = device.user_handle(user) if user else None
        for_testing, names = device.configuration.for_testing, {m: profile_names(device, m) for m in Modality}
        cohort = device.cohort_fingers()
        entries = [i.entry for i in rules.signed_log(device).items if i.entry and i.entry.event in DECISIONS]
    found = [
        e for e in entries if (number is None or e.sequence == number) and (subject is None or e.subject == subject)
    ]
    if not found:
        raise InputRefused(
            "there is no such decision",
            hint="bodies are pruned after 30 days; run: bioguard log show",
            code="explain.none",
        )
    entry = found[-1]
    lines = decision_words(entry, for_testing=for_testing)
    data = {
        "number": entry.sequence,
        "result": word(entry.cause),
        "purpose": word(entry.purpose),
        "factors": lines,
        "basis": Basis(entry.number).word if entry.number is not None else None,
        "comparison_profiles": names[entry.modality] if entry.modality else [],
        "device_cohort": cohort if entry.modality is Modality.FINGERPRINT else 0,
    }
    return Result(outcome="explained", data=data, lines=lines)


@click.command("mark-underage")
@click.argument("user")
@click.option("--force", is_flag=True, help="Do not ask.")
@receipt_option
@pass_state
def mark_underage(state: CliState, user: str, *, force: bool, receipt: Path | None) -> Result:
    """USER turned out to be a child: erase all their records and consents at once."""
    confirm_erasure(state, f"everything of {user}", force=force, receipt=receipt)
    with state.device() as device:
        erased = rules.mark_underage(device, user)
        written = write_receipt(state, device, erased, receipt)
    return Result(
        outcome="erased",
        data={"user": user, "erased": list(erased), "receipt": str(receipt) if written else None},
        lines=[*erased_lines(erased), *written] or ["nothing was enrolled"],
        next_step=receipt_step(erased, written),
    )


@click.group()
def request() -> None:
    """The register of requests: due after 7 days, at most 30 with a reason."""


def _one(outcome: str, found: RightsRequest) -> Result:
    row = request_fields(found)
    line = f"request {row['number']}: {row['kind']}, {row['state']}, due {row['due']}"
    return Result(outcome=outcome, data={"request": row}, lines=[line])


@request.command("open")
@click.argument("user")
@click.option("--kind", required=True, type=click.Choice(list(KINDS)), help="What is asked for.")
@pin_file_option
@pass_state
def register(state: CliState, user: str, kind: str, pin_file: Path | None) -> Result:
    """Register a request of USER, after their PIN."""
    with state.device() as device:
        token = verify_pin(device, user, read_pin(state, pin_file))
        found = rules.open_request(device, user, KINDS[kind], token=token)
    return _one("opened", found)


@request.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--reason", required=True, type=click.Choice(list(REASONS)), help="Why it takes longer.")
@pass_state
def extend(state: CliState, number: int, reason: str) -> Result:
    """Take the longer term of 30 days, once, with a reason."""
    with state.device() as device:
        return _one("extended", rules.extend_request(device, number, REASONS[reason]))


@request.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--refuse", is_flag=True, help="The request is refused.")
@pass_state
def answer(state: CliState, number: int, refuse: bool) -> Result:
    """Close a request: fulfilled, or refused."""
    with state.device() as device:
        found = rules.answer_request(device, number, Cause.REFUSED if refuse else Cause.FULFILLED)
    return _one("answered", found)


@request.command("list")
@pass_state
def show_register(state: CliState) -> Result:
    """Show the register."""
    with state.device() as device:
        rows = [request_fields(found) for found in rules.requests(device)]
    header = ("number", "kind", "state", "opened", "due", "reason")
    lines = table([[r[h] or "" for h in header] for r in rows], header=header) if rows else ["no requests"]
    return Result(outcome="listed", data={"requests": rows}, lines=lines)
