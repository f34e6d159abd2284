"""`bioguard attack`: the negative-test bench against our trusted applications or your own."""

from pathlib import Path

import click

from bioguard.cli.__main__ import run
from bioguard.cli.output import Result, table
from bioguard.cli.state import CliState, pass_state
from bioguard.device.applications import manifests
from bioguard.errors import BioguardError, InputRefused
from bioguard.evidence.attack.bench import ATTACKS, Finding, Verdict, play, select
from bioguard.evidence.attack.kit import Attack, Stage
from bioguard.exit_codes import ExitCode
from bioguard.user_files import read_input
from tee_sim.shared.manifest import Manifest, refuse_twins
from tee_sim.shared.manifest_values import ManifestError


class BenchIncomplete(BioguardError):
    """An attack could not be played, so nothing can be said."""

    code = "attack.unknown"
    exit_code = ExitCode.INPUT_REFUSED


def _text(path: Path) -> str:
    try:
        return read_input(path, code="attack.manifest").decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "see docs/formats/manifest.md for the format"
        raise InputRefused(f"{path}: not UTF-8", hint=hint, code="attack.manifest") from error


def _manifests(paths: tuple[Path, ...]) -> list[Manifest]:
    """What the files say. Raises InputRefused: one is wrong, or two have one uuid."""
    texts = [(str(path), _text(path)) for path in paths]
    try:
        read = [Manifest.from_toml(text, file=file) for file, text in texts]
        refuse_twins(read, texts)
    except ManifestError as error:
        raise InputRefused(error.message, hint=error.hint, code="attack.manifest") from error
    return read


def _is_ours(manifest: Manifest) -> bool:
    return manifest.entry.partition(".")[0] == __name__.partition(".")[0]


def _targets(paths: tuple[Path, ...], chosen: tuple[Attack, ...]) -> tuple[list[Manifest], dict[str, str]]:
    """What is attacked, and where each comes from: ours, or the given manifest of the same uuid.

    An application with a uuid of its own cannot stand in for ours, so only attacks on any application take it.

    Raises:
        InputRefused: a manifest that would not be attacked: one of two with one uuid; one whose code is ours; one whose
            uuid is none of ours, where attacks need ours.
    """
    ours = {m.uuid: m for m in manifests()}
    given = list(zip(paths, _manifests(paths), strict=True))
    files = {manifest.uuid: str(path) for path, manifest in given}
    for path, manifest in given:
        if _is_ours(manifest):
            raise InputRefused(
                f"{path}: the entry {manifest.entry} is our own, so nothing of yours would be attacked",
                hint="name a class of yours in entry; to attack ours, run: bioguard attack",
                code="attack.ours",
            )
    foreign = [(path, manifest) for path, manifest in given if manifest.uuid not in ours]
    if foreign and any(attack.stage is not Stage.ANY for attack in chosen):
        path, manifest = foreign[0]
        known = ", ".join(f"{m.name} {m.ta_uuid}" for m in ours.values())
        raise InputRefused(
            f"{path}: no application of ours has uuid {manifest.ta_uuid}, so nothing of it would be attacked",
            hint=f"take the uuid of the one it stands in for ({known}), or run: bioguard attack any. --manifest {path}",
            code="attack.uuid",
        )
    played = list((({} if foreign else ours) | {m.uuid: m for _, m in given}).values())
    return played, {m.name: files.get(m.uuid, "ours") for m in played}


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--manifest",
    "paths",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Attack this application instead of ours with the same uuid; any uuid for the attacks any.*",
    metavar="FILE",
)
@click.option("--list", "listing", is_flag=True, help="List the attacks and their sources.")
@pass_state
def attack(state: CliState, names: tuple[str, ...], paths: tuple[Path, ...], listing: bool) -> Result:
    """Play every known token theft and protocol attack; exit 3 if one works. NAMES choose by prefix.

    It runs in a secure world of its own, without the kernel lock, in memory or on devices in a temporary directory:
    only give it code you would run.

    \b
    Examples:
      bioguard attack
      bioguard attack token. lockout.
      PYTHONPATH=. bioguard attack --manifest my_ta/manifest.toml
      PYTHONPATH=. bioguard attack any. --manifest other_ta/manifest.toml
    """
    chosen = select(names)
    if listing:
        return Result(
            command="attack-list",
            outcome="listed",
            data={
                "attacks": [
                    {"name": a.name, "title": a.title, "source": a.source, "stage": a.stage.value} for a in chosen
                ]
            },
            lines=table([(a.name, a.title, a.source) for a in chosen], header=("attack", "what is tried", "source")),
        )
    played, origins = _targets(paths, chosen)
    findings: list[Finding] = []
    with state.output.progress(play(played, chosen, command_line=run), "attacks", len(chosen)) as running:
        findings += running
    return _result(findings, origins)


def _result(findings: list[Finding], origins: dict[str, str]) -> Result:
    found = [f for f in findings if f.verdict is Verdict.FOUND]
    unknown = [f for f in findings if f.verdict is Verdict.UNKNOWN]
    if unknown and not found:
        raise BenchIncomplete(
            f"{len(unknown)} of {len(findings)} attacks not played; {unknown[0].attack.name}: {unknown[0].detail}",
            hint="the application must do its normal work first; compare with bioguard attack without --manifest",
        )
    lines = [f"{f.verdict.value:<8}{f.attack.name}: {f.detail or f.attack.title}" for f in found + unknown]
    return Result(
        command="attack",
        outcome="found" if found else "held",
        data={
            "played": len(findings),
            "found": len(found),
            "unknown": len(unknown),
            "targets": [{"name": name, "from": origin} for name, origin in origins.items()],
            "attacks": [{"name": f.attack.name, "verdict": f.verdict.value, "detail": f.detail} for f in findings],
        },
        lines=[
            *lines,
            *(f"attacked {name}: {origin}" for name, origin in origins.items()),
            f"{len(findings)} of {len(ATTACKS)} attacks played, {len(found)} worked, {len(unknown)} unknown",
        ],
        exit_code=ExitCode.NO if found else ExitCode.OK,
    )
