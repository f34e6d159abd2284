"""`bioguard consent`: purpose-bound grants of a user."""

from itertools import product
from pathlib import Path

import click

from bioguard.cli.erasing import erased_lines, receipt_option, receipt_step, write_receipt
from bioguard.cli.output import Result, table
from bioguard.cli.secrets import person_token, pin_file_option
from bioguard.cli.state import CliState, pass_state
from bioguard.device import consent as rules
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.text import iso, word
from bioguard.user_files import check_output

PURPOSES = {word(p): p for p in Purpose}
MODALITIES = {word(m): m for m in Modality}
purpose_option = click.option(
    "--purpose", "purposes", multiple=True, required=True, type=click.Choice(list(PURPOSES)), help="May be given again."
)
modality_option = click.option(
    "--modality", "modalities", multiple=True, type=click.Choice(list(MODALITIES)), help="Both, if it is left out."
)


def _modalities(chosen: tuple[str, ...]) -> list[Modality]:
    return [MODALITIES[m] for m in chosen] or list(Modality)


@click.group()
def consent() -> None:
    """Grant, withdraw, object, confirm and list consents. A user with a PIN confirms with it."""


@consent.command()
@click.argument("user")
@purpose_option
@modality_option
@click.option("--days", type=click.IntRange(1, 3650), default=rules.DEFAULT_DAYS, show_default=True, help="How long.")
@click.option("--of-age", is_flag=True, help="The person attests the minimum age of this device's policy.")
@pin_file_option
@pass_state
def grant(
    state: CliState,
    user: str,
    purposes: tuple[str, ...],
    modalities: tuple[str, ...],
    days: int,
    of_age: bool,
    pin_file: Path | None,
) -> Result:
    """Record the consent of USER, under the policy version in force (`bioguard notice`).

    \b
    Examples:
      bioguard consent grant alice --purpose unlock --of-age
      bioguard consent grant alice --purpose unlock --purpose key-use --modality face --of-age --days 30
    """
    with state.device() as device:
        token = person_token(state, device, user, pin_file)
        wanted = tuple(dict.fromkeys(_modalities(modalities))), tuple(dict.fromkeys(PURPOSES[p] for p in purposes))
        rules.grant_each(device, user, *wanted, days=days, of_age=of_age, token=token)
    granted = [f"{word(modality)} for {word(purpose)}" for modality, purpose in product(*wanted)]
    return Result(
        outcome="granted",
        data={"user": user, "granted": granted, "days": days},
        lines=[f"{user} consents: {g}, for {days} days" for g in granted],
        next_step=f"bioguard enroll {user} --finger right-index FILE...",
    )


@consent.command()
@click.argument("user")
@purpose_option
@modality_option
@receipt_option
@pin_file_option
@pass_state
def withdraw(
    state: CliState,
    user: str,
    purposes: tuple[str, ...],
    modalities: tuple[str, ...],
    receipt: Path | None,
    pin_file: Path | None,
) -> Result:
    """Take consents back. Processing stops at once; records without a purpose left are erased."""
    if receipt is not None:
        check_output(receipt, new=True, code="receipt.exists")
    erased: list[str] = []
    with state.device() as device:
        token = person_token(state, device, user, pin_file)
        for modality in _modalities(modalities):
            for purpose in purposes:
                erased += rules.withdraw(device, user, modality, PURPOSES[purpose], token=token)
        written = write_receipt(state, device, erased, receipt)
    return Result(
        outcome="withdrawn",
        data={"user": user, "erased": erased, "receipt": str(receipt) if written else None},
        lines=["withdrawn", *erased_lines(erased), *written],
        next_step=receipt_step(erased, written),
    )


@consent.command("object")
@click.argument("user")
@purpose_option
@pin_file_option
@pass_state
def refuse_purpose(state: CliState, user: str, purposes: tuple[str, ...], pin_file: Path | None) -> Result:
    """Object to a purpose. Processing for it stops at once; only a new grant of USER lifts it."""
    with state.device() as device:
        token = person_token(state, device, user, pin_file)
        for purpose in purposes:
            rules.object_to(device, user, PURPOSES[purpose], token=token)
    return Result(
        outcome="recorded",
        data={"user": user, "purposes": list(purposes)},
        lines=[f"{user} objects to {p}" for p in purposes],
    )


@consent.command()
@click.argument("user")
@pin_file_option
@pass_state
def confirm(state: CliState, user: str, pin_file: Path | None) -> Result:
    """Confirm all grants of USER under the present policy version."""
    with state.device() as device:
        rules.confirm(device, user, token=person_token(state, device, user, pin_file))
        version = rules.policy_state(device).version
    return Result(
        outcome="confirmed",
        data={"user": user, "policy_version": version},
        lines=[f"{user} confirmed policy version {version}"],
    )


@consent.command("list")
@click.argument("user")
@pass_state
def show_decisions(state: CliState, user: str) -> Result:
    """Show what USER decided."""
    with state.device() as device:
        book = rules.consents(device, user)
    rows = [
        (word(g.modality), word(g.purpose), g.policy_version, iso(g.granted_ms), iso(g.expires_ms)) for g in book.grants
    ]
    header = ("modality", "purpose", "policy", "granted", "expires")
    objections = [word(Purpose(p)) for p in book.objections]
    lines = table(rows, header=header) if rows else ["no consent"]
    lines += [f"objects to {p}" for p in objections]
    if book.restricted:
        lines.append("restricted: stored, not processed")
    return Result(
        outcome="listed",
        data={
            "user": user,
            "grants": [dict(zip(header, row, strict=True)) for row in rows],
            "objections": objections,
            "restricted": book.restricted,
            "age_attested": book.of_age,
        },
        lines=lines,
    )
